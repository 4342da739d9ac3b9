"""What a running middlebox shows: a line that stays up to date on a terminal, news above it, words typed below it.

Rules:
- On a terminal that can more than append, the last two rows are ours: how things are, and what is being typed, whose
  echo is the terminal's own. Updating leaves the cursor alone, so it does not disturb whoever types.
- Elsewhere there is no such line. With --json there are objects instead, one a line.
"""

import os
import shutil
import sys
from dataclasses import asdict

from heartline.cli.output import Fields, Output
from rich.filesize import decimal

from heartline_lab.middlebox.counts import Flow, Totals
from heartline_lab.middlebox.faults import Faults
from heartline_lab.middlebox.words import described

_SAVE, _RESTORE, _UP, _CLEAR_LINE, _CLEAR_BELOW = "\x1b7", "\x1b8", "\x1b[1A\r", "\x1b[2K", "\x1b[J"


def counted(totals: Totals) -> str:
    """The totals in one line."""
    connections = "1 connection" if totals.connections == 1 else f"{totals.connections} connections"
    return f"{connections}, {totals.open} open; up {_flow(totals.up)}; down {_flow(totals.down)}"


def _flow(flow: Flow) -> str:
    segments = "1 segment" if flow.segments == 1 else f"{flow.segments} segments"
    return f"{decimal(flow.bytes)} in {segments}"


class Screen:
    """Shows one middlebox. `typed` tells that words can be typed into the terminal."""

    def __init__(self, out: Output, typed: bool) -> None:
        self._out = out
        self._prompt = "> " if typed else ""
        self._live = not out.as_json and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = False
        self._shown: tuple[Totals, Faults] | None = None

    def update(self, totals: Totals, faults: Faults) -> None:
        """Shows how things are, if that is new."""
        if (totals, faults) == self._shown and (self._drawn or not self._live):
            return
        self._shown = totals, faults
        if self._out.as_json:
            self._out.result({"type": "totals", **asdict(totals), "faults": asdict(faults)}, "")
        elif self._live:
            width = shutil.get_terminal_size().columns - 1
            line = f"{counted(totals)}; {described(faults)}"[:width]
            if self._drawn:
                self._write(f"{_SAVE}{_UP}{_CLEAR_LINE}{line}{_RESTORE}")
            else:
                self._write(f"{line}\n{self._prompt}")
            self._drawn = True

    def result(self, fields: Fields, line: str) -> None:
        """One line on stdout, above the line that stays."""
        self.clear()
        self._out.result(fields, line)

    def news(self, fields: Fields, line: str) -> None:
        """One line on stderr, likewise."""
        self.clear()
        self._out.news(fields, line)

    def entered(self, words: str) -> None:
        """Words were typed, and the terminal went on to a new row."""
        if self._drawn:
            self._write(_UP)
            self.clear()
            self._write(f"{self._prompt}{words}\n")

    def clear(self) -> None:
        """Gives the two rows back."""
        if self._drawn:
            self._drawn = False
            self._write(f"{_UP}{_CLEAR_BELOW}")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
