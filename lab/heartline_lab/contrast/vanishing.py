"""How long a client that vanished still counts as online: round after round, in a process of its own, until killed.

Rules:
- In a round, three clients of each mode come online behind a middlebox, which then turns into a black hole (nothing
  arrives any more, no FIN and no reset). Presence is watched past the box until all are offline. Each round is told as
  a line of JSON: the seconds of each client, by mode.
- All promise the same, to be heard of within interval + timeout. A stream has heartbeats with these two. Whoever polls
  checks in every interval, with a lease of interval + timeout: over a new connection each time (`short`), or over the
  kept one, on which a long poll is pending besides in the mode `long-poll`.
- The clients of a mode begin apart, so that they vanish at different moments between two signs of life.
"""

import asyncio
import json
import logging
import random
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress

import heartline
from heartline.convert import to_duration
from heartline.network import GrpcConnection
from heartline.v1.events_pb2 import START_LATEST, Subscription
from heartline.v1.request_service_pb2 import CheckInRequest, PollRequest

from heartline_lab.contrast.results import MODES
from heartline_lab.middlebox import Middlebox

EACH = 3
"""Clients of each mode in a round."""
GUARD = 20.0
"""Seconds beyond the promise within which all must be online, or offline."""
LONG = 60.0
"""For how long a long poll waits, in seconds."""


class Watch:
    """Presence as the server tells it: how each client was last said to be, and when."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[bool, float]] = {}
        self._news = asyncio.Event()

    async def follow(self, line: heartline.Line) -> None:
        """Listens for as long as the line lasts."""
        async for event in line.subscribe("$presence", start=heartline.Start.EARLIEST):
            self._last[event.attributes["client_id"]] = event.attributes["online"] == "true", time.monotonic()
            self._news.set()

    async def until(self, online: bool, clients: list[str], within: float) -> list[float]:
        """When each of the clients was said to be so. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not all(client in self._last and self._last[client][0] is online for client in clients):
                self._news.clear()
                await self._news.wait()
        return [self._last[client][1] for client in clients]


async def play(address: str, watch: Watch, number: int, interval: float, timeout: float) -> dict[str, list[float]]:
    """One round: for how many seconds each client still counted as online. Raises TimeoutError."""
    names = {mode: [f"{mode}-{number}-{which}" for which in range(EACH)] for mode in MODES}
    everyone = [name for clients in names.values() for name in clients]
    tasks = []
    try:
        async with Middlebox(address, listen="127.0.0.1:0") as box:
            for mode, clients in names.items():
                for which, name in enumerate(clients):
                    live = _live(box.address, mode, name, interval, timeout)
                    tasks.append(asyncio.create_task(_after(interval * which / EACH, live)))
            await watch.until(True, everyone, GUARD)
            await asyncio.sleep(random.uniform(interval, 2 * interval))
            box.change(black_hole="both")
            vanished = time.monotonic()
            gone = dict(zip(everyone, await watch.until(False, everyone, interval + timeout + GUARD), strict=True))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {mode: [gone[name] - vanished for name in clients] for mode, clients in names.items()}


async def _after(delay: float, live: Coroutine[None, None, None]) -> None:
    await asyncio.sleep(delay)
    await live


async def _live(target: str, mode: str, name: str, interval: float, timeout: float) -> None:
    if mode == "stream":
        async with heartline.connect(
            target, client_id=name, transport="stream", heartbeat_interval=interval, heartbeat_timeout=timeout
        ):
            await asyncio.Event().wait()
    async with GrpcConnection(target) as kept:
        pending = [asyncio.create_task(_wait_for_news(kept))] if mode == "long-poll" else []
        try:
            while True:
                began = time.monotonic()
                if mode == "short":
                    async with GrpcConnection(target) as own:
                        await _check_in(own, name, interval + timeout)
                else:
                    await _check_in(kept, name, interval + timeout)
                await asyncio.sleep(began + interval - time.monotonic())
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)


async def _check_in(connection: GrpcConnection, name: str, ttl: float) -> None:
    await connection.requests.CheckIn(CheckInRequest(client_id=name, ttl=to_duration(ttl)), timeout=GUARD)


async def _wait_for_news(connection: GrpcConnection) -> None:
    nowhere = Subscription(channel="nowhere", start=START_LATEST)
    while True:
        request = PollRequest(subscriptions=[nowhere], wait=to_duration(LONG))
        await connection.requests.Poll(request, timeout=LONG + GUARD)


async def vanish(address: str, interval: float, timeout: float) -> None:
    """Plays rounds for ever, with that heartbeat interval and timeout, in seconds."""
    logging.getLogger("heartline").setLevel(logging.CRITICAL)  # that clients lose their server is what is wanted
    watch = Watch()
    async with heartline.connect(address, transport="stream") as line:
        following = asyncio.create_task(watch.follow(line))
        number = 0
        while not following.done():
            seconds = await play(address, watch, number, interval, timeout)
            if all(each >= 0 for clients in seconds.values() for each in clients):  # else one was late, and not gone
                print(json.dumps(seconds), flush=True)
            number += 1


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(vanish(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
