"""Time for everything in the service that waits: the one place where a clock is read."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Takes it back. Harmless when it was made already."""


class Clock:
    """The running event loop's time. `wall` gives Unix time in seconds, for what people read and stores keep."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        """Seconds on a monotonic clock."""
        self.wall = wall

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Calls back at `when`, after everything that had been received by then was handled.

        After a stall the loop finds timers and frames due together. The two extra turns let the frames go first, so
        that nobody is condemned whose answer is already here.
        """
        soon = self._loop.call_soon
        return self._loop.call_at(when, soon, soon, callback)
