"""What a process asked the kernel for, in order, as strace saw it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import path as tool

CALLS = ("recvmsg", "sendmsg", "pwrite64", "fsync", "fdatasync")
"""What is traced: how gRPC's sockets are read and written, and how SQLite writes."""

_LINE = re.compile(
    r"(?P<thread>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<name>\w+)\((?P<fd>\d+)<(?P<path>[^>]*)>)(?P<rest>.*)"
)
_DATA = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass
class Call:
    """One system call. `began` and `ended` are places in the trace: two calls overlap unless one ended first."""

    name: str
    fd: int
    path: str
    began: int
    ended: int
    text: str

    def has(self, part: str) -> bool:
        """Whether it carried this, perhaps in pieces: gRPC hands the kernel many at once."""
        return part in "".join(_DATA.findall(self.text))

    @property
    def succeeded(self) -> bool:
        """Whether it came back without an error."""
        return re.search(r"\) += \d+$", self.text) is not None


def tracing(file: Path) -> list[str]:
    """What to put before a command line so that `file` tells what it did. The process keeps its id."""
    return [tool("strace"), "-D", "-f", "-y", "-s", "9000", "-e", f"trace={','.join(CALLS)}", "-o", str(file)]


def calls(file: Path) -> list[Call]:
    """The calls that ended, by the order in which they began."""
    return sorted(_ended(file), key=lambda call: call.began)


def _ended(file: Path) -> Iterator[Call]:
    under_way: dict[str, Call] = {}
    for number, line in enumerate(file.read_text(errors="replace").splitlines()):
        match = _LINE.match(line)
        if match is None:
            continue
        if match["resumed"]:
            call = under_way.pop(match["thread"])
        else:
            call = Call(match["name"], int(match["fd"]), match["path"], number, number, "")
        call.text += match["rest"]
        call.ended = number
        if line.endswith("<unfinished ...>"):
            under_way[match["thread"]] = call
        else:
            yield call
