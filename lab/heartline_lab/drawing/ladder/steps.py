"""What a ladder diagram shows, and what its two forms share: how times read, and where time is cut short. Pure.

Rules:
- Rows stand at equal distances, whatever the time between them: a handshake and an hour of silence fit one picture. A
  silence that dwarfs the rest is marked, so that nobody takes the distance for time.
- Text may come from anywhere: what does not print is shown as one replacement character.
"""

import textwrap
from dataclasses import dataclass
from itertools import pairwise

KINDS = ("", "data", "control", "heartbeat", "fault")
"""What a step may be; "" is none of the others."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that goes from one lane to another, or, where these are the same, happens in it."""

    at: float
    """When it left, in seconds."""
    source: str
    target: str
    label: str
    note: str = ""
    """Stands beside the diagram."""
    lost: bool = False
    """It never arrived."""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """A sequence of steps between lanes. Raises ValueError when a step has a lane or a kind that is not there."""

    title: str
    lanes: tuple[str, ...]
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if len(self.lanes) < 2 or len(set(self.lanes)) < len(self.lanes):
            raise ValueError(f"a ladder has at least two lanes, each with a name of its own, not {self.lanes}")
        for step in self.steps:
            if not {step.source, step.target} <= set(self.lanes):
                raise ValueError(
                    f"{step.label!r} goes from {step.source!r} to {step.target!r}, not between {self.lanes}"
                )
            if step.kind not in KINDS:
                raise ValueError(f"{step.label!r} is of the kind {step.kind!r}, which is none of {KINDS}")

    def times(self) -> list[str]:
        """When each step left, in milliseconds, all with as many decimals as tell the closest two apart."""
        closest = min((gap for gap in self._gaps() if gap > 0), default=1.0)
        decimals = next((n for n in range(3) if closest * 1000 * 10**n > 0.99), 3)
        return [f"{step.at * 1000:.{decimals}f}" for step in self.steps]

    def silences(self) -> list[bool]:
        """Whether a silence that dwarfs the rest comes before each step: ten times a short gap, and 5% of the whole."""
        gaps = self._gaps()
        if not gaps:
            return [False] * len(self.steps)
        long = max(10 * sorted(gaps)[len(gaps) // 4], sum(gaps) / 20)
        return [False, *(gap > long for gap in gaps)]

    def _gaps(self) -> list[float]:
        return [later.at - earlier.at for earlier, later in pairwise(self.steps)]


def printable(text: str) -> str:
    """The text in one line, with a replacement character for each that does not print."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` characters; no line at all when it is empty."""
    return textwrap.wrap(printable(text), width)
