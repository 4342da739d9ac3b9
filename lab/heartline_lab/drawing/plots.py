"""The kinds of plots the lab draws: distributions in rows, and curves with their names at their ends.

Rules:
- A curve or row is named where it is, not in a legend; its marker tells it as well as its colour.
- Axes carry units. A logarithmic axis says so by its ticks: 1 ms, 10 ms, 100 ms.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis as Ticks
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from heartline_lab.drawing.look import COLOURS, MARKERS, SMALL, TEXT, look
from heartline_lab.drawing.units import span

_Side = Literal["left", "center", "right"]
_Values = np.ndarray[tuple[int], np.dtype[np.float64]]

_SIZE = (4.8, 3.4)
"""In inches: at 72 px an inch what a phone has room for."""
_BINS = 90
_INK, _QUIET, _LINE, _PAPER = (COLOURS[name].light for name in ("ink", "quiet", "line", "paper"))


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one mode; a reference is a dashed line across the plot, at the height of its only point."""

    name: str
    points: Sequence[tuple[float, float]]
    reference: bool = False
    upper: Sequence[float] = ()
    """The heights of a thin line above the points, where there is one."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, and how its ticks read."""

    label: str
    tick: Callable[[float], str]
    logarithmic: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """A point worth a word."""

    x: float
    y: float
    word: str


def distributions(seconds: Mapping[str, Sequence[float]], label: str) -> Figure:
    """A row for each mode: how its values spread on one logarithmic axis, with the median and the 99th percentile."""
    with look():
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        axes.grid(visible=False, axis="y")
        values = [value for row in seconds.values() for value in row] or [0.001]
        low, high = max(min(values), 1e-6) / 1.6, max(*values, 2e-6) * 1.3
        edges = np.geomspace(low, high, _BINS)
        names = list(reversed(list(seconds)))
        for place, name in enumerate(names):
            _row(axes, place, name, np.maximum(seconds[name], 1e-6), edges)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params("y", labelcolor=_INK)
        axes.set_ylim(-0.36, len(seconds) - 0.05)
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        _scale(axes.xaxis, Axis(label, span))
        axes.set_xlabel(label)
        return figure


def curves(lines: Sequence[Curve], x: Axis, y: Axis, marks: Sequence[Mark] = ()) -> Figure:
    """Curves over one axis, each with its name beside its end."""
    with look():
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        axes.set_xscale("log" if x.logarithmic else "linear")
        axes.set_yscale("log" if y.logarithmic else "linear")
        axes.set_xlabel(x.label)
        axes.set_title(y.label, loc="left", fontsize=TEXT, color=_QUIET, x=0)
        for line in lines:
            _curve(axes, line)
        for mark in marks:
            axes.plot(mark.x, mark.y, "o", ms=8, mfc=_PAPER, mec=_INK, mew=1.4, zorder=5)
            _write(axes, mark.word, (mark.x, mark.y), (-5, 6), ha="right", weight="bold")
        if not y.logarithmic:
            axes.set_ylim(bottom=0)
        axes.margins(x=0.03, y=0.08)
        _scale(axes.xaxis, x)
        _scale(axes.yaxis, y)
        _names(axes, lines)
        return figure


def _row(axes: Axes, place: int, name: str, values: _Values, edges: _Values) -> None:
    colour = COLOURS[name].light
    if not len(values):
        axes.annotate("nothing was delivered", (0.02, place + 0.1), xycoords=("axes fraction", "data"), color=_QUIET)
        return
    counts, bins = np.histogram(values, edges)
    heights = place + 0.62 * counts / counts.max()
    axes.axhline(place, color=_LINE, lw=1, zorder=1)
    axes.stairs(heights, bins, baseline=place, fill=True, color=colour, alpha=0.6, lw=0)
    p50, p99 = np.percentile(values, (50, 99))
    axes.plot(p50, place, MARKERS[name], color=colour, ms=6.5, mec=_PAPER, mew=1, zorder=4, clip_on=False)
    axes.plot(p99, place, "|", color=colour, ms=11, mew=2, zorder=4, clip_on=False)
    close = np.log(p99 / p50) < 0.24 * np.log(edges[-1] / edges[0])
    _write(axes, span(p50), (p50, place), (4 if close else 0, -16), ha="right" if close else "center")
    _write(axes, span(p99), (p99, place), (-4 if close else 0, -16), ha="left" if close else "center")


def _curve(axes: Axes, line: Curve) -> None:
    colour = COLOURS[line.name].light
    xs, ys = zip(*line.points, strict=True)
    if line.reference:
        axes.axhline(ys[0], color=colour, lw=1.5, dashes=(4, 3))
        return
    if line.upper:
        axes.plot(xs, line.upper, color=colour, lw=0.9, alpha=0.8)
    marker = MARKERS[line.name] if len(xs) <= 12 else ""
    axes.plot(xs, ys, color=colour, lw=2, marker=marker, ms=5.5, mec=_PAPER, mew=0.8)


def _names(axes: Axes, lines: Sequence[Curve]) -> None:
    """The names in the margin, at the heights of their ends, pushed apart where they would touch."""
    axes.autoscale_view()  # which is otherwise put off until it is drawn
    to_share = axes.transData + axes.transAxes.inverted()
    ends = sorted((to_share.transform(line.points[-1])[1], line.name) for line in lines)
    least, top = 0.1, 1.02
    heights: list[float] = []
    for end, _ in ends:
        heights.append(max(end, heights[-1] + least) if heights else max(end, 0.0))
    for i in reversed(range(len(heights))):
        limit = top if i == len(heights) - 1 else heights[i + 1] - least
        heights[i] = min(heights[i], limit)
    for height, (_, name) in zip(heights, ends, strict=True):
        axes.plot(
            1.035, height, MARKERS[name], color=COLOURS[name].light, ms=6, transform=axes.transAxes, clip_on=False
        )
        axes.annotate(name, (1.06, height), xycoords="axes fraction", va="center")


def _write(
    axes: Axes, word: str, at: tuple[float, float], aside: tuple[float, float], ha: _Side, weight: str = "normal"
) -> None:
    """A word beside a spot, so many points right and up."""
    ground = {"facecolor": _PAPER, "alpha": 0.75, "linewidth": 0, "pad": 0.5}
    axes.annotate(
        word, at, aside, textcoords="offset points", ha=ha, fontsize=SMALL, fontweight=weight, zorder=6, bbox=ground
    )


def _scale(ticks: Ticks, axis: Axis) -> None:
    """Ticks at round values, no more than there is room for."""
    if axis.logarithmic:
        low, high = ticks.get_view_interval()
        steps = (1.0, 2.0, 5.0) if high / low < 70 else (1.0, 3.0) if high / low < 4000 else (1.0,)
        ticks.set_major_locator(LogLocator(subs=steps, numticks=8))
        ticks.set_minor_formatter(NullFormatter())
    else:
        ticks.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ticks.set_major_formatter(FuncFormatter(lambda value, _: axis.tick(value)))
