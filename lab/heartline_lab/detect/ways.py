"""The ways from a client to its server, and how each is struck by a fault.

Rules:
- What hits a program is measured over loopback, where the peer's own kernel is at the other end, as on any network.
- What hits the network is measured in namespaces. Where these cannot be made, the lab's relay stands in for those
  detectors that do not judge TCP.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Protocol

from heartline.cli.exits import CommandError, Exit

from heartline_lab.detect.ends.end import CRASH, HANG
from heartline_lab.detect.faults import Fault, Run
from heartline_lab.middlebox import Middlebox
from heartline_lab.network import Direction, Pair
from heartline_lab.processes import START_TIMEOUT, running

Address = tuple[str, Sequence[int]]
"""A host and the ports of the raw sockets, plain gRPC, and Heartline."""

LOOPBACK = "127.0.0.1"
_LOOK_INTERVAL = 0.02
"""Seconds between two tries to reach a proxy that starts."""
SIGNALS = {"close": signal.SIGKILL, "crash": CRASH, "stop": signal.SIGSTOP, "hang": HANG, "proxy": signal.SIGSTOP}
DIRECTIONS: dict[str, Direction] = {"power": "both", "lost-up": "up", "lost-down": "down"}


class Way(Protocol):
    """From a client to its server. `host` is where the server listens."""

    host: str
    client_inside: Sequence[str]
    server_inside: Sequence[str]

    async def open(self, server: Address) -> Address:
        """The server listens; returns where the client finds it."""

    def strike(self, fault: Fault, pid: int | None) -> None:
        """The fault happens, to that program or to the network."""


class Direct:
    """Loopback."""

    host = LOOPBACK
    client_inside: Sequence[str] = ()
    server_inside: Sequence[str] = ()

    async def open(self, server: Address) -> Address:
        """Where it is."""
        return server

    def strike(self, fault: Fault, pid: int | None) -> None:
        """Sends a signal."""
        assert pid is not None
        os.kill(pid, SIGNALS[fault.name])


class Proxied(Direct):
    """HAProxy in between."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def open(self, server: Address) -> Address:
        """Starts it. Raises CommandError when it is not ready in time."""
        # Nobody else listens on an address of ours, so its ports are free.
        host, ports = own_loopback(os.getpid()), server[1]
        proxy = ["-m", "heartline_lab.detect.ends.proxy", haproxy_configuration(host, server)]
        await self._stack.enter_async_context(running(sys.executable, *proxy))
        for _ in range(int(START_TIMEOUT / _LOOK_INTERVAL)):
            if await _listens(host, ports[-1]):
                return host, ports
            await asyncio.sleep(_LOOK_INTERVAL)
        raise CommandError(f"haproxy was not ready within {START_TIMEOUT:g} s", Exit.UNAVAILABLE)


class Cable:
    """Two namespaces."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self.host = pair.server.ip
        self.client_inside: Sequence[str] = pair.client.inside()
        self.server_inside: Sequence[str] = pair.server.inside()

    async def open(self, server: Address) -> Address:
        """Where it is."""
        return server

    def strike(self, fault: Fault, pid: int | None) -> None:
        """Loses packets."""
        if fault.name == "forgot":
            self._pair.forget()
        else:
            self._pair.drop(DIRECTIONS[fault.name])


class Relay(Direct):
    """The lab's own middlebox, one for each port."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._boxes: list[Middlebox] = []

    async def open(self, server: Address) -> Address:
        """Starts them."""
        host, ports = server
        for port in ports:
            box = Middlebox(f"{host}:{port}", listen=f"{LOOPBACK}:0")
            self._boxes.append(await self._stack.enter_async_context(box))
        return LOOPBACK, [int(box.address.rpartition(":")[2]) for box in self._boxes]

    def strike(self, fault: Fault, pid: int | None) -> None:
        """Loses what it was given to relay."""
        for box in self._boxes:
            if fault.name == "forgot":
                box.forget()
            else:
                box.change(black_hole=DIRECTIONS[fault.name])


def way(run: Run, namespaces: bool, stack: AsyncExitStack) -> Way:
    """The way for a run; what it needs is let go when the stack is left."""
    if run.fault.name == "proxy":
        return Proxied(stack)
    if not run.fault.hits_network:
        return Direct()
    return Cable(stack.enter_context(Pair())) if namespaces else Relay(stack)


def haproxy() -> bool:
    """Whether there is one."""
    return shutil.which("haproxy") is not None


def own_loopback(pid: int) -> str:
    """An address of this machine that no other process of the lab takes."""
    return f"127.{(pid >> 16 & 0x3F) + 1}.{pid >> 8 & 0xFF}.{pid & 0xFF}"


def haproxy_configuration(host: str, server: Address) -> str:
    """A proxy without opinions: it has long timeouts, and asks nobody whether he lives."""
    lines = ["defaults", "  timeout connect 5s", "  timeout client 1h", "  timeout server 1h"]
    for port, mode, protocol in zip(server[1], ("tcp", "http", "http"), ("", " proto h2", " proto h2"), strict=True):
        lines += [
            f"frontend f{port}",
            f"  mode {mode}",
            f"  bind {host}:{port}{protocol}",
            f"  default_backend b{port}",
        ]
        lines += [f"backend b{port}", f"  mode {mode}", f"  server s {server[0]}:{port}{protocol}"]
    return "\n".join([*lines, ""])


async def _listens(host: str, port: int) -> bool:
    with suppress(OSError):
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True
    return False
