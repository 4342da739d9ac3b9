"""How the parts of a statement make its verdict. Pure.

Rules:
- A statement is taken apart into what it says. Its main parts are what it is about; the others are what it says when
  it is read to the letter: always, all of them, nothing else.
- A false main part refutes it. When only others are false, it holds within limits.
- Experiments measure facts; whether a part is true is decided from these alone.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Verdict(enum.Enum):
    """What becomes of a statement."""

    HOLDS = "holds"
    WITHIN_LIMITS = "holds within limits"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a statement says, and what was measured about it."""

    says: str
    measured: str
    true: bool
    main: bool = True


def verdict(parts: Sequence[Part]) -> Verdict:
    """The verdict on the statement that has these parts, one of them main at least."""
    if not all(part.true for part in parts if part.main):
        return Verdict.REFUTED
    return Verdict.HOLDS if all(part.true for part in parts) else Verdict.WITHIN_LIMITS


def ms(seconds: float) -> str:
    """A short time, always in milliseconds."""
    return f"{seconds * 1000:.1f} ms"


def s(seconds: float) -> str:
    """A longer time, always in seconds."""
    return f"{seconds:.2f} s"
