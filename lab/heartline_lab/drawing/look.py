"""How the lab's plots look, and how they get into pages and files: a mode has one colour everywhere.

Rules:
- The colours of modes stay apart for colour-blind eyes, on white and on black, and each mode has a marker of its own.
- In a page a colour is the CSS variable of its name, so a plot follows the reader's scheme. A PNG file is light.
- The same figure gives the same bytes.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour on light and on dark ground."""

    light: str
    dark: str


COLOURS = {
    "ink": Colour("#1b2230", "#e6e9ef"),
    "quiet": Colour("#5d6675", "#9aa3b2"),
    "line": Colour("#d9dee6", "#2d3440"),
    "paper": Colour("#ffffff", "#14181f"),
    "good": Colour("#00755a", "#4cc9a4"),
    "bad": Colour("#b8420b", "#ff9a62"),
    "short": Colour("#b93a0a", "#ff7a45"),
    "kept": Colour("#c08a00", "#ffd966"),
    "long-poll": Colour("#1a8f7a", "#2fb398"),
    "stream": Colour("#123f9c", "#8fb2ff"),
}
"""By name; no two have the same light colour."""

MARKERS = {"short": "v", "kept": "s", "long-poll": "D", "stream": "o"}
GLYPHS = {"short": "▼", "kept": "■", "long-poll": "◆", "stream": "●"}
"""The markers, for text."""

TEXT, SMALL = 12, 11.5
"""Points, which are px where a plot is as wide as it is made: on a phone. No text of a plot is smaller."""

_SETTINGS: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": COLOURS["line"].light,
    "axes.grid": True,
    "axes.labelcolor": COLOURS["quiet"].light,
    "axes.labelsize": TEXT,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "grid.color": COLOURS["line"].light,
    "grid.linewidth": 0.7,
    "svg.fonttype": "none",
    "svg.hashsalt": "heartline",
    "text.color": COLOURS["ink"].light,
    "xtick.color": COLOURS["line"].light,
    "xtick.labelcolor": COLOURS["quiet"].light,
    "xtick.minor.size": 0,
    "ytick.color": COLOURS["line"].light,
    "ytick.labelcolor": COLOURS["quiet"].light,
    "ytick.left": False,
    "ytick.minor.left": False,
}


@contextmanager
def look() -> Iterator[None]:
    """Within the block figures are made, and drawn, in this look."""
    with rc_context(_SETTINGS):
        yield


def as_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an <svg> element for a page that has the colours as CSS variables; `name` is unique in it."""
    out = io.StringIO()
    with look():
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None})
    svg = out.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    variables = {colour.light: f"var(--{key})" for key, colour in COLOURS.items()}
    svg = re.sub("|".join(variables), lambda found: variables[found[0]], svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    assert box is not None
    start = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="plot" {box[0]}'
    return f'{start} role="img" aria-label="{escape(description)}">{svg[svg.index(">") + 1 :]}'


def save_png(figure: Figure, title: str, path: Path) -> None:
    """Writes the figure to a PNG file, under its title."""
    with look():
        heading = figure.suptitle(title, x=0.01, y=1.06, ha="left", fontsize=13.5, fontweight="bold")
        figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.15, metadata={"Software": None})
        heading.remove()
