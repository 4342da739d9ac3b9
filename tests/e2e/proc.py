"""What the kernel tells of processes (Linux)."""

from contextlib import suppress
from pathlib import Path


def children(pid: int) -> list[int]:
    """The processes that it started, and that are there."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def marked(token: str) -> list[int]:
    """The processes that have this in their environment, inherited from whoever was started with it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it is gone, or nobody's business
            if token.encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found
