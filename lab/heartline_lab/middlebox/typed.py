"""Words that people type or pipe in: the lines of standard input, told one by one while the loop runs."""

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def stdin() -> int | None:
    """Standard input if words may come from there: a pipe, or a terminal in whose foreground this is."""
    try:
        fd = sys.stdin.fileno()
        kind = os.fstat(fd).st_mode
        if os.isatty(fd):
            return fd if os.tcgetpgrp(fd) == os.getpgrp() else None
    except (OSError, ValueError):
        return None
    return fd if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) else None


@contextmanager
def lines(fd: int, on_line: Callable[[str], None]) -> Iterator[None]:
    """Tells each line, without its end, while the block lasts and until the input ends."""
    loop = asyncio.get_running_loop()
    unread = bytearray()

    def read() -> None:
        data = os.read(fd, 4096)
        unread.extend(data)
        if not data:
            loop.remove_reader(fd)
            unread.extend(b"\n" if unread else b"")
        while b"\n" in unread:
            line, _, rest = bytes(unread).partition(b"\n")
            unread[:] = rest
            on_line(line.decode(errors="replace"))

    loop.add_reader(fd, read)
    try:
        yield
    finally:
        loop.remove_reader(fd)
