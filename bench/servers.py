"""The processes that are measured, each a child with an event loop of its own.

Rules: a server is ready when it has printed its address, within a deadline; it is killed, not drained, when the block
ends, as nothing of it is kept. Where CPU is measured, all servers have one core to themselves, and the load has the
others: processes that wander between cores differ by a fifth, though they do the same.
"""

import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass

import grpc.aio
from heartline_lab.processes import first_line, running

from bench.script import Script

Unary = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


class BenchError(Exception):
    """The benchmark cannot be run, or what it measures does not do what it should."""


_cores: ContextVar[frozenset[int] | None] = ContextVar("cores of servers", default=None)


@contextmanager
def apart() -> Iterator[None]:
    """Until the block ends, servers start on one core, and this process keeps to the others, if there are any."""
    every = os.sched_getaffinity(0)
    own = {max(every)}
    if len(every) == 1:
        yield
        return
    token = _cores.set(frozenset(own))
    _move(every - own)
    try:
        yield
    finally:
        _move(every)
        _cores.reset(token)


def _move(cores: set[int]) -> None:
    for thread in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread), cores)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    pid: int
    port: int
    ours: bool = True
    """Whether bench.launch started it."""

    @property
    def target(self) -> str:
        """Where to reach it."""
        return f"127.0.0.1:{self.port}"

    def collect_garbage(self) -> None:
        """Asks it to free what it no longer uses, if it understands that."""
        if self.ours:
            os.kill(self.pid, signal.SIGUSR1)


def channel(server: Server) -> grpc.aio.Channel:
    """A channel with a TCP connection of its own."""
    return grpc.aio.insecure_channel(server.target, options=[("grpc.use_local_subchannel_pool", 1)])


def unary(on: grpc.aio.Channel, method: str) -> Unary:
    """A raw stub: bytes in, bytes out."""
    call: Unary = on.unary_unary(method)
    return call


@asynccontextmanager
async def floor(script: Script, kind: str) -> AsyncIterator[Server]:
    """The bare server with this script, of one of floor_server's kinds."""
    async with _child([kind], script.to_json() + "\n") as server:
        yield server


@asynccontextmanager
async def heartline(store: str, *flags: str) -> AsyncIterator[Server]:
    """The real server, as a user would start it, on this store."""
    arguments = ["serve", "--listen", "127.0.0.1:0", "--store", store, "--log-level", "warning", *flags]
    async with _child(arguments) as server:
        yield server


def pinned() -> tuple[str, ...]:
    """What goes before a server's command line, so that it starts on the core of servers, if they have one."""
    cores = _cores.get()
    return ("taskset", "--cpu-list", ",".join(map(str, cores))) if cores else ()


@asynccontextmanager
async def _child(arguments: list[str], told: str = "") -> AsyncIterator[Server]:
    argv = (*pinned(), sys.executable, "-m", "bench.launch", *arguments)
    # The user's settings do count here, so that each can be tried on what is measured.
    settings = {name: value for name, value in os.environ.items() if name.startswith("HEARTLINE_")}
    async with running(*argv, environment=settings, told=told) as process:
        line = await first_line(process, arguments[0])
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if found is None:
            raise BenchError(f"{arguments[0]} did not start: {line}")
        yield Server(process.pid, int(found[1]))
