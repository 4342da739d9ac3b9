"""Raw subscribers: streams without a client library, the same for the real server and the bare one.

Rules: each stream has a TCP connection of its own unless they are to share one. A push counts as delivered when every
subscriber has read and parsed it; nothing is sent before that.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import grpc.aio
from heartline.v1.session_service_pb2 import ConnectResponse

from bench.messages import hello
from bench.script import CONNECT, PUBLISH
from bench.servers import BenchError, Server, channel

DELIVERY_TIMEOUT = 30.0
"""Seconds within which a push must have reached everybody."""
_AT_ONCE = 25

Stream = grpc.aio.StreamStreamCall[bytes, bytes]


async def open_stream(on: grpc.aio.Channel, client_id: str) -> tuple[Stream, tuple[bytes, ...]]:
    """Opens one session; returns it with the frames that greeted it: welcome and subscribed, in either order."""
    call: Stream = on.stream_stream(CONNECT)()
    await call.write(hello(client_id))
    greeting = []
    for _ in range(2):
        frame = await call.read()
        if not isinstance(frame, bytes):
            raise BenchError(f"a session was not greeted: {await call.code()}, {await call.details()}")
        greeting.append(frame)
    kinds = {ConnectResponse.FromString(frame).WhichOneof("frame") for frame in greeting}
    if kinds != {"welcome", "subscribed"}:
        raise BenchError(f"a session was greeted with {sorted(map(str, kinds))}")
    return call, tuple(greeting)


async def next_events(call: Stream) -> bytes:
    """The next frame of a session that carries events."""
    while isinstance(frame := await call.read(), bytes):
        if ConnectResponse.FromString(frame).WhichOneof("frame") == "events":
            return frame
    raise BenchError(f"a session ended: {await call.code()}, {await call.details()}")


class Subscribers:
    """Open sessions of one server."""

    def __init__(self, server: Server, calls: Sequence[Stream], control: grpc.aio.Channel) -> None:
        self.server = server
        self.publish: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = control.unary_unary(PUBLISH)
        self._calls = calls
        self._missing = 0
        self._delivered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def count(self) -> int:
        """How many sessions are open."""
        return len(self._calls)

    async def push(self, request: bytes, events: int) -> None:
        """Publishes, and waits until every session has as many events."""
        self._missing = events * self.count
        self._delivered = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(DELIVERY_TIMEOUT):
            await self.publish(request)
            await self._delivered

    async def read(self, call: Stream) -> None:
        """Reads one session for as long as it lasts."""
        while True:
            frame = await next_events(call)
            self._missing -= len(ConnectResponse.FromString(frame).events.events)
            if self._missing == 0 and not self._delivered.done():
                self._delivered.set_result(None)


@asynccontextmanager
async def subscribed(server: Server, count: int, *, own_connections: bool = True) -> AsyncIterator[Subscribers]:
    """Opens `count` sessions of named clients, on a TCP connection each or on one for all."""
    async with AsyncExitStack() as stack:
        control = await stack.enter_async_context(channel(server))
        channels = [channel(server) for _ in range(count if own_connections else 1)]
        for each in channels:
            stack.push_async_callback(each.close)
        calls: list[Stream] = []
        for first in range(0, count, _AT_ONCE):
            opened = [
                open_stream(channels[index % len(channels)], f"subscriber-{index}")
                for index in range(first, min(first + _AT_ONCE, count))
            ]
            calls += [call for call, _ in await asyncio.gather(*opened)]
        subscribers = Subscribers(server, calls, control)
        readers = [asyncio.create_task(subscribers.read(call)) for call in calls]
        try:
            yield subscribers
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
