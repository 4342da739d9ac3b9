"""What a session does beside its reader: acts that wait for the store, bounded in number."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

from heartline_service.faults import Fault

MAX_IN_FLIGHT = 100
"""How many frames of one session may wait for the store; one more is rejected."""


class UnderWay:
    """The acts of one session that are not done yet."""

    __slots__ = ("_bounded", "_unbounded")

    def __init__(self) -> None:
        self._bounded: set[asyncio.Task[None]] = set()
        self._unbounded: set[asyncio.Task[None]] = set()

    def start(self, act: Coroutine[None, None, object], failed: Callable[[Exception], None], *, bounded: bool) -> None:
        """Starts an act; `failed` is told what it raises. Raises Fault when too much is under way."""
        tasks = self._bounded if bounded else self._unbounded
        if bounded and len(tasks) >= MAX_IN_FLIGHT:
            act.close()
            raise Fault("TOO_MANY_IN_FLIGHT", f"at most {MAX_IN_FLIGHT} frames may wait; await answers before the next")
        task = asyncio.get_running_loop().create_task(_run(act, failed))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def settled(self) -> Awaitable[object]:
        """Await it, and everything started before now is done."""
        return asyncio.gather(*self._bounded, *self._unbounded)


async def _run(act: Coroutine[None, None, object], failed: Callable[[Exception], None]) -> None:
    try:
        await act
    except Exception as error:
        failed(error)
