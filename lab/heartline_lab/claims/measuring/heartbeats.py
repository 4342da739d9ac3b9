"""Heartbeats between a real Heartline server and its clients: statements 13 and 15."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import grpc
import grpc.aio
import heartline
from heartline.v1.session_service_pb2 import ConnectRequest, Heartbeat, Hello

from heartline_lab.claims.judging.presence import Heartbeats, Status
from heartline_lab.claims.measuring.stubs import GUARD, Stubs, calling, until
from heartline_lab.middlebox import Middlebox
from heartline_lab.processes import serving

_CLIENT = "phone"
_BEATS = 50
_INTERVAL, _TIMEOUT = 0.4, 0.4
_FAULT = 2.0
"""Seconds for which nothing gets through, from the notice on."""
_GRPC_AND_HTTP2 = 5 + 9
"""Bytes that gRPC and HTTP/2 put before each message."""


async def heartbeats() -> Heartbeats:
    """Times answers; then lets nothing through, and watches what the library does, logs and tells."""
    async with serving() as server, Middlebox(server.address) as box:
        async with calling(server.address) as stubs:
            answers = [seconds async for seconds in _answers(stubs)]
        states: asyncio.Queue[str] = asyncio.Queue()
        with _logged("a-line") as logged:
            async with heartline.connect(
                box.address,
                client_id="a-line",
                transport="stream",
                heartbeat_interval=_INTERVAL,
                heartbeat_timeout=_TIMEOUT,
                on_state=lambda state: states.put_nowait(state.name),
            ):
                await _state(states, "online")
                logged.clear()
                box.change(black_hole="both")
                noticed_after, before = await _state(states, "waiting")
                await asyncio.sleep(_FAULT)
                box.heal()
                online_after, after = await _state(states, "online")
                words = list(dict.fromkeys(logged))
    return Heartbeats(
        answers=answers,
        bound=_INTERVAL + _TIMEOUT,
        noticed_after=noticed_after,
        logged=words,
        told=list(dict.fromkeys(before + after)),
        online_after=online_after,
    )


async def _answers(stubs: Stubs) -> AsyncIterator[float]:
    """Seconds until each of some heartbeats was answered."""
    call = stubs.sessions.Connect()
    await call.write(ConnectRequest(hello=Hello(client_id=_CLIENT)))
    await until(call, "welcome")
    for number in range(1, _BEATS + 1):
        began = time.monotonic()
        await call.write(ConnectRequest(heartbeat=Heartbeat(sequence=number)))
        await until(call, "heartbeat_ack")
        yield time.monotonic() - began
    call.cancel()


async def _state(states: "asyncio.Queue[str]", wanted: str) -> tuple[float | None, list[str]]:
    """Seconds until the line is in this state, or None, and all states on the way."""
    began = time.monotonic()
    seen: list[str] = []
    try:
        async with asyncio.timeout(GUARD):
            while wanted not in seen:
                seen.append(await states.get())
    except TimeoutError:
        return None, seen
    return time.monotonic() - began, seen


@contextmanager
def _logged(line: str) -> Iterator[list[str]]:
    """The states that the library's log tells of a line while the block lasts."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            who, _, rest = record.getMessage().partition(" is ")
            if who == line:
                told.append(rest.partition(":")[0])

    log, listener = logging.getLogger("heartline"), Listener()
    level = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        yield told
    finally:
        log.setLevel(level)
        log.removeHandler(listener)


async def status() -> Status:
    """Changes a client's word on how it is, and watches for it in what others see of the client."""
    word = "battery 81%"
    async with (
        serving() as server,
        calling(server.address) as stubs,
        heartline.connect(
            server.address,
            client_id=_CLIENT,
            transport="stream",
            heartbeat_interval=_INTERVAL,
            heartbeat_timeout=_TIMEOUT,
            status=lambda: word,
        ),
    ):
        await _seen(stubs, word)
        word = "battery 80%"
        seen, seen_after = await _seen(stubs, word)
    bare, carrying = (Heartbeat(sequence=1, status=text) for text in ("", word))
    for beat in (bare, carrying):
        beat.send_time.GetCurrentTime()
    return Status(
        told=word,
        seen=seen,
        seen_after=seen_after,
        interval=_INTERVAL,
        bare=_on_the_wire(bare),
        carrying=_on_the_wire(carrying),
    )


async def _seen(stubs: Stubs, word: str) -> tuple[str, float]:
    """What others see, as soon as that is this word, and after how many seconds; or what they see in the end."""
    began = time.monotonic()
    seen = ""
    while seen != word and time.monotonic() < began + GUARD:
        await asyncio.sleep(0.01)
        try:
            seen = (await stubs.presence(_CLIENT)).status
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
    return seen, time.monotonic() - began


def _on_the_wire(beat: Heartbeat) -> int:
    return ConnectRequest(heartbeat=beat).ByteSize() + _GRPC_AND_HTTP2
