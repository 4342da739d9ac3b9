"""Which mode to take for one's own numbers, in plain words, and what would change that. Pure.

Rules:
- Of the modes that keep news fresh enough, the one is advised that costs the server the least CPU. One that costs at
  most a tenth more is preferred to it when its news is fresher: that much is noise.
- When no mode is fresh enough, the freshest is advised, and said to be not fresh enough.
- The advice says from where on it would be another: at which rate of events, and at which freshness.
"""

from collections.abc import Callable

from heartline_lab.contrast.costs import Costs, choices
from heartline_lab.contrast.results import Advice, Choice
from heartline_lab.contrast.words import cores, many, rounded
from heartline_lab.drawing.units import number, size, span

TIE = 1.1
"""Costs that differ by no more than this factor count as the same."""
FURTHEST = 1000.0
"""The rate and the freshness are looked through up to so many times more, and less."""
STEP = 1.05
"""The factor between two looks."""
BUSY = 0.7
"""A server uses little more than one core; from this share of one on, that is said."""

NAMES = {
    "short": "polls over a new connection each",
    "kept": "polls over a kept connection",
    "long-poll": "long polls",
    "stream": "a stream",
}
"""Each mode in a sentence."""


def pick(options: tuple[Choice, ...]) -> Choice:
    """The one to take."""
    fresh = [each for each in options if each.fresh]
    if not fresh:
        return min(options, key=lambda each: each.staleness_seconds)
    least = min(each.server_cores for each in fresh)
    return min(
        (each for each in fresh if each.server_cores <= least * TIE),
        key=lambda each: (each.staleness_seconds, each.server_cores),
    )


def advise(costs: Costs, publish_cpu_us: float, clients: int, rate: float, fresh_within: float) -> Advice:
    """The advice for so many clients and events a second, with news at most so many seconds old."""
    options = choices(costs, clients, rate, fresh_within)
    best = pick(options)
    others = [each for each in options if each is not best and each.fresh]
    text = [_what(best, clients, rate, fresh_within)]
    if others:
        text.append(_instead(best, min(others, key=lambda each: each.server_cores)))
    text.append(_changes(costs, best, clients, rate, fresh_within))
    text.append(_publishing(publish_cpu_us * rate / 1e6, best))
    return Advice(
        clients=clients,
        rate=rate,
        fresh_within_seconds=fresh_within,
        mode=best.mode,
        poll_interval_seconds=best.poll_interval_seconds,
        choices=options,
        text=tuple(text),
    )


def turning_point(mode_at: Callable[[float], str], here: float, factor: float) -> tuple[float, str] | None:
    """Where another mode takes over, going from `here` by factors of STEP, up or (below 1) down, and which it is."""
    mode, at = mode_at(here), here
    while max(at / here, here / at) < FURTHEST:
        at *= factor
        if (other := mode_at(at)) != mode:
            return at, other
    return None


def _what(best: Choice, clients: int, rate: float, fresh_within: float) -> str:
    asked = f"{many(clients, 'client')}, {many(rate, 'event')} a second, news at most {span(fresh_within)} old"
    costs = f"costs the server {cores(best.server_cores)} and {size(best.bytes_per_second)} a second; {_fresh(best)}"
    if best.fresh:
        return f"For {asked}: take {_named(best)}. This {costs}."
    return f"For {asked}: no mode is fresh enough here. The freshest is {_named(best)}. This {costs}."


def _instead(best: Choice, other: Choice) -> str:
    return (
        f"Second is {_named(other)}, with {_times(other.server_cores, best.server_cores)} the server's CPU and "
        f"{_times(other.bytes_per_second, best.bytes_per_second)} the bytes; {_fresh(other)}."
    )


def _changes(costs: Costs, best: Choice, clients: int, rate: float, fresh_within: float) -> str:
    def by_rate(other: float) -> str:
        return pick(choices(costs, clients, other, fresh_within)).mode

    def by_freshness(other: float) -> str:
        return pick(choices(costs, clients, rate, other)).mode

    found = [
        ("above about {} events a second", number, turning_point(by_rate, rate, STEP)),
        ("below about {} events a second", number, turning_point(by_rate, rate, 1 / STEP)),
        ("where news may be about {} old", span, turning_point(by_freshness, fresh_within, STEP)),
    ]
    if best.poll_interval_seconds:  # what pushes is as fresh as can be: how fresh exactly is noise
        earlier = turning_point(by_freshness, fresh_within, 1 / STEP)
        found.append(("where news must be fresher than about {}", span, earlier))
    turns: dict[str, list[str]] = {}
    for words, form, turn in found:
        if turn is not None:
            turns.setdefault(NAMES[turn[1]], []).append(words.format(form(rounded(turn[0]))))
    if not turns:
        return f"No other rate of events and no other freshness would change that, up to {FURTHEST:,.0f} times."
    told = [f"{mode} {', or '.join(where)}" for mode, where in turns.items()]
    return f"It would be {'; '.join(told)}."


def _publishing(busy: float, best: Choice) -> str:
    told = f"Publishing costs another {cores(busy)}, whichever it is."
    total = busy + best.server_cores
    if total > 1:
        return f"{told} Together that is more than one server can do: it uses little more than one core."
    return (
        f"{told} Together that leaves a server little room: it uses little more than one core."
        if total > BUSY
        else told
    )


def _named(choice: Choice) -> str:
    every = choice.poll_interval_seconds
    return NAMES[choice.mode] + (f", every {span(every)}" if every else "")


def _fresh(choice: Choice) -> str:
    if choice.poll_interval_seconds is None:
        return f"99 of 100 events arrive within {span(choice.staleness_seconds)}"
    return f"an event is at most {span(choice.staleness_seconds)} old when it arrives"


def _times(value: float, base: float) -> str:
    return f"{number(rounded(value / base))} x" if base > 0 else "more than"
