"""How sockets, ports, processes and threads belong together: statements 17 and 18."""

import asyncio
import errno
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from heartline_lab.claims.judging.process import Listeners, Threads
from heartline_lab.claims.measuring.sockets import HOST
from heartline_lab.processes import first_line, running, serving

_CONNECTIONS = 100
_ATTEMPTS = 64
"""To two processes that share a port evenly: that one of them gets none has a chance of 2 in 2**64."""
_SETTLED = 0.2
"""Seconds without a new thread after which a server is taken to have all that it makes."""


@dataclass(frozen=True, slots=True)
class Small:
    """One that runs."""

    pid: int
    address: tuple[str, int]


@asynccontextmanager
async def small(name: str, port: int = 0) -> AsyncIterator[Small]:
    """One of the servers in servers.py."""
    module = "heartline_lab.claims.measuring.servers"
    async with running(sys.executable, "-m", module, name, str(port)) as process:
        yield Small(process.pid, (HOST, int(await first_line(process, name))))


async def threads() -> Threads:
    """Counts the threads of three servers before and while they hold many connections."""
    async with small("accepting") as server:
        plain = await _growth(server)
    async with small("threading") as server:
        threading = await _growth(server)
    async with serving() as heartline:
        host, port = heartline.address.rsplit(":", 1)
        grown = await _growth(Small(heartline.pid, (host, int(port))))
    return Threads(_CONNECTIONS, plain=plain, heartline=grown, threading=threading)


async def _growth(server: Small) -> int:
    def count() -> int:
        return sum(1 for _ in Path(f"/proc/{server.pid}/task").iterdir())

    before = count()
    with ExitStack() as stack:
        for _ in range(_CONNECTIONS):
            stack.enter_context(socket.create_connection(server.address, timeout=5))
        grown = -1
        while (now := count() - before) > grown:
            grown = now
            await asyncio.sleep(_SETTLED)
        return grown


async def listeners() -> Listeners:
    """Asks who answers where two processes listen at one address, protocol and port."""
    async with small("forked") as server:
        second = _second(server)
        forked = await _who(server)
    async with small("reuseport") as server, small("reuseport", server.address[1]):
        shared = await _who(server)
    return Listeners(second=second, attempts=_ATTEMPTS, reuseport=shared, forked=forked)


def _second(server: Small) -> str:
    try:
        socket.create_server(server.address).close()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


async def _who(server: Small) -> int:
    """How many processes answered."""

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection(*server.address)
        try:
            return await reader.readline()
        finally:
            writer.close()

    return len(set(await asyncio.gather(*(ask() for _ in range(_ATTEMPTS)))))
