"""From what was seen in each repeat to the figures that are shown. Pure.

Rules:
- A figure is the median of the repeats, and of an even number the lower middle one, so that a count stays one; its
  spread is the lowest and the highest.
- Loss and repetition are counted from ids: an event is lost when it was published and a client never handled it, and
  each further time that a client handles it is a duplicate. They are told of the repeat that did worst.
- A percentile is the smallest sample that at least so many of the samples do not exceed (nearest rank).
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median_low
from typing import Any, TypeVar

from heartline_lab.contrast.results import ModeResult, Opening, Percentiles, SweepPoint, Traffic
from heartline_lab.drawing.ladder.steps import Step

_Item = TypeVar("_Item")

MOST_SAMPLES = 1000
"""So many latencies are kept for a plot."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the events of one run."""

    delivered: int
    lost: int
    duplicated: int


@dataclass(frozen=True, slots=True)
class Span:
    """What box and server counted over a time."""

    connections: int
    bytes_up: int
    bytes_down: int
    segments_up: int
    segments_down: int
    server_cpu_us: float
    """Publishing included."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen of one mode in one repeat."""

    delivery: Delivery
    latencies_ms: tuple[float, ...]
    answers_ms: tuple[float, ...]
    """How long each call took that did not wait for news."""
    calls: int
    empty_calls: int
    span: Span
    """Of the run itself."""
    opening: Span
    """Of getting ready for it."""
    published: int
    client_wakeups: int
    seconds: float
    traffic: tuple[Traffic, ...]
    way: tuple[Step, ...]

    @property
    def connections(self) -> int:
        """How many were opened for the run, before it and in it."""
        return self.opening.connections + self.span.connections


def percentile(ordered: Sequence[float], share: float) -> float:
    """That share (above 0, up to 1) of the ordered samples are not above it. Raises IndexError when there are none."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def percentiles(samples: Iterable[float]) -> Percentiles:
    """The three that are shown."""
    ordered = sorted(samples)
    return Percentiles(*(percentile(ordered, share) for share in (0.5, 0.95, 0.99)))


def evenly(ordered: Sequence[_Item], most: int) -> tuple[_Item, ...]:
    """All of them, or `most` that are evenly picked, the first and the last among them."""
    if len(ordered) <= most:
        return tuple(ordered)
    return tuple(ordered[round(index * (len(ordered) - 1) / (most - 1))] for index in range(most))


def deliveries(published: Collection[int], handled: Iterable[Iterable[int]]) -> Delivery:
    """What became of the published events, from the ids that each client handled, in any order."""
    delivered = lost = duplicated = 0
    for ids in handled:
        times = Counter(ids)
        delivered += sum(times[number] > 0 for number in published)
        lost += sum(times[number] == 0 for number in published)
        duplicated += sum(count - 1 for count in times.values())
    return Delivery(delivered, lost, duplicated)


def push_cost(run: Run, publish_cpu_us: float) -> float:
    """The server's CPU time of a run, in microseconds, without what its publishes cost."""
    return run.span.server_cpu_us - publish_cpu_us * run.published


def summary(mode: str, runs: Sequence[Run], publish_cpu_us: float, vanished: Sequence[float]) -> ModeResult:
    """A mode's figures, from its repeats, what a Publish costs the server, and how long vanished clients stayed online.

    Raises IndexError when a repeat delivered nothing.
    """
    seen: dict[str, Sequence[float]] = {name: [attrgetter(path)(run) for run in runs] for name, path in _SEEN.items()}
    for name in ("p50", "p95", "p99"):
        seen[f"latency_ms.{name}"] = [getattr(percentiles(run.latencies_ms), name) for run in runs]
    seen["server_cpu_us_per_event"] = [push_cost(run, publish_cpu_us) / run.delivery.delivered for run in runs]
    seen["online_after_vanishing_seconds"] = vanished
    worst = {"delivered": min, "lost": max, "duplicated": max}
    value: dict[str, Any] = {name: worst.get(name, median_low)(column) for name, column in seen.items()}
    latency = Percentiles(*(value.pop(f"latency_ms.{name}") for name in ("p50", "p95", "p99")))
    return ModeResult(
        mode=mode,
        latency_ms=latency,
        opening=Opening(
            **{name: median_low(getattr(run.opening, name) for run in runs) for name in _SPAN},
            server_cpu_ms=median_low(run.opening.server_cpu_us for run in runs) / 1000,
        ),
        spread={name: (min(column), max(column)) for name, column in seen.items()},
        latency_samples_ms=evenly(sorted(sample for run in runs for sample in run.latencies_ms), MOST_SAMPLES),
        traffic=runs[-1].traffic,
        way=runs[-1].way,
        **value,
    )


def point(mode: str, value: float, clients: int, run: Run, publish_cpu_us: float) -> SweepPoint:
    """What a run of a sweep says, at that value of what it changes. Raises IndexError when it delivered nothing."""
    client_seconds = clients * run.seconds
    return SweepPoint(
        mode=mode,
        value=value,
        latency_ms=percentiles(run.latencies_ms),
        server_cpu_us_per_client_second=push_cost(run, publish_cpu_us) / client_seconds,
        bytes_per_client_second=(run.span.bytes_up + run.span.bytes_down) / client_seconds,
        calls_per_client_second=run.calls / client_seconds,
        empty_share=run.empty_calls / run.calls,
        lost=run.delivery.lost,
        duplicated=run.delivery.duplicated,
    )


_SPAN = ("connections", "bytes_up", "bytes_down", "segments_up", "segments_down")
_SEEN = {
    "delivered": "delivery.delivered",
    "lost": "delivery.lost",
    "duplicated": "delivery.duplicated",
    "calls": "calls",
    "empty_calls": "empty_calls",
    **{name: f"span.{name}" for name in _SPAN},
    "connections": "connections",
    "client_wakeups": "client_wakeups",
    "run_seconds": "seconds",
}
