"""Where a command's words go: results to stdout, news of how it is going to stderr, each line flushed as it is written.

Rules:
- With --json every line, on either stream, is one JSON object.
- Colour marks what matters less (dim), good (green), bad (red) and news (yellow); it is never the only sign. It shows
  on a terminal alone, and not with NO_COLOR.
- What others wrote is `plain`ed before it is shown: no control character of theirs reaches a terminal.
- A reader that goes away (`| head -1`) is a BrokenPipeError, noticed while waiting too.
"""

import json
import os
import re
import select
import stat
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TextIO

Fields = Mapping[str, object]

_ESCAPES = re.compile("\x1b\\[[0-9;]*m")
_GAP = "  "


def dim(text: str) -> str:
    """Matters less."""
    return f"\x1b[2m{text}\x1b[22m"


def bold(text: str) -> str:
    """Matters more."""
    return f"\x1b[1m{text}\x1b[22m"


def green(text: str) -> str:
    """Is well."""
    return f"\x1b[32m{text}\x1b[39m"


def yellow(text: str) -> str:
    """Is worth a look."""
    return f"\x1b[33m{text}\x1b[39m"


def red(text: str) -> str:
    """Is not well."""
    return f"\x1b[31m{text}\x1b[39m"


def plain(text: str) -> str:
    """The text in one line, with what does not print (an escape code, a line end) written as Python writes it."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def uncoloured(text: str) -> str:
    """The text as it is without colours."""
    return _ESCAPES.sub("", text)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines whose cells stand under each other."""
    widths = [max(len(uncoloured(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return [_GAP.join(_padded(c, w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - len(uncoloured(cell)))


class Output:
    """Writes one command's results and news."""

    def __init__(
        self,
        as_json: bool = False,
        *,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.as_json = as_json
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        wanted = not as_json and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self._coloured = {stream: wanted and stream.isatty() for stream in (self._stdout, self._stderr)}

    def result(self, fields: Fields, line: str) -> None:
        """One line on stdout: the fields with --json, else the line."""
        self._write(self._stdout, fields, line)

    def news(self, fields: Fields, line: str) -> None:
        """One line on stderr: the fields with --json, else the line."""
        self._write(self._stderr, fields, line)

    def table(self, headers: Sequence[str], entries: Sequence[tuple[Fields, Sequence[str]]], empty: str) -> None:
        """Entries in columns under dim headers, or, with --json, the fields of each. `empty` tells of none."""
        lines = columns([[dim(header) for header in headers], *(row for _, row in entries)])
        if not self.as_json and entries:
            self.result({}, lines[0])
        elif not self.as_json:
            self.news({}, dim(empty))
        for (fields, _), line in zip(entries, lines[1:], strict=True):
            self.result(fields, line)

    def pause(self, seconds: float) -> None:
        """Waits. Raises BrokenPipeError as soon as nobody reads stdout any more."""
        fd = self.pipe()
        if fd is None:
            time.sleep(seconds)
            return
        poller = select.poll()
        poller.register(fd, 0)
        if poller.poll(seconds * 1000):
            raise BrokenPipeError

    def pipe(self) -> int | None:
        """The file descriptor of stdout if it is a pipe, whose reader may go away."""
        try:
            fd = self._stdout.fileno()
        except OSError:
            return None
        return fd if stat.S_ISFIFO(os.fstat(fd).st_mode) else None

    def _write(self, stream: TextIO, fields: Fields, line: str) -> None:
        if self.as_json:
            line = json.dumps(fields, ensure_ascii=False)
        elif not self._coloured[stream]:
            line = uncoloured(line)
        stream.write(line + "\n")
        stream.flush()
