"""What a session does beside its reader: acts that wait for the store, bounded in number."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from heartline.v1.session_service_pb2 import ConnectRequest

from heartline_service.faults import Fault

MAX_IN_FLIGHT = 100
"""How many frames of one session may wait for the store; one more is rejected."""
MAX_BYTES_IN_FLIGHT = 16 * 1024 * 1024
"""How large those frames may be together."""


class UnderWay:
    """The acts of one session that are not done yet."""

    __slots__ = ("_bytes", "_frames", "_tasks")

    def __init__(self) -> None:
        # A list, as an idle session holds one: it is a quarter of a set, and it is short.
        self._tasks: list[asyncio.Task[None]] = []
        self._frames = 0
        self._bytes = 0

    def start(
        self,
        frame: ConnectRequest,
        act: Coroutine[None, None, object],
        failed: Callable[[Exception], None],
        bounded: bool,
    ) -> None:
        """Starts an act for a frame; `failed` is told what it raises. Raises Fault beyond the bounds."""
        frames, size = (1, frame.ByteSize()) if bounded else (0, 0)
        if bounded and (self._frames >= MAX_IN_FLIGHT or self._bytes + size > MAX_BYTES_IN_FLIGHT):
            act.close()
            told = f"at most {MAX_IN_FLIGHT} frames of {MAX_BYTES_IN_FLIGHT >> 20} MiB may wait; await answers first"
            raise Fault("TOO_MANY_IN_FLIGHT", told)
        task = asyncio.get_running_loop().create_task(_run(act, failed))
        self._tasks.append(task)
        self._frames += frames
        self._bytes += size

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.remove(task)
            self._frames -= frames
            self._bytes -= size

        task.add_done_callback(done)

    @property
    def idle(self) -> bool:
        """Whether everything is done that was started."""
        return not self._tasks

    def settled(self) -> "asyncio.Future[Any]":
        """It is done when everything is that was started before now."""
        return asyncio.gather(*self._tasks)


async def _run(act: Coroutine[None, None, object], failed: Callable[[Exception], None]) -> None:
    try:
        await act
    except Exception as error:
        failed(error)
