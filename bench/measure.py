"""What the kernel says of a server process, and what a row of samples says.

Rules: CPU time is that of the whole process in nanoseconds, gRPC's threads included, from the process's own CPU clock:
clock ticks of 10 ms would drown a small sample. Samples of two servers are taken in turns, so that what else the
machine does falls on both.
"""

import asyncio
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence

from heartline_lab.processes import cpu_ns

_TCP_ESTABLISHED = "01"

Sample = Callable[[], Awaitable[float]]


def resident_bytes(pid: int) -> int:
    """The memory that a process holds, in bytes."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def established(port: int) -> int:
    """How many TCP connections a server on this local port holds."""
    rows = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as file:
            rows += [line.split() for line in file.readlines()[1:]]
    return sum(int(row[1].rpartition(":")[2], 16) == port and row[3] == _TCP_ESTABLISHED for row in rows)


async def sync_ms() -> float:
    """What it costs to bring 4 KiB to the disk on which temporary files lie, in milliseconds.

    They are written over others, as SQLite does with its log: a file that grows costs more.
    """
    with tempfile.TemporaryFile() as file:
        for byte in (b"\0", b"\1"):
            os.pwrite(file.fileno(), byte * 4096, 0)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
        return (time.perf_counter() - began) * 1000


async def settled(pid: int, pause: float = 0.2, patience: int = 25) -> int:
    """Waits until a process's memory stands still, for at most `patience` pauses (seconds), and returns it in bytes."""
    before = resident_bytes(pid)
    for _ in range(patience):
        await asyncio.sleep(pause)
        after = resident_bytes(pid)
        if after == before:
            break
        before = after
    return before


async def idle(pid: int, pause: float = 0.25, patience: int = 60) -> None:
    """Waits until a process has hardly used its CPU for one of `patience` pauses (seconds)."""
    before = cpu_ns(pid)
    for _ in range(patience):
        await asyncio.sleep(pause)
        after = cpu_ns(pid)
        if after - before < pause * 1e9 / 50:
            return
        before = after


async def in_turns(repeats: int, *samples: Sample) -> list[tuple[float, ...]]:
    """Takes each sample once, and all again in the other direction, `repeats` times; one row for each time."""
    rows = []
    for repeat in range(repeats):
        order = list(range(len(samples)))
        taken = [0.0] * len(samples)
        for index in reversed(order) if repeat % 2 else order:
            gc.collect()
            taken[index] = await samples[index]()
        rows.append(tuple(taken))
    return rows


async def warm_in_turns(repeats: int, *samples: Sample) -> list[tuple[float, ...]]:
    """The same, after each sample has been taken once that does not count."""
    await in_turns(1, *samples)
    return await in_turns(repeats, *samples)


def ratios(rows: Sequence[tuple[float, ...]], over: int = 0, under: int = 1) -> tuple[float, ...]:
    """One column by another, row by row."""
    return tuple(row[over] / row[under] for row in rows)


def column(rows: Sequence[tuple[float, ...]], index: int) -> float:
    """The median of one column."""
    return statistics.median(row[index] for row in rows)


def both(rows: Sequence[tuple[float, ...]], unit: str) -> dict[str, float]:
    """The facts behind a ratio: the medians of the server and of the floor, which are the first two columns."""
    return {f"server {unit}": column(rows, 0), f"floor {unit}": column(rows, 1)}


def quartiles(samples: Sequence[float]) -> tuple[float, float]:
    """The bounds of the middle half."""
    if len(samples) < 2:
        return samples[0], samples[0]
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return low, high
