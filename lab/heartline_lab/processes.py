"""The processes that are measured: the real server as a user starts it, and any other program.

Rules:
- A process that serves is ready when it has said so, within a deadline, and is killed, not drained, when its block
  ends, however that comes: nothing outlives the lab. Where the lab itself is killed, the kernel does it (Linux alone).
- Each leads a group of its own, so Ctrl-C is ours to hand on.
- CPU time is that of the whole process, gRPC's threads included, from the process's own CPU clock: clock ticks of
  10 ms would drown a small sample.
"""

import asyncio
import os
import re
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from heartline.cli.exits import CommandError, Exit

START_TIMEOUT = 20.0
"""Seconds within which a server must be ready."""

_TIED = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, which lasts when this process becomes the program
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)  # it ended before we could ask
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Becomes a program that dies with its parent, whose process id comes before its words. A hook between fork and exec
would be shorter, and could hang: this process has threads."""

_CPUCLOCK_SCHED = 2
"""Linux: the last bits of a process's CPU clock id, as clock_getcpuclockid(3) makes it."""


def cpu_ns(pid: int) -> int:
    """The CPU time that a process has used, in nanoseconds, by all its threads, those that ended included."""
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)


@dataclass(frozen=True, slots=True)
class Server:
    """A running `heartline serve`."""

    pid: int
    address: str
    """HOST:PORT."""


@asynccontextmanager
async def serving(
    *flags: str, listen: str = "127.0.0.1:0", store: str = "memory:", inside: Sequence[str] = ()
) -> AsyncIterator[Server]:
    """Runs `heartline serve` until the block ends; `inside` is what runs it elsewhere, as `ip netns exec` does.

    Raises CommandError when it does not start.
    """
    serve = [sys.executable, "-m", "heartline", "serve", "--listen", listen, "--store", store, "--log-level", "warning"]
    async with running(*inside, *serve, *flags) as process:
        line = await first_line(process, "heartline serve")
        found = re.match(r"heartline: serving on (\S+),", line)
        if found is None:
            raise CommandError(f"heartline serve did not start, but said: {line}", Exit.UNAVAILABLE)
        yield Server(process.pid, found[1])


@asynccontextmanager
async def running(*argv: str, environment: Mapping[str, str] | None = None, told: str = "") -> AsyncIterator[Process]:
    """Runs a program, with a pipe for its output, until the block ends. Settings of the user's server do not count.

    `told` is what it reads from its standard input.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEARTLINE_")}
    paths = os.pathsep.join(path or "." for path in sys.path)
    tied = (sys.executable, "-ISc", _TIED, str(os.getpid())) if sys.platform == "linux" else ()
    process = await asyncio.create_subprocess_exec(
        *tied,
        *argv,
        stdin=PIPE if told else DEVNULL,
        stdout=PIPE,
        env={**inherited, "PYTHONPATH": paths, **(environment or {})},
        start_new_session=True,
    )
    try:
        if process.stdin is not None:
            process.stdin.write(told.encode())
            process.stdin.close()
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def first_line(process: Process, name: str, having: str = "") -> str:
    """The first line with `having` in it that a process prints. Raises CommandError when none comes in time."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_TIMEOUT):
            while line := (await process.stdout.readline()).decode():
                if having in line:
                    return line.strip()
    except TimeoutError:
        raise CommandError(f"{name} was not ready within {START_TIMEOUT:g} s", Exit.UNAVAILABLE) from None
    raise CommandError(f"{name} ended before it was ready", Exit.UNAVAILABLE)
