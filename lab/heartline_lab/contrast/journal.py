"""What publisher and subscribers write down, for others to judge. Pure.

Rule: moments are of the machine's monotonic clock, in nanoseconds, the same for every process.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Published:
    """One event at the publisher; its number is its place in the list."""

    begun_ns: int
    answered_ns: int


@dataclass(slots=True)
class Journal:
    """What one client did and got."""

    arrivals: list[tuple[int, int]] = field(default_factory=list)
    """Each event's number, and when the handler had it."""
    calls: list[tuple[int, int, int]] = field(default_factory=list)
    """Each call's begin and end, and how many events it brought."""
    pending_ns: int | None = None
    """When the call began that is not answered yet."""
    opened_ns: int = 0
    """When the client was ready; 0 for one that has nothing to open."""
