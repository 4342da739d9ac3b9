"""The state of a line as its user sees it: kept, logged, and told to callbacks.

What a callback raises is logged and changes nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal, TypeVar

from heartline.events import LineState

StateName = Literal["connecting", "online", "waiting", "polling", "closed"]
T = TypeVar("T")
log = logging.getLogger("heartline")


class Reporter:
    """Keeps the state. `name` is the line's in the log; `settled` is set unless it is connecting."""

    def __init__(
        self,
        name: str,
        on_state: Callable[[LineState], None] | None,
        on_heartbeat: Callable[[float], None] | None,
    ) -> None:
        self._name = name
        self.state = LineState("connecting", "the line is new")
        self.settled = asyncio.Event()
        self._on_state = on_state
        self._on_heartbeat = on_heartbeat

    def enter(self, name: StateName, reason: str) -> None:
        """The line is in this state from now on."""
        state = LineState(name, reason)
        if state == self.state:
            return
        self.state = state
        if name == "connecting":
            self.settled.clear()
        else:
            self.settled.set()
        log.info("%s is %s: %s", self._name, name, reason)
        _call(self._on_state, state)

    def beat(self, round_trip: float) -> None:
        """A heartbeat was answered after so many seconds."""
        _call(self._on_heartbeat, round_trip)


def _call(callback: Callable[[T], None] | None, value: T) -> None:
    if callback is not None:
        try:
            callback(value)
        except Exception:
            log.exception("a callback failed; the line goes on")
