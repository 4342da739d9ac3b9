"""SessionService: one call that lasts, and gRPC's Link."""

import asyncio

import grpc.aio

from heartline_service.edge import Caller
from heartline_service.hub import Hub
from heartline_service.sessions.frames import Frames
from heartline_service.sessions.live import LiveSession

Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcLink:
    """A stream, seen from the session."""

    def __init__(self, context: Context, peer: str) -> None:
        self.peer = peer
        self._context = context

    async def send(self, frame: bytes) -> None:
        """Writes one frame. Raises ConnectionError when the call is over."""
        try:
            await self._context.write(frame)
        except Exception as error:
            # gRPC has several kinds for "the call is over", some of them private.
            raise ConnectionError(str(error)) from error


class SessionServicer:
    """Hands frames to a live session."""

    def __init__(self, hub: Hub) -> None:
        self._frames = Frames(hub)

    async def Connect(self, context: Context, caller: Caller) -> None:
        """Runs one session. Raises Fault when it ends with one."""
        session = self._frames.connect(GrpcLink(context, caller.peer))
        reader = asyncio.get_running_loop().create_task(_read(context, session))
        try:
            # Shielded: gRPC cancels this when the client is gone, and the session must still end in its own way.
            fault = await asyncio.shield(session.ended)
        except asyncio.CancelledError:
            session.lost()
            raise
        finally:
            reader.cancel()
        if fault is not None:
            raise fault


async def _read(context: Context, session: LiveSession) -> None:
    while isinstance(data := await context.read(), bytes):
        session.receive(data)
        await session.outbox.room()
    session.half_closed()
