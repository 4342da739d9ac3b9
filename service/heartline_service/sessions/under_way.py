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

    __slots__ = ("_bounded", "_bytes", "_unbounded")

    def __init__(self) -> None:
        self._bounded: set[asyncio.Task[None]] = set()
        self._unbounded: set[asyncio.Task[None]] = set()
        self._bytes = 0

    def start(
        self,
        frame: ConnectRequest,
        act: Coroutine[None, None, object],
        failed: Callable[[Exception], None],
        bounded: bool,
    ) -> None:
        """Starts an act for a frame; `failed` is told what it raises. Raises Fault beyond the bounds."""
        tasks, size = (self._bounded, frame.ByteSize()) if bounded else (self._unbounded, 0)
        if bounded and (len(tasks) >= MAX_IN_FLIGHT or self._bytes + size > MAX_BYTES_IN_FLIGHT):
            act.close()
            told = f"at most {MAX_IN_FLIGHT} frames of {MAX_BYTES_IN_FLIGHT >> 20} MiB may wait; await answers first"
            raise Fault("TOO_MANY_IN_FLIGHT", told)
        task = asyncio.get_running_loop().create_task(_run(act, failed))
        tasks.add(task)
        self._bytes += size

        def done(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            self._bytes -= size

        task.add_done_callback(done)

    def settled(self) -> "asyncio.Future[Any]":
        """It is done when everything is that was started before now."""
        return asyncio.gather(*self._bounded, *self._unbounded)


async def _run(act: Coroutine[None, None, object], failed: Callable[[Exception], None]) -> None:
    try:
        await act
    except Exception as error:
        failed(error)
