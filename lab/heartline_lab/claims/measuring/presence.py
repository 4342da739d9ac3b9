"""What a real Heartline server and its clients know of each other, and when: statements 7 and 9."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

import grpc.aio
from heartline.convert import to_duration
from heartline.v1.events_pb2 import Position
from heartline.v1.request_service_pb2 import CheckInRequest
from heartline.v1.session_service_pb2 import ConnectRequest, Hello

from heartline_lab.claims.judging.presence import Looks, News
from heartline_lab.claims.measuring.stubs import GUARD, Stubs, calling, latest, until
from heartline_lab.middlebox import Middlebox
from heartline_lab.processes import serving

_CLIENT = "phone"
_LEASE, _RENEWED = 1.5, 0.4
_LOOKS = 25
"""How often others look while the client renews its lease, a tenth of a second apart."""
_PATIENCE = 1.0
"""Seconds that a call waits for its answer."""

_EVENTS = 12
_POLL_INTERVAL = 0.5
_EVENTS_APART = 0.23
"""Not a share of the poll interval, so that events come at all times between two polls."""
_LONG_WAIT = 5.0
_UNDER_WAY = 0.05
"""Seconds that a request may take to the server: one made so shortly before an event was not waiting for it there."""


async def looks() -> Looks:
    """Keeps a client online by check-ins, lets it fall silent; then calls into a dead network, and a stopped server."""
    async with serving() as server, Middlebox(server.address) as box, calling(server.address) as stubs:
        asked, online = await _watched(stubs)
        last_at = time.monotonic()
        await _check_in(stubs)
        await _offline(stubs)
        offline_after = time.monotonic() - last_at
        async with calling(box.address) as through:
            await _check_in(through)
            box.change(black_hole="both")
            unreachable, unreachable_after = await _unanswered(through)
        os.kill(server.pid, signal.SIGSTOP)
        stopped, _ = await _unanswered(stubs)
    return Looks(
        ttl=_LEASE,
        looks=asked,
        online=online,
        offline_after=offline_after,
        timeout=_PATIENCE,
        unreachable=unreachable,
        unreachable_after=unreachable_after,
        stopped=stopped,
    )


async def _watched(stubs: Stubs) -> tuple[int, int]:
    """How often others looked while the client renewed its lease in time, and how often it was online then."""
    renewed_at = 0.0
    looks = online = 0

    async def renew() -> None:
        nonlocal renewed_at
        while True:
            began = time.monotonic()
            await _check_in(stubs)
            renewed_at = began
            await asyncio.sleep(_RENEWED)

    renewing = asyncio.create_task(renew())
    for _ in range(_LOOKS):
        await asyncio.sleep(0.1)
        seen = renewed_at > 0 and (await stubs.presence(_CLIENT)).online
        # A client that was itself held up did not ask in time: that look says nothing.
        if time.monotonic() - renewed_at < _LEASE:
            looks, online = looks + 1, online + seen
    renewing.cancel()
    await asyncio.gather(renewing, return_exceptions=True)
    return looks, online


async def _check_in(stubs: Stubs, timeout: float = GUARD) -> None:
    request = CheckInRequest(client_id=_CLIENT, ttl=to_duration(_LEASE))
    await stubs.requests.CheckIn(request, timeout=timeout)


async def _offline(stubs: Stubs) -> None:
    async with asyncio.timeout(GUARD):
        # Short calls have no event to wait for: whoever wants to know asks again.
        while (await stubs.presence(_CLIENT)).online:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def _unanswered(stubs: Stubs) -> tuple[str, float]:
    """What a call is told that should get no answer, and after how many seconds."""
    began = time.monotonic()
    try:
        await _check_in(stubs, _PATIENCE)
    except grpc.aio.AioRpcError as error:
        return error.code().name, time.monotonic() - began
    return "OK", time.monotonic() - began


async def news() -> News:
    """Publishes events, and reads them by short polls, by long polls and over a stream at the same time."""
    published: dict[str, float] = {}
    async with (
        serving() as server,
        calling(server.address) as publisher,
        calling(server.address) as short,
        calling(server.address) as long,
        calling(server.address) as streaming,
    ):
        call = streaming.sessions.Connect()
        await call.write(ConnectRequest(hello=Hello(subscriptions=[latest()], passive=True)))
        await until(call, "subscribed")
        polling = asyncio.create_task(_polled(short, published, await _cursor(short), wait=0))
        holding = asyncio.create_task(_polled(long, published, await _cursor(long), wait=_LONG_WAIT))
        pushing = asyncio.create_task(_pushed(call, published))
        for number in range(_EVENTS):
            await asyncio.sleep(_EVENTS_APART)
            published[str(number)] = time.monotonic()
            await publisher.publish(str(number))
        polled, held, pushed = await asyncio.gather(polling, holding, pushing)
        call.cancel()
    return News(
        interval=_POLL_INTERVAL,
        polled=[late for late, _ in polled],
        waited=sum(before < _UNDER_WAY for _, before in polled),
        held=[late for late, _ in held],
        held_back=sum(before >= _UNDER_WAY for _, before in held),
        pushed=pushed,
        events=_EVENTS,
    )


async def _cursor(stubs: Stubs) -> Position:
    return (await stubs.poll()).batches[0].position


async def _polled(
    stubs: Stubs, published: Mapping[str, float], cursor: Position, wait: float
) -> list[tuple[float, float]]:
    """For each event: how late it came, and how long before it the request was made that brought it."""
    found: list[tuple[float, float]] = []
    while len(found) < _EVENTS:
        asked_at = time.monotonic()
        batch = (await stubs.poll(cursor, wait)).batches[0]
        now = time.monotonic()
        found += [(now - published[event.text], published[event.text] - asked_at) for event in batch.events]
        cursor = batch.position
        if not wait:
            await asyncio.sleep(_POLL_INTERVAL)
    return found


async def _pushed(call: Any, published: Mapping[str, float]) -> list[float]:
    """How late each event came."""
    found: list[float] = []
    while len(found) < _EVENTS:
        batch = await until(call, "events")
        found += [time.monotonic() - published[event.text] for event in batch.events]
    return found
