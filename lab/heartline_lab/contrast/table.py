"""A contrast as text for a terminal: the table of modes, the sweeps, the advice. Pure.

Rules:
- A line is at most 120 characters wide, and a table at most 110 as long as its figures are not huge. The unit stands at
  the figure's name, once.
- A figure has its spread in brackets, unless every repeat read the same.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from heartline.cli.output import bold, columns, dim, red

from heartline_lab.contrast.results import Contrast, ModeResult, Sweep
from heartline_lab.contrast.words import cores, many
from heartline_lab.drawing.units import number, size, span

WIDTH = 110


@dataclass(frozen=True, slots=True)
class Row:
    """A figure as a row shows it."""

    label: str
    name: str
    """As `spread` names it."""
    scale: float = 1.0
    """The unit of the row, in those of the figure."""
    bad: bool = False
    """Whether anything but zero is bad news."""


ROWS = (
    Row("delivered, of {}", "delivered"),
    Row("lost", "lost", bad=True),
    Row("repeated", "duplicated", bad=True),
    Row("latency p50, ms", "latency_ms.p50"),
    Row("latency p95, ms", "latency_ms.p95"),
    Row("latency p99, ms", "latency_ms.p99"),
    Row("calls", "calls"),
    Row("of these empty", "empty_calls"),
    Row("TCP connections", "connections"),
    Row("kB up", "bytes_up", 1000.0),
    Row("kB down", "bytes_down", 1000.0),
    Row("segments up", "segments_up"),
    Row("segments down", "segments_down"),
    Row("server CPU, µs an event", "server_cpu_us_per_event"),
    Row("client wake-ups", "client_wakeups"),
    Row("online when gone, s", "online_after_vanishing_seconds"),
)

SETTINGS = {"poll_interval_seconds": "poll every, s", "rate": "events a second"}
SWEPT: dict[str, str] = {
    "latency_ms.p95": "latency p95, ms",
    "server_cpu_us_per_client_second": "server CPU, µs a second and client",
    "bytes_per_client_second": "bytes a second and client",
}


def table(contrast: Contrast) -> list[str]:
    """A row for each figure, a column for each mode."""
    expected = number(contrast.workload.clients * contrast.workload.events)
    head = [dim("a run of each mode"), *(bold(mode.mode) for mode in contrast.modes)]
    return columns([head, *([row.label.format(expected), *(_cell(m, row) for m in contrast.modes)] for row in ROWS)])


def sweep_table(sweep: Sweep) -> list[str]:
    """For each value of the setting a row of each figure, and a column for each mode."""
    modes = list(dict.fromkeys(point.mode for point in sweep.points))
    rows = [[dim(SETTINGS[sweep.setting]), dim("figure"), *map(bold, modes)]]
    for value in dict.fromkeys(point.value for point in sweep.points):
        points = {point.mode: point for point in sweep.points if point.value == value}
        for place, (name, label) in enumerate(SWEPT.items()):
            cells = (_plain(attrgetter(name)(points[mode])) if mode in points else "" for mode in modes)
            rows.append([number(value) if place == 0 else "", label, *cells])
    return columns(rows)


def choice_table(contrast: Contrast) -> list[str]:
    """What each mode would cost for the numbers that were asked about."""
    rows = [
        [dim(title) for title in ("for your numbers", "poll every", "news arrives within", "server", "bytes a second")]
    ]
    for choice in contrast.advice.choices:
        taken = choice.mode == contrast.advice.mode
        rows.append(
            [
                bold(f"{choice.mode} (advised)") if taken else choice.mode,
                span(choice.poll_interval_seconds) if choice.poll_interval_seconds else "",
                span(choice.staleness_seconds) if choice.fresh else red(f"{span(choice.staleness_seconds)}, too late"),
                cores(choice.server_cores),
                size(choice.bytes_per_second),
            ]
        )
    return columns(rows)


def lines(contrast: Contrast) -> Iterator[str]:
    """All of it, line by line."""
    work = contrast.workload
    yield (
        f"{many(work.clients, 'client')}, {many(work.rate, 'event')} a second of {many(work.payload, 'byte')}, "
        f"polls every {span(work.poll_interval_seconds)}, {many(work.repeats, 'run')} of {span(work.seconds)} a mode"
    )
    yield ""
    yield from table(contrast)
    yield ""
    for note in contrast.notes:
        yield from textwrap.wrap(note, WIDTH, initial_indent="- ", subsequent_indent="  ")
    for sweep in contrast.sweeps:
        yield ""
        yield from sweep_table(sweep)
    if contrast.break_even:
        yield ""
        for each in contrast.break_even:
            yield from textwrap.wrap(each.text, WIDTH, initial_indent="- ", subsequent_indent="  ")
    yield ""
    yield from choice_table(contrast)
    yield ""
    for sentence in contrast.advice.text:
        yield from textwrap.wrap(sentence, WIDTH)


def _cell(mode: ModeResult, row: Row) -> str:
    value = attrgetter(row.name)(mode)
    low, high = (_plain(bound / row.scale) for bound in mode.spread[row.name])
    text = _plain(value / row.scale) + ("" if low == high else f" ({low}\N{EN DASH}{high})")
    return red(text) if row.bad and value else text


def _plain(value: float) -> str:
    return number(round(value)) if abs(value) >= 99.95 else number(value)
