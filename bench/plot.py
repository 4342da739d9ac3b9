"""Draws docs/performance.svg from bench/peers.json: `python -m bench.plot`.

Rules: the same figures give the same bytes. The picture brings its own ground and follows the reader's scheme, light or
dark; it is as wide as a phone's screen without losing its words.
"""

import json
from pathlib import Path
from typing import Any

from heartline_lab.drawing.look import COLOURS, as_svg, look
from heartline_lab.drawing.units import number
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.fanout import WAYS
from bench.peers.contest import FLOOR, HEARTLINE

KEPT = Path(__file__).parent / "peers.json"
PICTURE = Path(__file__).parents[1] / "docs/performance.svg"
_SIZE = (4.8, 4.4)
"""In inches: at 72 units an inch text is as large as a page's small print."""
_NAMES = ("ink", "quiet", "line", "paper", "stream", "short")


def main() -> None:
    """Reads the figures and writes the picture."""
    PICTURE.write_text(picture(json.loads(KEPT.read_text("utf-8"))["figures"]), encoding="utf-8")


def picture(figures: list[dict[str, Any]]) -> str:
    """An SVG file of what an event costs each server, one at a time and in bursts."""
    with look():
        figure = Figure(figsize=_SIZE, layout="constrained")
        for axes, way in zip(figure.subplots(len(WAYS)), WAYS.values(), strict=True):
            _draw(
                axes,
                way,
                [_row(each, way) for each in figures if each["what"].startswith(f"{way}: ") and each["unit"] == "us"],
            )
        svg = as_svg(figure, "performance", "Server CPU for each delivered event, by server")
    end = svg.index(">") + 1
    return f'{svg[:end]}\n<style>{_scheme()}</style>\n<rect width="100%" height="100%" fill="var(--paper)"/>{svg[end:]}'


def _scheme() -> str:
    light = " ".join(f"--{name}: {COLOURS[name].light};" for name in _NAMES)
    dark = " ".join(f"--{name}: {COLOURS[name].dark};" for name in _NAMES)
    return f":root {{ {light} }} @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def _row(each: dict[str, Any], way: str) -> tuple[float, float, float, str]:
    low, high = each["middle_half"]
    return each["median"], low, high, each["what"].removeprefix(f"{way}: ")


def _draw(axes: Axes, way: str, rows: list[tuple[float, float, float, str]]) -> None:
    """A row for each server, the costliest first, with the median and the middle half."""
    rows = sorted(rows)
    axes.set_title(f"Server CPU for each event, {way}", loc="left", fontsize=9.5, x=0)
    axes.grid(visible=False, axis="y")
    axes.set_xscale("log")
    axes.set_xlim(min(row[1] for row in rows) / 1.5, max(row[2] for row in rows) * 2.2)
    for place, (median, low, high, name) in enumerate(rows):
        ours = name.startswith(HEARTLINE)
        colour = COLOURS["stream" if ours else "short" if name == FLOOR else "quiet"].light
        axes.plot((low, high), (place, place), color=colour, lw=2.5, alpha=0.5)
        axes.plot(median, place, "o" if ours else "D" if name == FLOOR else "s", color=colour, ms=6)
        axes.annotate(
            f"{number(median)} µs", (high, place), (7, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_yticks(range(len(rows)), [row[3] for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params("y", labelcolor=COLOURS["ink"].light)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=9))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} µs"))
    axes.xaxis.set_minor_formatter(NullFormatter())


if __name__ == "__main__":
    main()
