"""The tables of a contrast, for its page: a row for each figure, a cell for each mode, with the spread. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from heartline_lab.contrast.results import Advice, Choice, Contrast, ModeResult
from heartline_lab.contrast.words import cores, many
from heartline_lab.drawing.units import number, size, span

_Form = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one mode."""

    text: str
    spread: str
    """From the lowest to the highest repeat; empty when all read the same."""
    share: float | None
    """Of the largest in its row, from 0 to 1; None where more is not worse."""
    bad: bool
    """Whether it tells of a loss."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of each mode."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that answer one question."""

    title: str
    rows: tuple[Row, ...]


def groups(contrast: Contrast) -> tuple[Group, ...]:
    """The whole table."""
    modes = contrast.modes

    def cost(label: str, name: str, form: _Form) -> Row:
        largest = max((_figure(mode, name) for mode in modes), default=0)
        return Row(label, tuple(_cell(mode, name, form, share_of=largest) for mode in modes))

    def loss(label: str, name: str) -> Row:
        return Row(label, tuple(_cell(mode, name, number, bad=_figure(mode, name) > 0) for mode in modes))

    expected = contrast.workload.clients * contrast.workload.events
    delivered = tuple(_cell(m, "delivered", number, bad=m.delivered < expected) for m in modes)
    return (
        Group(
            "What arrived",
            (
                Row(f"Delivered, of {number(expected)}", delivered),
                loss("Lost", "lost"),
                loss("Repeated", "duplicated"),
            ),
        ),
        Group(
            "How soon: from publish to handler",
            (
                cost("Median", "latency_ms.p50", _ms),
                cost("95 of 100 within", "latency_ms.p95", _ms),
                cost("99 of 100 within", "latency_ms.p99", _ms),
            ),
        ),
        Group(
            "What it took",
            (
                cost("Calls made", "calls", number),
                cost("of them with an empty answer", "empty_calls", number),
                cost("TCP connections opened", "connections", number),
                cost("Bytes to the server", "bytes_up", size),
                cost("Bytes to the clients", "bytes_down", size),
                cost("Segments to the server", "segments_up", number),
                cost("Segments to the clients", "segments_down", number),
                cost("Server CPU for a delivered event", "server_cpu_us_per_event", lambda us: span(us / 1e6)),
                cost("Client wake-ups", "client_wakeups", number),
            ),
        ),
        Group(
            "When a client vanishes",
            (cost("Still counts as online for", "online_after_vanishing_seconds", span),),
        ),
    )


def choices(advice: Advice) -> tuple[Row, ...]:
    """What each mode would cost for the numbers that were asked about."""

    def cost(label: str, of: Callable[[Choice], float], form: _Form) -> Row:
        largest = max(map(of, advice.choices), default=0)
        shares = [of(choice) / largest if largest > 0 else 0.0 for choice in advice.choices]
        return Row(label, tuple(Cell(form(of(c)), "", s, False) for c, s in zip(advice.choices, shares, strict=True)))

    return (
        Row("Polls every", tuple(map(_interval, advice.choices))),
        Row(f"How old news gets; wanted: {span(advice.fresh_within_seconds)}", tuple(map(_age, advice.choices))),
        cost("Server kept busy", lambda choice: choice.server_cores, cores),
        cost("Bytes a second", lambda choice: choice.bytes_per_second, size),
        cost("Calls a second", lambda choice: choice.calls_per_second, number),
    )


def _interval(choice: Choice) -> Cell:
    if choice.poll_interval_seconds is not None:
        return Cell(span(choice.poll_interval_seconds), "", None, False)
    return Cell("-", "", None, False) if choice.fresh else Cell("no interval will do", "", None, True)


def _age(choice: Choice) -> Cell:
    return Cell(span(choice.staleness_seconds), "" if choice.fresh else "too old", None, not choice.fresh)


def spread(low: float, high: float, form: _Form) -> str:
    """A range, with the unit once where both ends have the same; empty when both read the same."""
    (first, _, unit), last = form(low).partition(" "), form(high)
    if form(low) == last:
        return ""
    return f"{first}–{last}" if unit == last.partition(" ")[2] else f"{form(low)} – {last}"  # noqa: RUF001


def _ms(milliseconds: float) -> str:
    return span(milliseconds / 1000)


def _cell(mode: ModeResult, name: str, form: _Form, *, share_of: float | None = None, bad: bool = False) -> Cell:
    value = _figure(mode, name)
    share = None if share_of is None else max(0.0, value / share_of) if share_of > 0 else 0.0
    return Cell(form(value), spread(*mode.spread.get(name, (value, value)), form), share, bad)


def _figure(mode: ModeResult, name: str) -> float:
    """What stands in a field, or in a field of a field, as `spread` names it."""
    outer, _, inner = name.partition(".")
    found = getattr(mode, outer)
    return float(getattr(found, inner) if inner else found)


def headline(contrast: Contrast) -> str:
    """The contrast in one sentence of its own numbers: being pushed to against asking on a kept connection."""
    by_mode = {mode.mode: mode for mode in contrast.modes if mode.delivered}
    pushed = by_mode.get("stream") or by_mode.get("long-poll")
    asked = by_mode.get("kept") or by_mode.get("short")
    work = contrast.workload
    begin = f"With {many(work.clients, 'client')} and {many(work.rate, 'event')} a second"
    every = f" every {span(work.poll_interval_seconds)}"
    if pushed is None or asked is None:
        only = pushed or asked
        if only is None:
            return f"{begin}, nothing was delivered."
        return f"{begin}, {_NAMES[only.mode]}{every if asked else ''} brings an event in {_ms(only.latency_ms.p50)}."
    cpu = _times(asked.server_cpu_us_per_event, pushed.server_cpu_us_per_event, "server CPU")
    costs = " and ".join(filter(None, [cpu, _times(_bytes(asked), _bytes(pushed), "bytes")]))
    return (
        f"{begin}, {_NAMES[pushed.mode]} brings an event in {_ms(pushed.latency_ms.p50)}; "
        f"{_NAMES[asked.mode]}{every} takes {_ms(asked.latency_ms.p50)}"
        f"{', ' if costs else ''}{costs}."
    )


_NAMES = {
    "short": "polling over new connections",
    "kept": "polling over a kept connection",
    "long-poll": "a long poll",
    "stream": "a stream",
}


def _bytes(mode: ModeResult) -> int:
    return mode.bytes_up + mode.bytes_down


def _times(value: float, than: float, of: str) -> str:
    """How many times as much, or which part of it; empty where nothing is to be compared."""
    if value <= 0 or than <= 0:
        return ""
    times = value / than
    if times > 1.05:
        return f"{number(round(times, 1 if times < 10 else None))} times the {of}"
    return f"about the same {of}" if times > 0.95 else f"{times:.0%} of the {of}"
