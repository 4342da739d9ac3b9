"""SessionService: one call that lasts, and gRPC's Link."""

import asyncio

import grpc.aio

from heartline_service.edge import Caller
from heartline_service.hub import Hub
from heartline_service.sessions.frames import Frames

Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcLink:
    """A stream, seen from the session."""

    __slots__ = ("_context", "peer")

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
        loop, reader = asyncio.get_running_loop(), asyncio.current_task()
        assert reader is not None

        def stop(_: object) -> None:
            reader.cancel()

        session = self._frames.connect(GrpcLink(context, caller.peer))
        session.ended.add_done_callback(stop)
        # A task of its own: it is resumed for each frame, which costs more, the more callers are above it.
        writer = loop.create_task(session.write())
        try:
            while isinstance(data := await context.read(), bytes):
                session.receive(data)
                await session.outbox.room()
            session.half_closed()
            await loop.create_future()
        except asyncio.CancelledError:
            if not session.ended.done():
                # Not by us but by gRPC: the client is gone.
                session.ended.remove_done_callback(stop)
                session.lost()
                raise
            reader.uncancel()
        finally:
            writer.cancel()
        if (fault := session.ended.result()) is not None:
            raise fault
