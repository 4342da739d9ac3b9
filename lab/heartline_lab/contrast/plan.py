"""What is measured for the numbers that were asked about, and what a sweep goes through. Pure.

Rules:
- All of the load comes from one machine, so there is a limit to what it can measure before it measures itself. Beyond
  that, fewer clients or events are measured, and that is said: costs are per client and event, and carry over.
- A sweep keeps the workload but for one setting.
"""

import math
from dataclasses import dataclass, replace

from heartline_lab.contrast.results import MODES, Workload
from heartline_lab.contrast.words import many
from heartline_lab.drawing.units import number, span

MOST_CLIENTS = 100
MOST_RATE = 200.0
"""Events a second."""
MOST_DELIVERIES = 1500.0
"""Events a second times clients."""
MOST_POLLS = 300.0
"""Polls a second, of all clients."""
MOST_BYTES = 10e6
"""Bytes of events a second, to all clients."""
LEAST_EVENTS = 3
"""A run has so many at least, or there would be nothing to measure."""

SWEEPS = ("poll_interval_seconds", "rate")
"""The settings that a sweep changes, each alone."""
OVERHEAD = 0.45
"""Seconds that a run takes beside what it measures, more or less."""
RATES = (1.0, 4.0, 16.0, 32.0, 64.0)
"""What a sweep goes through, in events a second."""
SHORTEST_INTERVAL = 0.02
"""The shortest interval between polls in a sweep, in seconds."""


def measurable(asked: Workload) -> tuple[Workload, tuple[str, ...]]:
    """The workload that is measured, and how it differs from what was asked, in sentences."""
    rate = max(min(asked.rate, MOST_RATE), LEAST_EVENTS / asked.seconds)
    fit = min(
        MOST_CLIENTS,
        MOST_DELIVERIES / rate,
        MOST_POLLS * asked.poll_interval_seconds,
        MOST_BYTES / rate / asked.payload,
    )
    clients = max(1, min(asked.clients, math.floor(fit)))
    notes = []
    if clients < asked.clients:
        notes.append(
            f"Measured with {number(clients)} of the {number(asked.clients)} clients: more would measure the limits of "
            "this machine. What one client costs is taken for all, which is on the safe side: a server that is busy "
            "needs less for each."
        )
    if rate < asked.rate:
        notes.append(f"Measured with {many(rate, 'event')} a second instead of {number(asked.rate)}, for that reason.")
    elif rate > asked.rate:
        notes.append(
            f"Measured with {many(rate, 'event')} a second instead of {number(asked.rate)}: a run of "
            f"{span(asked.seconds)} must have some."
        )
    return replace(asked, clients=clients, rate=rate), tuple(notes)


@dataclass(frozen=True, slots=True)
class Task:
    """One run to make."""

    part: str
    """`modes` for the contrast itself, else the setting that a sweep changes."""
    mode: str
    """Empty: publishing alone, at the workload's rate."""
    workload: Workload
    repeat: int = 0

    @property
    def seconds(self) -> float:
        """How long it takes, more or less."""
        return OVERHEAD + self.workload.seconds

    @property
    def title(self) -> str:
        """What it is, for people who wait."""
        what = self.mode or "publishing alone"
        if self.part == "rate":
            return f"{what}, {many(self.workload.rate, 'event')} a second"
        if self.part == "poll_interval_seconds":
            return f"{what}, polls every {span(self.workload.poll_interval_seconds)}"
        return f"{what}, {self.repeat + 1} of {self.workload.repeats}"


def tasks(workload: Workload, sweep: bool) -> list[Task]:
    """All runs in their order: each repeat has every mode once, the next in the other direction; then the sweeps."""
    found = []
    for repeat in range(workload.repeats):
        modes = MODES[::-1] if repeat % 2 else MODES
        found += [Task("modes", mode, workload, repeat) for mode in ("", *modes)]
    if sweep:
        found += [Task("poll_interval_seconds", m, each) for each in _intervals(workload) for m in ("short", "kept")]
        found += [Task("rate", mode, each) for each in _rates(workload) for mode in ("", *MODES)]
    return found


def _rates(workload: Workload) -> list[Workload]:
    fastest, _ = measurable(replace(workload, rate=RATES[-1]))
    slowest = LEAST_EVENTS / workload.seconds
    return [replace(fastest, rate=max(slowest, rate), repeats=1) for rate in RATES if rate > slowest / 2]


def _intervals(workload: Workload) -> list[Workload]:
    around = (workload.poll_interval_seconds * factor for factor in (0.25, 0.5, 1.0, 2.0, 4.0))
    intervals = sorted({max(SHORTEST_INTERVAL, interval) for interval in around})
    shortest, _ = measurable(replace(workload, poll_interval_seconds=intervals[0]))
    return [replace(shortest, poll_interval_seconds=interval, repeats=1) for interval in intervals]
