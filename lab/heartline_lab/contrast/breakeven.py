"""Where pushing and asking cost the same, read off measurements at several event rates. Pure.

Rules:
- Two lines cross between two rates at which each was measured and at which the cheaper one changes. Between them both
  are taken to run straight on paper where each division is ten times the one before (logarithms), as costs and rates
  span several of these.
- Where they do not cross, nothing is guessed: what was cheaper throughout is said, and over which rates.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from heartline_lab.contrast.results import BreakEven, Sweep, SweepPoint
from heartline_lab.drawing.units import number

MEASURES: dict[str, tuple[str, str, Callable[[SweepPoint], float]]] = {
    "server_cpu": ("less", "server CPU", lambda point: point.server_cpu_us_per_client_second),
    "bytes": ("fewer", "bytes", lambda point: point.bytes_per_client_second),
}
"""What is compared: how less of it is called, its name, and where it stands."""
PUSH = "stream"
LEAST = 1e-3
"""Costs lower than this are noise around nothing, and count as this much."""


def break_evens(sweep: Sweep) -> tuple[BreakEven, ...]:
    """Each other mode against pushing, in each measure, from a sweep over event rates."""
    modes = dict.fromkeys(point.mode for point in sweep.points if point.mode != PUSH)
    return tuple(_break_even(sweep.points, mode, measure) for measure in MEASURES for mode in modes)


def crossing(rates: Sequence[float], ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """The lowest rate at which `ours` stops being cheaper, or starts to be; None when neither happens."""
    gaps = [math.log(max(our, LEAST) / max(their, LEAST)) for our, their in zip(ours, theirs, strict=True)]
    for (low, before), (high, after) in pairwise(zip(rates, gaps, strict=True)):
        if before == 0:
            return low
        if before * after < 0:
            share = before / (before - after)
            return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return None


def _break_even(points: Sequence[SweepPoint], mode: str, measure: str) -> BreakEven:
    less, words, cost = MEASURES[measure]
    ours = {point.value: cost(point) for point in points if point.mode == PUSH}
    theirs = {point.value: cost(point) for point in points if point.mode == mode}
    rates = sorted(ours.keys() & theirs.keys())
    rate = crossing(rates, [ours[each] for each in rates], [theirs[each] for each in rates])
    cheaper = ours[rates[0]] < theirs[rates[0]]
    low, high = (less, "more") if cheaper else ("more", less)
    if rate is None:
        over = f"from {number(rates[0])} to {number(rates[-1])} events a second"
        text = f"Pushing takes {low} {words} than {mode} at every rate measured, {over}."
    else:
        text = f"Pushing takes {low} {words} than {mode} below about {number(rate)} events a second, {high} above."
    return BreakEven(mode, measure, rate, text)
