"""The rule book of a session, for both ends: when to send a heartbeat, and when to take the peer for dead.

Pure: no clock, no randomness, no I/O. A shell hands in what it heard and the time, sends what comes back, and arms one
timer for `deadline()`. All times are seconds on one monotonic clock, which only the shell reads.

Rules:
- Any frame from the peer proves that it lives.
- After `interval` of hearing nothing, send a heartbeat. If `timeout` more passes in silence, the peer is dead.
- Times run from the instant that something was due, so a peer is given up within interval + timeout, always.
- A tick that comes late says that this end was held up, not that the peer is gone: it sends a heartbeat and grants a
  full timeout before it judges anyone. A timeout is taken in two parts, so that one hold-up cannot hide in all of it:
  a peer that answers within half of the timeout is never given up, however long and often this end is held up.
- An illegal input raises and changes nothing.

TRANSITIONS is the whole behaviour; docs/protocol.md draws its table from it.
"""

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass

from heartline.timing import Timing

LATE_SHARE = 0.25
"""A tick is late when it comes more than this share of the timeout after it was due. It is also the share that is left
when an end begins to doubt."""


class State(enum.Enum):
    """What this end knows of the other."""

    OPENING = "opening"
    OPEN = "open"
    PROBING = "probing"
    DOUBTING = "doubting"
    LISTENING = "listening"
    CLOSED = "closed"
    __hash__ = object.__hash__  # Enum's is written in Python, and would be called several times for each frame.


class Input(enum.Enum):
    """What can happen to a session."""

    OPENED = "hello or welcome came"
    OPENED_PASSIVE = "hello or welcome of a passive session came"
    HEARD = "any frame came"
    HALF_CLOSED = "the client closed its sending side"
    DUE = "the deadline came"
    DUE_LATE = "the deadline came, and the tick was late"
    EVENTS_LOST = "the peer sent more events than came"
    ENDED = "goodbye, or the connection was lost"
    __hash__ = object.__hash__


class Step(enum.Enum):
    """What to do on a transition."""

    AWAIT_OPENING = "wait the whole opening timeout again"
    AWAIT_SILENCE = "next deadline: interval after the last frame heard"
    BEAT_FROM_DUE = "send a heartbeat; next deadline: 3/4 of the timeout after the due instant"
    BEAT_FROM_NOW = "send a heartbeat; next deadline: 3/4 of the timeout from now"
    AWAIT_REST = "next deadline: when the whole timeout is over"
    LISTEN = "no deadline: the transport's keepalive judges"
    STOP = "no deadline; the session is over"


TRANSITIONS: dict[tuple[State, Input], tuple[State, Step]] = {
    (State.OPENING, Input.OPENED): (State.OPEN, Step.AWAIT_SILENCE),
    (State.OPENING, Input.OPENED_PASSIVE): (State.LISTENING, Step.LISTEN),
    (State.OPENING, Input.DUE): (State.CLOSED, Step.STOP),
    (State.OPENING, Input.DUE_LATE): (State.OPENING, Step.AWAIT_OPENING),
    (State.OPENING, Input.ENDED): (State.CLOSED, Step.STOP),
    (State.OPEN, Input.HEARD): (State.OPEN, Step.AWAIT_SILENCE),
    (State.OPEN, Input.DUE): (State.PROBING, Step.BEAT_FROM_DUE),
    (State.OPEN, Input.DUE_LATE): (State.PROBING, Step.BEAT_FROM_NOW),
    (State.OPEN, Input.HALF_CLOSED): (State.LISTENING, Step.LISTEN),
    (State.OPEN, Input.EVENTS_LOST): (State.CLOSED, Step.STOP),
    (State.OPEN, Input.ENDED): (State.CLOSED, Step.STOP),
    (State.PROBING, Input.HEARD): (State.OPEN, Step.AWAIT_SILENCE),
    (State.PROBING, Input.DUE): (State.DOUBTING, Step.AWAIT_REST),
    (State.PROBING, Input.DUE_LATE): (State.PROBING, Step.BEAT_FROM_NOW),
    (State.PROBING, Input.HALF_CLOSED): (State.LISTENING, Step.LISTEN),
    (State.PROBING, Input.EVENTS_LOST): (State.CLOSED, Step.STOP),
    (State.PROBING, Input.ENDED): (State.CLOSED, Step.STOP),
    (State.DOUBTING, Input.HEARD): (State.OPEN, Step.AWAIT_SILENCE),
    (State.DOUBTING, Input.DUE): (State.CLOSED, Step.STOP),
    (State.DOUBTING, Input.DUE_LATE): (State.PROBING, Step.BEAT_FROM_NOW),
    (State.DOUBTING, Input.HALF_CLOSED): (State.LISTENING, Step.LISTEN),
    (State.DOUBTING, Input.EVENTS_LOST): (State.CLOSED, Step.STOP),
    (State.DOUBTING, Input.ENDED): (State.CLOSED, Step.STOP),
    (State.LISTENING, Input.HEARD): (State.LISTENING, Step.LISTEN),
    (State.LISTENING, Input.HALF_CLOSED): (State.LISTENING, Step.LISTEN),
    (State.LISTENING, Input.EVENTS_LOST): (State.CLOSED, Step.STOP),
    (State.LISTENING, Input.ENDED): (State.CLOSED, Step.STOP),
}


class EndReason(enum.Enum):
    """Why a session is over."""

    OPENING_TIMEOUT = "the peer did not open the session in time"
    HEARTBEAT_TIMEOUT = "the peer answered no heartbeat"
    EVENTS_LOST = "the peer sent more events than came"
    ENDED = "goodbye, or the connection was lost"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A question: do you live?"""

    sequence: int
    events_sent: int


@dataclass(frozen=True, slots=True)
class HeartbeatAck:
    """Its answer."""

    sequence: int
    events_sent: int


class IllegalInput(Exception):
    """The input cannot happen in this state. Nothing was changed."""


class UnknownHeartbeat(Exception):
    """The peer answered a heartbeat that was never sent. Nothing was changed."""


class Session:
    """One end of one session.

    `jitter` gives the share of the interval after which this end beats, drawn anew for each: 0.8 to 0.95 on clients, so
    that the two ends do not beat at once, and 1 on servers. Count events in `events_sent` when they are written, not
    before: a heartbeat may overtake a batch that still waits. Count them in `events_received` before `receive`.
    """

    __slots__ = (
        "_beat_sent_at",
        "_deadline",
        "_jitter",
        "_sequence",
        "_wait",
        "end_reason",
        "events_received",
        "events_sent",
        "heard_at",
        "opening_timeout",
        "round_trip",
        "state",
        "timing",
    )

    def __init__(self, now: float, opening_timeout: float, jitter: Callable[[], float] = lambda: 1.0) -> None:
        self.state = State.OPENING
        self.end_reason: EndReason | None = None
        self.timing = Timing()
        self.opening_timeout = opening_timeout
        self.heard_at = now
        self.round_trip: float | None = None
        self.events_sent = 0
        self.events_received = 0
        self._jitter = jitter
        self._sequence = 0
        self._beat_sent_at = now
        self._wait = opening_timeout
        self._deadline = now + opening_timeout

    def deadline(self) -> float | None:
        """The instant at which to call `tick`, or None when nothing is due. It may move with every other call."""
        return None if self._deadline == math.inf else self._deadline

    def open(self, timing: Timing, now: float, *, passive: bool = False) -> None:
        """Hello came (on a server) or welcome (on a client), and these settings are in force.

        Raises IllegalInput when the session is open already, or over.
        """
        self._step_for(Input.OPENED)
        self.timing, self.heard_at = timing, now
        self._apply(Input.OPENED_PASSIVE if passive else Input.OPENED, now)

    def receive(self, frame: Heartbeat | HeartbeatAck | None, now: float) -> HeartbeatAck | None:
        """A frame came; None stands for any but the two. Returns what to answer, at once and before other work.

        Raises UnknownHeartbeat for an answer to a heartbeat that was never sent, IllegalInput before the session is
        open or after it is over.
        """
        self._step_for(Input.HEARD)
        if isinstance(frame, HeartbeatAck) and not 0 < frame.sequence <= self._sequence:
            raise UnknownHeartbeat(f"heartbeat {frame.sequence} was never sent; the last one was {self._sequence}")
        self.heard_at = now
        if frame is None:
            self._apply(Input.HEARD, now)
            return None
        lost = frame.events_sent > self.events_received
        self._apply(Input.EVENTS_LOST if lost else Input.HEARD, now)
        if isinstance(frame, Heartbeat):
            return None if lost else HeartbeatAck(frame.sequence, self.events_sent)
        if frame.sequence == self._sequence:
            self.round_trip = now - self._beat_sent_at
        return None

    def half_close(self, now: float) -> None:
        """The client closed its sending side: it can answer nothing any more. Raises IllegalInput unless open."""
        self._apply(Input.HALF_CLOSED, now)

    def end(self, now: float) -> None:
        """A goodbye was said, or the connection was lost. Raises IllegalInput when it is over already."""
        self._apply(Input.ENDED, now)

    def tick(self, now: float) -> Heartbeat | None:
        """Time has passed. Returns a heartbeat to send, if one is due; look at `state` for the verdict."""
        due = self._deadline
        if now < due:
            return None
        patience = self.opening_timeout if self.state is State.OPENING else self.timing.timeout
        late = now - due > LATE_SHARE * patience
        step = self._apply(Input.DUE_LATE if late else Input.DUE, now)
        if step is not Step.BEAT_FROM_DUE and step is not Step.BEAT_FROM_NOW:
            return None
        self._sequence += 1
        self._beat_sent_at = now
        return Heartbeat(self._sequence, self.events_sent)

    def _step_for(self, what: Input) -> tuple[State, Step]:
        try:
            return TRANSITIONS[self.state, what]
        except KeyError:
            raise IllegalInput(f"{what.name} in state {self.state.name}") from None

    def _apply(self, what: Input, now: float) -> Step:
        before = self.state
        self.state, step = self._step_for(what)
        if step is Step.AWAIT_SILENCE:
            if before is not State.OPEN:
                self._wait = self.timing.interval * self._jitter()
            self._deadline = self.heard_at + self._wait
        elif step is Step.BEAT_FROM_DUE:
            self._deadline += self.timing.timeout * (1 - LATE_SHARE)
        elif step is Step.BEAT_FROM_NOW:
            self._deadline = now + self.timing.timeout * (1 - LATE_SHARE)
        elif step is Step.AWAIT_REST:
            self._deadline += self.timing.timeout * LATE_SHARE
        elif step is Step.AWAIT_OPENING:
            self._deadline = now + self.opening_timeout
        else:
            self._deadline = math.inf
        if self.state is State.CLOSED:
            self.end_reason = _end_reason(before, what)
        return step


def _end_reason(before: State, what: Input) -> EndReason:
    if what is Input.EVENTS_LOST:
        return EndReason.EVENTS_LOST
    if what is Input.ENDED:
        return EndReason.ENDED
    return EndReason.OPENING_TIMEOUT if before is State.OPENING else EndReason.HEARTBEAT_TIMEOUT
