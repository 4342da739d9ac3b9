"""An asyncio event loop whose clock is virtual: it jumps to the next timer when nothing is ready.

So an hour passes in milliseconds, and always in the same order.

Rules:
- `loop.time()` is virtual and starts at START, so code that takes a time for 0 shows. asyncio.sleep, timeout,
  call_later and call_at follow it; `time.time()` does not: hand the code under test a wall clock such as `wall_clock`.
- Only for code without threads and sockets: the loop does not wait for the outside world while a timer is armed.
- A test that hangs fails: at once when nothing can ever happen, and after MAX_REAL_SECONDS of real time otherwise.
"""

import asyncio
import functools
import selectors
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

START = 1000.0
"""What a virtual clock shows at first, in seconds."""
MAX_REAL_SECONDS = 20.0
"""For how long of real time a virtual run may last."""
_EPOCH = 1_800_000_000.0

P = ParamSpec("P")
T = TypeVar("T")


class NothingWillHappen(Exception):
    """The run waits for something that no timer and no task can bring."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop. Use `run_virtual` or `virtual` unless you need it in your hands."""

    def __init__(self) -> None:
        self._now = START
        self._real_limit = time.monotonic() + MAX_REAL_SECONDS
        super().__init__(_Jump(self._jump))

    def time(self) -> float:
        """The virtual time, in seconds."""
        return self._now

    def stall(self, seconds: float) -> None:
        """The loop is held up: time passes, and nothing runs meanwhile."""
        self._now += seconds

    def _jump(self, timeout: float | None) -> None:
        if time.monotonic() > self._real_limit:
            raise NothingWillHappen(
                f"the run took more than {MAX_REAL_SECONDS:.0f} s; it is {self._now} by its own clock"
            )
        if timeout is None:
            raise NothingWillHappen(f"every task waits, and no timer is armed at {self._now}")
        # The exact instant of the timer, where adding `timeout` would miss it by a rounding error.
        self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]


class _Jump(selectors.DefaultSelector):
    """Looks at the real files without waiting, and calls `jump` in place of waiting."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout != 0:
            self._jump(timeout)
        return ready


def run_virtual(scenario: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `scenario` to its end on a loop of its own in virtual time, and returns its result."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(scenario(*args, **kwargs))


def virtual(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Makes an async test a plain one that runs in virtual time; fixtures and Hypothesis see its arguments."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_virtual(test, *args, **kwargs)

    return run


def wall_clock() -> float:
    """Unix time that goes with the virtual clock of the running loop, in seconds."""
    return _EPOCH + asyncio.get_running_loop().time()


async def settle() -> None:
    """Lets everything run that can run without time passing."""
    loop = asyncio.get_running_loop()
    for _ in range(1000):
        await asyncio.sleep(0)
        if not loop._ready:  # type: ignore[attr-defined]
            return
    raise AssertionError("it never settles: something is always ready to run")


async def eventually(condition: Callable[[], object | Awaitable[object]], within: float = 60.0) -> None:
    """Waits until `condition` holds, looking each time that something has run; fails after `within` virtual seconds."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + within
    while not condition():
        if loop.time() >= limit:
            raise AssertionError(f"not so within {within} s")
        await settle()
        if condition():
            return
        nearest: float = min((timer.when() for timer in loop._scheduled), default=limit)  # type: ignore[attr-defined]
        await asyncio.sleep(max(0.0, min(nearest, limit) - loop.time()))
