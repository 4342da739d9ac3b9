"""gRPC calls over raw sockets: as much of HTTP/2 as a load needs, at a tenth of the CPU of a gRPC client.

Rules: windows are as large as they get, so that nothing is ever held up or granted; header fields are never
read; settings and pings are answered. A call that ends early shows as an answer that does not come.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import hpack

from bench.servers import BenchError, Server

ANSWER_TIMEOUT = 30.0
"""Seconds within which everything that was asked for must have come."""

_DATA, _HEADERS, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 4, 6, 8
_END_STREAM = _ACK = 1
_END_HEADERS = 4
_INITIAL_WINDOW_SIZE = 4
_LARGEST_WINDOW = 2**31 - 1
_FRAME_HEADER = 9
_MESSAGE_HEADER = 5

Heard = Callable[[bytes], None]
"""Told each message that comes on a call."""


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


def _data(stream: int, message: bytes, flags: int) -> bytes:
    return _frame(_DATA, flags, stream, struct.pack(">BI", 0, len(message)) + message)


_FIELDS = [
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "bench"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
]

_PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + _frame(_SETTINGS, 0, 0, struct.pack(">HI", _INITIAL_WINDOW_SIZE, _LARGEST_WINDOW))
    + _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _LARGEST_WINDOW - 65535))
)


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
        self._write(_data(self._stream, message, 0))

    def feed(self, data: bytes) -> None:
        """Takes in what came, and tells the messages that are whole."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= _MESSAGE_HEADER:
            stop = at + _MESSAGE_HEADER + int.from_bytes(data[at + 1 : at + _MESSAGE_HEADER], "big")
            if stop > end:
                break
            self.heard(data[at + _MESSAGE_HEADER : stop])
            at = stop
        self._rest = data[at:]


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
        transport.write(_PREFACE)

    def open(self, path: str, message: bytes, heard: Heard, *, last: bool = False) -> Call:
        """Begins a call with its first message; with `last`, its only one."""
        stream, self._next = self._next, self._next + 2
        call = self._calls[stream] = Call(self._transport.write, stream, heard)
        head = _frame(_HEADERS, _END_HEADERS, stream, self._encoder.encode([(":path", path), *_FIELDS]))
        self._transport.write(head + _data(stream, message, _END_STREAM if last else 0))
        return call

    async def ask(self, path: str, message: bytes) -> bytes:
        """A unary call."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.open(path, message, answer.set_result, last=True)
        async with within(f"an answer to {path}"):
            return await answer

    def cut(self) -> None:
        """Ends the connection as a network that fails does it: a reset, and no word before it."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= _FRAME_HEADER:
            start = at + _FRAME_HEADER
            stop = start + int.from_bytes(data[at : at + 3], "big")
            if stop > end:
                break
            kind, flags, stream = data[at + 3], data[at + 4], int.from_bytes(data[at + 5 : start], "big")
            if kind == _DATA and stream in self._calls:
                self._calls[stream].feed(data[start:stop])
            elif kind == _HEADERS and flags & _END_STREAM:
                self._calls.pop(stream, None)
            elif kind in (_SETTINGS, _PING) and not flags & _ACK:
                self._transport.write(_frame(kind, _ACK, 0, data[start:stop] if kind == _PING else b""))
            at = stop
        self._rest = data[at:]


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
