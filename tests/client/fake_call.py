"""The network of the fake server: connections, and Connect calls with what the server keeps of each session."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

from client.fake_requests import FakeRequests
from heartline.errors import HeartlineError, Unavailable
from heartline.v1 import session_service_pb2
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse

if TYPE_CHECKING:
    from client.fake_server import FakeServer


class FakeCall:
    """One Connect call: the client's end of it, and what the server keeps of the session."""

    def __init__(self, server: "FakeServer") -> None:
        self._server = server
        self._inbound: asyncio.Queue[ConnectResponse | HeartlineError | None] = asyncio.Queue()
        self.hello: session_service_pb2.Hello | None = None
        self.over = False
        self.swallowed = False
        self.cursors: dict[str, int] = {}
        self.acked: dict[str, int] = {}
        self.credit: dict[str, int] = {}
        self.events_sent = 0

    async def read(self) -> ConnectResponse | None:
        item = await self._inbound.get()
        if self.over and item is None:
            raise asyncio.CancelledError
        if isinstance(item, HeartlineError):
            raise item
        return item

    async def write(self, frame: ConnectRequest) -> None:
        await asyncio.sleep(0)
        if self.over:
            raise Unavailable("the call is over")
        self._server.on_frame(self, frame)

    def cancel(self) -> None:
        self.end(None)

    def send(self, frame: ConnectResponse) -> None:
        """From the server to the client."""
        self.swallowed |= self._server.silent
        if not self.over and not self.swallowed:
            self._inbound.put_nowait(frame)

    def end(self, error: HeartlineError | None) -> None:
        """Ends the call."""
        if not self.over:
            self.over = True
            self._server.calls.discard(self)
            self._inbound.put_nowait(error)


class FakeConnection:
    """A connection: what the library dials."""

    def __init__(self, server: "FakeServer") -> None:
        self._server = server
        self._calls: list[FakeCall] = []
        self.closed = False
        self.requests = cast(Any, FakeRequests(server))

    def open_session(self) -> FakeCall:
        call = FakeCall(self._server)
        self._calls.append(call)
        self._server.on_call(call)
        return call

    async def close(self) -> None:
        self.closed = True
        for call in self._calls:
            call.cancel()
