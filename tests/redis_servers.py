"""Redis servers for tests: the real program, on free ports of the loopback, each in a folder of its own.

Rules:
- A server is ready when it has said so; a cluster is when each of its servers has.
- Tests that share a server begin with it emptied.
"""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import redis
from e2e.process import Program
from tools import path

SLOTS = 16384


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Certificate(NamedTuple):
    """A certificate for the loopback, and its key."""

    file: Path
    key: Path

    def flags(self, port: int) -> tuple[str, ...]:
        """What lets a server speak TLS at a port, to whoever checks this certificate."""
        files = (
            "--tls-cert-file",
            str(self.file),
            "--tls-key-file",
            str(self.key),
            "--tls-ca-cert-file",
            str(self.file),
        )
        return ("--tls-port", str(port), *files, "--tls-auth-clients", "no", "--tls-cluster", "yes")


def certificate(folder: Path) -> Certificate:
    """One that vouches for itself. Needs openssl."""
    made = Certificate(folder / "redis.crt", folder / "redis.key")
    kind = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1")
    whose = ("-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-out", str(made.file), "-keyout", str(made.key))
    subprocess.run([path("openssl"), "req", *kind, *whose, *files], check=True, capture_output=True)
    return made


class RedisServer(Program):
    """`redis-server`. Without flags it keeps nothing on the disk. With `tls`, its URL is the one for that."""

    def __init__(self, folder: Path, *flags: str, port: int = 0, tls: Certificate | None = None) -> None:
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        if tls is not None:
            secure_port = free_port()
            flags = (*tls.flags(secure_port), *flags)
            self.url = f"rediss://127.0.0.1:{secure_port}?ssl_ca_certs={tls.file}"
        self._flags = flags
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        keeping = () if "--appendonly" in flags else ("--save", "")
        where = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder))
        super().__init__(path("redis"), *where, *keeping, *flags)

    def ready(self) -> Self:
        """Waits until it takes connections."""
        self.out.wait("Ready to accept connections")
        return self

    def again(self) -> "RedisServer":
        """Another one in its place, with what it left on the disk."""
        return RedisServer(self._folder, *self._flags, port=self.port)

    def ask(self, *command: Any) -> Any:
        """Asks it something."""
        with closing(redis.Redis(port=self.port)) as client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]


class RedisCluster:
    """A Redis Cluster of servers that have a share of the slots each."""

    def __init__(self, servers: Sequence[RedisServer]) -> None:
        self.servers = servers
        self.url = servers[0].url

    def empty(self) -> None:
        """Takes everything out of it."""
        for server in self.servers:
            server.ask("FLUSHALL")


@contextmanager
def one_redis(folder: Path, *flags: str, tls: Certificate | None = None) -> Iterator[RedisServer]:
    """A server that runs for the time of a test."""
    with RedisServer(folder, *flags, tls=tls) as server:
        yield server.ready()


@contextmanager
def redis_cluster(folder: Path, count: int = 3, tls: Certificate | None = None) -> Iterator[RedisCluster]:
    """A cluster that is whole and takes commands."""
    with ExitStack() as stack:
        servers = []
        for number in range(count):
            flags = ("--repl-diskless-sync-delay", "0", "--cluster-enabled", "yes", "--cluster-port", str(free_port()))
            servers.append(stack.enter_context(RedisServer(folder / str(number), *flags, tls=tls)).ready())
        bounds = [SLOTS * number // count for number in range(count + 1)]
        for number, server in enumerate(servers):
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            server.ask("CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
            first = servers[0]
            server.ask("CLUSTER", "MEET", "127.0.0.1", first.port, first._flags[-1])
        for server in servers:
            server.out.wait("Cluster state changed: ok")
        yield RedisCluster(servers)
