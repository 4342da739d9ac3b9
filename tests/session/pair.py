"""Two machines joined by a fake link, in virtual time: the rule of the session with both ends, and no socket.

- Nothing here is random and no clock is read: one schedule gives one trace.
- A link keeps the order of frames and loses none, as TCP does, until it is cut; from then on it swallows them silently.
- A frozen end neither ticks nor reads. At the thaw its overdue tick comes first and then what waited: the worst order.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from heartline.session import EndReason, Heartbeat, HeartbeatAck, Session, State
from heartline.timing import Timing

MOST_STEPS = 100_000
"""A run that takes more steps than this is going round in circles."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Hello or welcome."""


@dataclass(frozen=True, slots=True)
class Events:
    """A batch of events, or of publishes: any frame that is neither of the others."""

    count: int


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The sender ends the session."""


Frame = Opening | Events | Goodbye | Heartbeat | HeartbeatAck


@dataclass(frozen=True, slots=True)
class Sent:
    """One frame as it left."""

    at: float
    by: "End"
    frame: Frame
    swallowed: bool


class End:
    """One end: a machine, and the thin shell around it. The knobs are faults of what it sends, and of itself."""

    def __init__(self, pair: "Pair", name: str, session: Session, latency: float) -> None:
        self.name = name
        self.session = session
        self.latency = latency
        self.cut_at = math.inf
        self.frozen_until = -math.inf
        self.passive = False
        self.heard_at: list[float] = []
        self.verdict_at = math.inf
        self._pair = pair
        self._last_arrival = -math.inf

    @property
    def peer(self) -> "End":
        """The other end."""
        return self._pair.server if self is self._pair.client else self._pair.client

    def send(self, frame: Frame, *, lose: bool = False) -> None:
        """Puts a frame on the link; `lose` swallows this one alone."""
        swallowed = lose or self._pair.now >= self.cut_at
        self._pair.sent.append(Sent(self._pair.now, self, frame, swallowed))
        if not swallowed:
            self._last_arrival = max(self._last_arrival, self._pair.now + self.latency)
            self._pair.at(self._last_arrival, lambda: self.peer.arrive(frame))

    def send_events(self, how_many: int = 1, *, lose: bool = False) -> None:
        """Sends a batch, if the session is open, and counts it."""
        if self.session.state not in (State.OPENING, State.CLOSED):
            self.session.events_sent += how_many
            self.send(Events(how_many), lose=lose)

    def freeze(self, until: float) -> None:
        """From now on this end does nothing, as a stopped process."""
        if self.session.state is not State.CLOSED:
            self.frozen_until = max(self.frozen_until, until)

    def wake_at(self) -> float:
        """When this end ticks next."""
        due = self.session.deadline()
        return math.inf if due is None else max(due, self.frozen_until)

    def tick(self) -> None:
        """The timer fired."""
        beat = self.session.tick(self._pair.now)
        if beat is not None:
            self.send(beat)
        elif self.session.state is State.CLOSED:
            self.verdict_at = self._pair.now
            self.send(Goodbye())

    def arrive(self, frame: Frame) -> None:
        """A frame is here; it is read at once, or at the thaw."""
        if self._pair.now < self.frozen_until:
            self._pair.at(self.frozen_until, lambda: self.arrive(frame))
            return
        if self.session.state is State.CLOSED:
            return
        self.heard_at.append(self._pair.now)
        if isinstance(frame, Opening):
            self.session.open(self._pair.timing, self._pair.now, passive=self.passive)
            if self is self._pair.server:
                self.send(Opening())
        elif isinstance(frame, Goodbye):
            self.session.end(self._pair.now)
        else:
            self._receive(frame)

    def _receive(self, frame: Events | Heartbeat | HeartbeatAck) -> None:
        if isinstance(frame, Events):
            self.session.events_received += frame.count
        answer = self.session.receive(None if isinstance(frame, Events) else frame, self._pair.now)
        if answer is not None:
            self.send(answer)
        if self.session.end_reason is EndReason.EVENTS_LOST:
            self.verdict_at = self._pair.now
            self.send(Goodbye())


class Pair:
    """A client and a server. The client says hello at 0, once the pair first runs."""

    def __init__(
        self,
        timing: Timing | None = None,
        *,
        opening_timeout: float = 10.0,
        latency: float = 0.0,
        jitter: Callable[[], float] = lambda: 0.9,
    ) -> None:
        self.now = 0.0
        self.timing = timing or Timing()
        self.sent: list[Sent] = []
        self._todo: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self.client = End(self, "client", Session(0.0, opening_timeout, jitter), latency)
        self.server = End(self, "server", Session(0.0, opening_timeout), latency)
        self.at(0.0, lambda: self.client.send(Opening()))

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Does something at an instant."""
        heapq.heappush(self._todo, (when, next(self._numbers), action))

    def run(self, until: float) -> None:
        """Lets time pass. At one instant, ticks come before frames."""
        for _ in range(MOST_STEPS):
            first = min((self.client, self.server), key=End.wake_at)
            next_todo = self._todo[0][0] if self._todo else math.inf
            step_at = min(first.wake_at(), next_todo)
            if step_at > until:
                self.now = until
                return
            self.now = max(self.now, step_at)
            if first.wake_at() <= next_todo:
                first.tick()
            else:
                heapq.heappop(self._todo)[2]()
        raise RuntimeError(f"still busy after {MOST_STEPS} steps, at {self.now}")

    def cut(self) -> None:
        """From now on the link swallows all, both ways."""
        self.client.cut_at = self.server.cut_at = self.now

    def frames(self, kind: type[Frame], by: End | None = None) -> list[Sent]:
        """What was sent, of one kind, and by one end if given."""
        return [sent for sent in self.sent if isinstance(sent.frame, kind) and by in (None, sent.by)]
