"""How the library reaches a server: the few things it needs of gRPC, as protocols, and gRPC's fulfilment of them.

Rules:
- Each session has a connection of its own and takes it along when it ends: a connection that fell silent may be a black
  hole, and one that a draining server closes leads nowhere. So gRPC shares no connections between channels, and the
  library alone decides when to try again.
- Nothing is raised but HeartlineError and CancelledError.
- Keepalive pings go hop by hop, and a program that is stuck still answers them: heartbeats are what proves a peer.
  Pings only clear away dead connections between calls. Both of their timeouts are set, as one alone does not act.
"""

import asyncio
from typing import TYPE_CHECKING, Protocol, Self, cast

import grpc
import grpc.aio

from heartline.errors import ServerError, Unavailable, from_rpc_error
from heartline.v1 import request_service_pb2_grpc, session_service_pb2, session_service_pb2_grpc

if TYPE_CHECKING:
    from heartline.v1.request_service_pb2_grpc import RequestServiceAsyncStub
    from heartline.v1.session_service_pb2_grpc import SessionServiceAsyncStub

KEEPALIVE_TIME = 20.0
"""Seconds between pings on a connection where nothing moves; a Heartline server allows one each 10 s."""
KEEPALIVE_TIMEOUT = 10.0
"""Seconds to wait for the answer to a ping."""


class Call(Protocol):
    """One Connect call. Reading and writing may each be under way once; neither may be cancelled on its own."""

    async def read(self) -> session_service_pb2.ConnectResponse | None:
        """The next frame, None when the server ended the call well. Raises HeartlineError."""

    async def write(self, frame: session_service_pb2.ConnectRequest) -> None:
        """Sends a frame. Raises HeartlineError when the call is over; `read` knows why."""

    def cancel(self) -> None:
        """Ends the call at once. Whoever reads or writes gets CancelledError."""


class Connection(Protocol):
    """One connection to a server, opened when it is first used."""

    @property
    def requests(self) -> "RequestServiceAsyncStub":
        """The unary calls."""

    def open_session(self) -> Call:
        """Begins a Connect call."""

    async def close(self) -> None:
        """Ends what is under way, and the connection."""


class GrpcCall:
    """A Connect call over gRPC."""

    def __init__(
        self,
        call: "grpc.aio.StreamStreamCall[session_service_pb2.ConnectRequest, session_service_pb2.ConnectResponse]",
    ) -> None:
        self._call = call

    async def read(self) -> session_service_pb2.ConnectResponse | None:
        """The next frame, None when the server ended the call well. Raises HeartlineError."""
        try:
            frame = await self._call.read()
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error
        if frame is None:  # what gRPC makes of bytes that it cannot parse
            raise ServerError("the server sent bytes that are no frame")
        return frame if isinstance(frame, session_service_pb2.ConnectResponse) else None

    async def write(self, frame: session_service_pb2.ConnectRequest) -> None:
        """Sends a frame. Raises HeartlineError when the call is over; `read` knows why."""
        try:
            await self._call.write(frame)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error
        except asyncio.InvalidStateError as error:
            raise Unavailable("the call is over") from error

    def cancel(self) -> None:
        """Ends the call at once. Whoever reads or writes gets CancelledError."""
        self._call.cancel()


class GrpcConnection:
    """A connection over gRPC, without TLS."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.aio.insecure_channel(target, options=_options(target))
        self._sessions = cast("SessionServiceAsyncStub", session_service_pb2_grpc.SessionServiceStub(self._channel))
        self.requests = cast("RequestServiceAsyncStub", request_service_pb2_grpc.RequestServiceStub(self._channel))

    def open_session(self) -> GrpcCall:
        """Begins a Connect call."""
        return GrpcCall(self._sessions.Connect())

    async def close(self) -> None:
        """Ends what is under way, and the connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _options(target: str) -> list[tuple[str, int]]:
    return [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2000),
        ("grpc.keepalive_time_ms", int(KEEPALIVE_TIME * 1000)),
        ("grpc.keepalive_timeout_ms", int(KEEPALIVE_TIMEOUT * 1000)),
        ("grpc.http2.ping_timeout_ms", int(KEEPALIVE_TIMEOUT * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        *without_proxy(target),
    ]


def without_proxy(target: str) -> list[tuple[str, int]]:
    """The channel options that leave out the environment's HTTP proxy for a server on this machine.

    That proxy is for the way out: it seldom knows this machine's own address.
    """
    host = target.rsplit("/", 1)[-1].rsplit(":", 1)[0].strip("[]")
    local = host in ("localhost", "::1") or host.startswith("127.")
    return [("grpc.enable_http_proxy", 0)] if local else []
