"""SessionService: one call that lasts, and gRPC's Link."""

import asyncio

import grpc.aio

from heartline_service.edge import Caller
from heartline_service.hub import Hub
from heartline_service.sessions.frames import Frames

Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcLink:
    """A stream, seen from the session. It is made by the task that reads the stream."""

    __slots__ = ("_context", "_reader", "peer")

    def __init__(self, context: Context, peer: str) -> None:
        self.peer = peer
        self._context = context
        self._reader = asyncio.current_task()

    async def send(self, frame: bytes) -> None:
        """Writes one frame. Raises ConnectionError when the call is over."""
        try:
            await self._context.write(frame)
        except Exception as error:
            # gRPC has several kinds for "the call is over", some of them private.
            raise ConnectionError(str(error)) from error

    def stop_reading(self, _: object) -> None:
        """Cancels the reader."""
        assert self._reader is not None
        self._reader.cancel()

    def stopped_reading(self) -> None:
        """The reader has taken note."""
        assert self._reader is not None
        self._reader.uncancel()


class SessionServicer:
    """Hands frames to a live session."""

    def __init__(self, hub: Hub) -> None:
        self._frames = Frames(hub)

    async def Connect(self, context: Context, caller: Caller) -> None:
        """Runs one session. Raises Fault when it ends with one."""
        loop, link = asyncio.get_running_loop(), GrpcLink(context, caller.peer)
        session = self._frames.connect(link)
        session.ended.add_done_callback(link.stop_reading)
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
                session.ended.remove_done_callback(link.stop_reading)
                session.lost()
                raise
            link.stopped_reading()
        finally:
            writer.cancel()
        if (fault := session.ended.result()) is not None:
            raise fault
