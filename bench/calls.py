"""gRPC calls over raw sockets, for loads that read every message.

Rules: a call that ends early shows as an answer that does not come.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import hpack
from heartline_lab.sockets import end_with_reset

from bench import http2
from bench.servers import BenchError, Server

ANSWER_TIMEOUT = 30.0
"""Seconds within which everything that was asked for must have come."""

Heard = Callable[[bytes], None]
"""Told each message that comes on a call."""


class Call:
    """One call. `heard` may be changed at any time."""

    __slots__ = ("_rest", "_stream", "_write", "heard")

    def __init__(self, write: Callable[[bytes], None], stream: int, heard: Heard) -> None:
        self._write = write
        self._stream = stream
        self._rest = b""
        self.heard = heard

    def send(self, message: bytes) -> None:
        """Sends one more message."""
        self._write(http2.data(self._stream, message, last=False))

    def feed(self, data: bytes) -> None:
        """Takes in what came, and tells the messages that are whole."""
        whole, self._rest = http2.messages(self._rest + data)
        for message in whole:
            self.heard(message)


class Connection(asyncio.Protocol):
    """A TCP connection with any number of calls."""

    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}
        self._next = 1
        self._rest = b""
        self._encoder = hpack.Encoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(http2.PREFACE)

    def open(self, path: str, message: bytes, heard: Heard, *, last: bool = False) -> Call:
        """Begins a call with its first message; with `last`, its only one."""
        stream, self._next = self._next, self._next + 2
        call = self._calls[stream] = Call(self._transport.write, stream, heard)
        self._transport.write(http2.call(self._encoder.encode(http2.fields(path)), stream, message, last=last))
        return call

    async def ask(self, path: str, message: bytes) -> bytes:
        """A unary call."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.open(path, message, answer.set_result, last=True)
        async with within(f"an answer to {path}"):
            return await answer

    def cut(self) -> None:
        """Ends the connection as a network that fails does it: a reset, and no word before it."""
        end_with_reset(self._transport.get_extra_info("socket"))
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        whole, self._rest = http2.frames(self._rest + data)
        for kind, flags, stream, body in whole:
            if kind == http2.DATA and stream in self._calls:
                self._calls[stream].feed(body)
            elif kind == http2.HEADERS and flags & http2.END_STREAM:
                self._calls.pop(stream, None)
            elif owed := http2.answer(kind, flags, body):
                self._transport.write(owed)


@asynccontextmanager
async def within(what: str) -> AsyncIterator[None]:
    """Waits no longer than ANSWER_TIMEOUT. Raises BenchError."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            yield
    except TimeoutError:
        raise BenchError(f"{what} did not come within {ANSWER_TIMEOUT:g} s") from None


@asynccontextmanager
async def connected(server: Server, count: int) -> AsyncIterator[list[Connection]]:
    """Opens `count` connections, and cuts them when the block ends."""
    loop = asyncio.get_running_loop()
    connections: list[Connection] = []
    try:
        for _ in range(count):
            connections.append((await loop.create_connection(Connection, "127.0.0.1", server.port))[1])
        yield connections
    finally:
        for connection in connections:
            connection.cut()
        # Sockets close a turn of the loop later.
        await asyncio.sleep(0)
