"""What was seen of each run, as plain data. Pure."""

from dataclasses import dataclass, field

from heartline_lab.detect.faults import Run, Side


@dataclass(frozen=True, slots=True)
class Notice:
    """A detector spoke: when, and in what words; and when it last heard the peer, if it knows.

    Moments are seconds on the machine's monotonic clock.
    """

    at: float
    how: str
    heard_at: float | None = None


@dataclass(slots=True)
class Observed:
    """One run. `struck_at` is the moment before the fault began, and `took` the seconds until it was in force."""

    run: Run
    struck_at: float = 0.0
    took: float = 0.0
    notices: dict[Side, dict[str, Notice]] = field(default_factory=lambda: {"client": {}, "server": {}})
    lateness: dict[Side, list[tuple[float, float]]] = field(default_factory=lambda: {"client": [], "server": []})
    """When a side's event loop should have woken up, and how many seconds late it did."""

    def late(self, side: Side, until: float) -> float:
        """The most that a side was late between the fault and that moment, in seconds."""
        return max((late for at, late in self.lateness[side] if self.struck_at <= at <= until), default=0.0)
