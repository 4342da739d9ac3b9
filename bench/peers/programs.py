"""The peers' own servers, each a child on a free port of the loopback, with nothing set that slows or speeds it.

Rules: a program that is not on the PATH is told, with how to get it, and left out; nothing is installed.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

from heartline_lab.processes import first_line, running

from bench import servers
from bench.peers import protocols
from bench.peers.protocols import Protocol
from bench.servers import Server

_ERRORS_TOO = ("sh", "-c", 'exec "$@" 2>&1', "sh")
"""Runs a program whose errors come with its output: that is where some say that they are ready."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server that brings events to subscribers."""

    name: str
    program: str
    remedy: str
    asked: str
    """The flag that makes it tell its version."""
    flags: tuple[str, ...]
    """With {port} where its port goes, and {file} where a file with its settings."""
    ready: str
    """What it prints when it takes connections."""
    protocol: Callable[[bytes], Protocol]
    settings: str = ""
    """What is in that file, with {port} where its port goes."""

    @property
    def path(self) -> str | None:
        """Where it is; Debian keeps servers where not every user's PATH leads."""
        return shutil.which(self.program, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))

    def version(self) -> str:
        """What it says of itself."""
        said = subprocess.run(
            [self.path or self.program, self.asked], capture_output=True, text=True, timeout=20, check=False
        )
        found = re.search(r"\d+(\.\d+)+", said.stdout)
        return found[0] if found else "unknown"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Server]:
        """Runs it until the block ends. Raises CommandError when it does not start."""
        port = _free_port()
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.settings.format(port=port))
            file.flush()
            flags = (flag.format(port=port, file=file.name) for flag in self.flags)
            async with running(*servers.pinned(), *_ERRORS_TOO, self.path or self.program, *flags) as process:
                await first_line(process, self.program, self.ready)
                yield Server(process.pid, port, ours=False)


NATS = Peer(
    name="NATS",
    program="nats-server",
    remedy="apt-get install nats-server",
    asked="--version",
    flags=("-a", "127.0.0.1", "-p", "{port}"),
    ready="Server is ready",
    protocol=protocols.nats,
)
MOSQUITTO = Peer(
    name="Mosquitto",
    program="mosquitto",
    remedy="apt-get install mosquitto",
    asked="-h",
    flags=("-c", "{file}"),
    ready=" running",
    protocol=protocols.mqtt,
    settings="listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nconnection_messages false\n",
)
REDIS = Peer(
    name="Redis pub/sub",
    program="redis-server",
    remedy="apt-get install redis-server",
    asked="--version",
    flags=("--bind", "127.0.0.1", "--port", "{port}", "--save", ""),
    ready="Ready to accept connections",
    protocol=protocols.redis,
)
PEERS = (NATS, MOSQUITTO, REDIS)


def versions() -> dict[str, str]:
    """The versions of the peers that this machine has."""
    return {peer.name: peer.version() for peer in PEERS if peer.path}


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
