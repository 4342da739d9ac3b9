"""Which plots a contrast has, and what each shows. What was not measured has no plot."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure

from heartline_lab.contrast.results import Contrast, Sweep, SweepPoint
from heartline_lab.drawing.plots import Axis, Curve, Mark, curves, distributions
from heartline_lab.drawing.units import number, size, span

_Measure = Callable[[SweepPoint], float]

INTERVAL = Axis("Poll interval", span)
RATE = Axis("Events a second, each to every client", number)
CPU = Axis("Server CPU a second, for one client", lambda us: span(us / 1e6))
BYTES = Axis("Bytes a second, for one client", size)


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot."""

    name: str
    """Stable: the name of its PNG file."""
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Section:
    """Plots that belong together."""

    title: str
    pictures: tuple[Picture, ...]
    findings: tuple[str, ...] = ()
    """In plain words."""


def sections(contrast: Contrast) -> list[Section]:
    """All plots, in their order."""
    found = [
        Section("Side by side", tuple(_overview(contrast))),
        Section("The poll interval", tuple(_intervals(contrast))),
        Section("The event rate", tuple(_rates(contrast)), tuple(even.text for even in contrast.break_even)),
    ]
    return [section for section in found if section.pictures]


def _overview(contrast: Contrast) -> Iterator[Picture]:
    yield Picture(
        "latency",
        "How long an event takes to reach its handler",
        "Every event of every repeat, each row scaled to its own peak. The marker stands at the median, the bar at the "
        "99th percentile.",
        distributions(
            {mode.mode: [ms / 1000 for ms in mode.latency_samples_ms] for mode in contrast.modes}, "Publish to handler"
        ),
    )
    yield Picture(
        "bytes",
        "What it costs on the wire, as time goes by",
        "Bytes both ways, all clients together, in the last repeat.",
        curves(
            [
                Curve(mode.mode, [(t.at_seconds, t.bytes_up + t.bytes_down) for t in mode.traffic])
                for mode in contrast.modes
                if mode.traffic
            ],
            Axis("Since the run began", lambda seconds: f"{seconds:g} s", logarithmic=False),
            Axis("Bytes so far", size, logarithmic=False),
        ),
    )


def _intervals(contrast: Contrast) -> Iterator[Picture]:
    sweep = _sweep(contrast, "poll_interval_seconds")
    if sweep is None:
        return
    stale = [
        Curve(curve.name, [(x, ms / 1000) for x, ms in curve.points], upper=[ms / 1000 for ms in upper])
        for curve, upper in ((curve, _upper(sweep, curve.name)) for curve in _curves(sweep, lambda p: p.latency_ms.p50))
    ]
    polled = {curve.name for curve in stale}
    pushed = [mode for mode in contrast.modes if mode.mode not in polled and mode.delivered]
    low = min(point.value for point in sweep.points)
    yield Picture(
        "interval-staleness",
        "Polling less often: how old the news is",
        "Medians, and above them, thin, the 95th percentiles. Dashed: what needs no interval.",
        curves(
            [*stale, *(Curve(m.mode, [(low, m.latency_ms.p50 / 1000)], reference=True) for m in pushed)],
            INTERVAL,
            Axis("Publish to handler", span),
        ),
    )
    client_seconds = contrast.workload.clients * contrast.workload.seconds
    references = [(m.mode, m.server_cpu_us_per_event * m.delivered / client_seconds) for m in pushed]
    yield Picture(
        "interval-cpu",
        "Polling less often: what it costs the server",
        f"Dashed: what needs no interval, at {number(contrast.workload.rate)} events a second.",
        curves(
            [
                *_curves(sweep, lambda p: p.server_cpu_us_per_client_second),
                *(Curve(name, [(low, us)], reference=True) for name, us in references if us > 0),
            ],
            INTERVAL,
            CPU,
        ),
    )


def _rates(contrast: Contrast) -> Iterator[Picture]:
    sweep = _sweep(contrast, "rate")
    if sweep is None:
        return
    for name, title, measure, axis, of in (
        ("rate-cpu", "More events: what they cost the server", "server_cpu", CPU, _cpu),
        ("rate-bytes", "More events: what they cost on the wire", "bytes", BYTES, _bytes),
    ):
        lines = _curves(sweep, of)
        marks = list(_crossings(contrast, measure, lines))
        circles = " A circle is where a stream begins to cost as much as polling." if marks else ""
        polls = span(contrast.workload.poll_interval_seconds)
        caption = f"Polls every {polls}.{circles}"
        yield Picture(name, title, caption, curves(lines, RATE, axis, marks))


def _cpu(point: SweepPoint) -> float:
    return point.server_cpu_us_per_client_second


def _bytes(point: SweepPoint) -> float:
    return point.bytes_per_client_second


def _sweep(contrast: Contrast, setting: str) -> Sweep | None:
    return next((sweep for sweep in contrast.sweeps if sweep.setting == setting and sweep.points), None)


def _curves(sweep: Sweep, measure: _Measure) -> list[Curve]:
    """A curve for each mode; what a logarithmic axis cannot show, nothing at all, is left out."""
    modes = dict.fromkeys(point.mode for point in sweep.points)
    points = sorted(sweep.points, key=lambda point: point.value)
    found = {m: [(p.value, measure(p)) for p in points if p.mode == m and measure(p) > 0] for m in modes}
    return [Curve(mode, line) for mode, line in found.items() if line]


def _upper(sweep: Sweep, mode: str) -> list[float]:
    points = sorted((p for p in sweep.points if p.mode == mode and p.latency_ms.p50 > 0), key=lambda p: p.value)
    return [point.latency_ms.p95 for point in points]


def _crossings(contrast: Contrast, measure: str, lines: list[Curve]) -> Iterator[Mark]:
    """Where the stream's curve meets another, at the rates that were found."""
    stream = next((line.points for line in lines if line.name == "stream"), ())
    for even in contrast.break_even:
        if even.measure != measure or even.rate is None:
            continue
        for (x0, y0), (x1, y1) in pairwise(stream):
            if x0 <= even.rate <= x1:
                share = math.log(even.rate / x0) / math.log(x1 / x0)
                yield Mark(even.rate, y0 * (y1 / y0) ** share, f"{number(even.rate)}/s")
                break
