"""A contrast as one self-contained HTML page, and its plots as PNG files.

The page fetches nothing and runs nothing: style, plots and ladder diagrams are in it.
"""

import dataclasses
import re
from importlib.resources import files
from pathlib import Path

from heartline.cli.exits import CommandError, Exit
from jinja2 import Environment, StrictUndefined

from heartline_lab.contrast import sheet
from heartline_lab.contrast.results import Contrast, ModeResult
from heartline_lab.contrast.way import LANES
from heartline_lab.contrast.words import many
from heartline_lab.drawing.ladder import Ladder, as_svg
from heartline_lab.drawing.units import size, span

WAYS = {
    "short": "a new connection for every poll",
    "kept": "polls on one kept connection",
    "long-poll": "a poll that waits for news",
    "stream": "one connection, news is pushed",
}
"""What each mode does, in a few words."""
_LADDER_WIDTH = 370
"""Little more than a phone has room for, so that no text of it gets small."""
_TENTHS = 4
"""Decimals of a second that show tenths of a millisecond: what was seen from outside is no more exact."""
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:[µm]?s|[kMG]?B)\b)")


def write_html(contrast: Contrast, path: Path) -> None:
    """Writes the page. Raises CommandError when it cannot be written."""
    page = html(contrast)
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise _cannot(path, error) from None


def write_png(contrast: Contrast, directory: Path) -> list[Path]:
    """Writes each plot as a PNG file of a stable name into a directory, which is made when it is not there.

    Raises CommandError when they cannot be written.
    """
    from heartline_lab.contrast import pictures
    from heartline_lab.drawing.look import save_png

    written = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for section in pictures.sections(contrast):
            for picture in section.pictures:
                written.append(directory / f"{picture.name}.png")
                save_png(picture.figure, picture.title, written[-1])
    except OSError as error:
        raise _cannot(directory, error) from None
    return written


def html(contrast: Contrast) -> str:
    """The page."""
    # matplotlib takes half a second to import, and most commands draw nothing.
    from heartline_lab.contrast import pictures
    from heartline_lab.drawing.look import COLOURS, GLYPHS
    from heartline_lab.drawing.look import as_svg as plot

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(span=span, size=size, held=_held)
    template = environment.from_string(files(__package__).joinpath("page.html.j2").read_text("utf-8"))
    return template.render(
        contrast=contrast,
        headline=sheet.headline(contrast),
        groups=sheet.groups(contrast),
        choices=sheet.choices(contrast.advice),
        ways=WAYS,
        many=many,
        glyphs=GLYPHS,
        colours=COLOURS,
        sections=pictures.sections(contrast),
        plot=lambda picture: plot(picture.figure, picture.name, f"{picture.title}. {picture.caption}"),
        ladder=lambda mode: as_svg(_way(mode), _LADDER_WIDTH),
    )


def _held(text: str) -> str:
    """The text, with no line's end between a number and its unit."""
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)


def _way(mode: ModeResult) -> Ladder:
    steps = tuple(dataclasses.replace(step, at=round(step.at, _TENTHS)) for step in mode.way)
    return Ladder(f"One event's way: {mode.mode}", LANES, steps)


def _cannot(path: Path, error: OSError) -> CommandError:
    return CommandError(f"cannot write {path}: {error.strerror}", Exit.IO)
