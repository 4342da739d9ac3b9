"""The processes that are measured, each a child with an event loop of its own.

Rules: a server is ready when it has printed its address, within a deadline; it is killed, not drained, when the block
ends, as nothing of it is kept. Where CPU is measured, all servers have one core to themselves, and the load has the
others: processes that wander between cores differ by a fifth, though they do the same.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass

import grpc.aio

from bench.script import Script

START_TIMEOUT = 20.0
"""Seconds within which a server must be ready."""


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

    @property
    def target(self) -> str:
        """Where to reach it."""
        return f"127.0.0.1:{self.port}"

    def collect_garbage(self) -> None:
        """Asks it to free what it no longer uses."""
        os.kill(self.pid, signal.SIGUSR1)


def channel(server: Server) -> grpc.aio.Channel:
    """A channel with a TCP connection of its own."""
    return grpc.aio.insecure_channel(server.target, options=[("grpc.use_local_subchannel_pool", 1)])


def unary(on: grpc.aio.Channel, method: str) -> Unary:
    """A raw stub: bytes in, bytes out."""
    call: Unary = on.unary_unary(method)
    return call


@asynccontextmanager
async def floor(script: Script, *, generated: bool = False) -> AsyncIterator[Server]:
    """The bare server with this script."""
    async with _child(["generated" if generated else "floor"], script.to_json() + "\n") as server:
        yield server


@asynccontextmanager
async def heartline(store: str) -> AsyncIterator[Server]:
    """The real server, as a user would start it, on this store."""
    arguments = ["serve", "--listen", "127.0.0.1:0", "--store", store, "--log-level", "warning"]
    async with _child(arguments, "") as server:
        yield server


@asynccontextmanager
async def _child(arguments: list[str], told: str) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.launch",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
    )
    if cores := _cores.get():
        os.sched_setaffinity(process.pid, cores)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(told.encode())
        process.stdin.close()
        try:
            async with asyncio.timeout(START_TIMEOUT):
                line = (await process.stdout.readline()).decode()
        except TimeoutError:
            raise BenchError(f"{arguments[0]} was not ready within {START_TIMEOUT:g} s") from None
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if found is None:
            raise BenchError(f"{arguments[0]} did not start: {line.strip() or 'it printed nothing'}")
        yield Server(process.pid, int(found[1]))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
