"""Time for everything in the service that waits: the one place where a clock is read.

Rules: one timer of the event loop for all alarms, armed for the earliest: each of thousands of sessions waits for
something, and an event loop's own timer is several times larger. Alarms that were cancelled go when they are the
earliest, and all at once when they are more than the others.
"""

import asyncio
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

FEW = 100
"""So many cancelled alarms may stay, however few the others are."""


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Takes it back. Harmless when it was made already."""


class _Alarm:
    __slots__ = ("_clock", "callback")

    def __init__(self, clock: "Clock", callback: Callable[[], None]) -> None:
        self._clock = clock
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self._clock.cancelled()

    def ring(self) -> None:
        if self.callback is not None:
            callback, self.callback = self.callback, None
            callback()


class Clock:
    """The running event loop's time. `wall` gives Unix time in seconds, for what people read and stores keep."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        """Seconds on a monotonic clock."""
        self.wall = wall
        self._alarms: list[tuple[float, int, _Alarm]] = []
        self._order = count()
        self._cancelled = 0
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Calls back at `when`, after everything that had been received by then was handled."""
        alarm = _Alarm(self, callback)
        heappush(self._alarms, (when, next(self._order), alarm))
        self._arm()
        return alarm

    def cancelled(self) -> None:
        """One of the alarms was cancelled."""
        self._cancelled += 1
        if self._cancelled > FEW + len(self._alarms) // 2:
            self._alarms = [entry for entry in self._alarms if entry[2].callback is not None]
            self._cancelled = 0
            heapify(self._alarms)
        while self._alarms and self._alarms[0][2].callback is None:
            heappop(self._alarms)
            self._cancelled -= 1
        self._arm()

    def _arm(self) -> None:
        earliest = self._alarms[0][0] if self._alarms else None
        if self._timer is not None:
            if earliest == self._armed_for:
                return
            self._timer.cancel()
        self._timer = None
        if earliest is not None:
            self._armed_for = earliest
            self._timer = self._loop.call_at(earliest, self._ring, earliest)

    def _ring(self, armed_for: float) -> None:
        self._timer = None
        # A loop may call a hair early.
        now = max(armed_for, self.now())
        soon = self._loop.call_soon
        while self._alarms and self._alarms[0][0] <= now:
            alarm = heappop(self._alarms)[2]
            if alarm.callback is None:
                self._cancelled -= 1
            else:
                # After a stall the loop finds alarms and frames due together. The two extra turns let the frames go
                # first, so that nobody is condemned whose answer is already here.
                soon(soon, alarm.ring)
        self._arm()
