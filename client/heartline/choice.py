"""What transport="auto" decides: whether the stream or polling carries the line, and when to try the stream again.

Pure: no clock, no I/O. A shell hands in what happened and does what `state` says.

Rules:
- The stream is preferred. Polling takes over where a stream cannot be held: it is refused while Heartline may be behind
  it; swallowed, so that no welcome comes; or it fails MAX_FAILURES times in a row, young or before it opened.
- While polling, the stream is tried beside it, after PROBE_FIRST seconds at first, then at growing distances. Polling
  stops when the new stream is open, so nothing is missed on the way.
- When polling fails too, nobody can be reached: back to trying the stream.
- Only a stream that grew old, or that the server itself ended, wipes out what happened before: one that opens and is
  cut again falls back at once.

TRANSITIONS is the whole behaviour.
"""

import enum

MAX_FAILURES = 3
"""This many streams that fail in a row are a network that does not want streams."""
OLD_AGE = 60.0
"""A stream that lived for this many seconds was held. By default a dead one is noticed after 25 s, so no less."""
PROBE_FIRST = 5.0
"""How long to poll before the stream is tried again, in seconds."""
PROBE_MAX = 60.0
"""The longest time between two tries, in seconds: each costs a connection that will probably fail."""


class State(enum.Enum):
    """What carries the line, and what is tried."""

    TRYING = "the stream is tried; nothing carries the line"
    STREAMING = "the stream carries the line"
    POLLING = "polling carries the line"
    PROBING = "polling carries the line, and the stream is tried beside it"


class Happened(enum.Enum):
    """What can happen."""

    WELCOMED = "a stream is open"
    REFUSED = "a stream was refused"
    SWALLOWED = "no welcome came in time"
    FAILED = "a stream could not be opened, or was cut young"
    FAILED_AGAIN = "the same, for the MAX_FAILURES-th time in a row or later"
    LEFT = "a stream that was held has ended, or the server itself said not now"
    PROBE_DUE = "it is time to try the stream again"
    UNREACHED = "polling got no answer"


TRANSITIONS: dict[tuple[State, Happened], State] = {
    (State.TRYING, Happened.WELCOMED): State.STREAMING,
    (State.TRYING, Happened.REFUSED): State.POLLING,
    (State.TRYING, Happened.SWALLOWED): State.POLLING,
    (State.TRYING, Happened.FAILED): State.TRYING,
    (State.TRYING, Happened.FAILED_AGAIN): State.POLLING,
    (State.TRYING, Happened.LEFT): State.TRYING,
    (State.STREAMING, Happened.FAILED): State.TRYING,
    (State.STREAMING, Happened.FAILED_AGAIN): State.POLLING,
    (State.STREAMING, Happened.LEFT): State.TRYING,
    (State.POLLING, Happened.PROBE_DUE): State.PROBING,
    (State.POLLING, Happened.UNREACHED): State.TRYING,
    (State.PROBING, Happened.WELCOMED): State.STREAMING,
    (State.PROBING, Happened.REFUSED): State.POLLING,
    (State.PROBING, Happened.SWALLOWED): State.POLLING,
    (State.PROBING, Happened.FAILED): State.POLLING,
    (State.PROBING, Happened.FAILED_AGAIN): State.POLLING,
    (State.PROBING, Happened.LEFT): State.POLLING,
    (State.PROBING, Happened.UNREACHED): State.TRYING,
}


class Choice:
    """The decision, step by step. `probe_after` is how many seconds to poll before the stream is tried again."""

    def __init__(self) -> None:
        self.state = State.TRYING
        self.probe_after = PROBE_FIRST
        self._failures = 0

    def note(self, what: Happened) -> State:
        """Takes in what happened and returns what carries the line now. Raises KeyError where it cannot happen."""
        failures = self._failures + 1 if what is Happened.FAILED else self._failures
        if what is Happened.FAILED and failures >= MAX_FAILURES:
            what = Happened.FAILED_AGAIN
        before, self.state = self.state, TRANSITIONS[self.state, what]
        self._failures = failures
        if what is Happened.LEFT:
            self._failures, self.probe_after = 0, PROBE_FIRST
        elif what is Happened.UNREACHED:
            self._failures = 0
        elif before is State.PROBING and self.state is State.POLLING:
            self.probe_after = min(PROBE_MAX, self.probe_after * 2)
        return self.state
