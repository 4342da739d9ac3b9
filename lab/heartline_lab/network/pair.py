"""Two network namespaces joined by a cable, made and removed.

Whatever ends the run removes them, Ctrl-C and SIGTERM too. What a killed run left is removed when the next one makes a
pair.
"""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from heartline.cli.exits import CommandError, Exit

from heartline_lab.network import commands
from heartline_lab.network.commands import DEVICE, Direction, Host, Loss

_numbers = itertools.count(1)


class NoNamespaces(CommandError):
    """Namespaces cannot be made here. `need` is what is missing, in a word: "root" or "ip"."""

    def __init__(self, need: str, text: str) -> None:
        super().__init__(text, Exit.UNAVAILABLE)
        self.need = need


class Pair:
    """A client's and a server's namespace with a cable between them, while the block lasts.

    Faults last until `heal`. Raises NoNamespaces where namespaces cannot be made.
    """

    def __init__(self) -> None:
        self.client, self.server = commands.hosts(os.getpid(), next(_numbers))
        self._losses: frozenset[Loss] = frozenset()
        self._pulled = False

    def __enter__(self) -> Self:
        if shutil.which("ip") is None:
            raise NoNamespaces("ip", "network namespaces need the program ip: apt-get install iproute2")
        if os.geteuid() != 0:
            raise NoNamespaces("root", "network namespaces need root: try it with sudo")
        _remove(commands.left_behind(_ip("netns", "list"), _lives))
        try:
            self._make()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remove()

    def __str__(self) -> str:
        return commands.described(self._pulled, self._losses)

    def pull(self) -> None:
        """Takes the cable out: the server's link is down, and the client's has no carrier."""
        _batch([f"link set {DEVICE} down"], self.server)
        self._pulled = True

    def drop(self, direction: Direction) -> None:
        """Loses all packets in that direction from now on, and in no other. Nobody is told."""
        self._lose({loss for loss in self._losses if loss.client_port is not None} | commands.losses(direction))

    def forget(self) -> None:
        """Loses, both ways, the TCP connections that there are now, as a middlebox does that forgot them."""
        # gRPC speaks IPv4 over IPv6's sockets, which are listed apart, and not at all where there is no IPv6.
        tables = _said([*self.client.inside(), "cat", "/proc/self/net/tcp", "/proc/self/net/tcp6"]).stdout
        self._lose(self._losses | commands.forgetting(commands.ports_in_use(tables)))

    def heal(self) -> None:
        """All is well again."""
        if self._pulled:
            _batch([f"link set {DEVICE} up"], self.server)
            self._pulled = False
        self._lose(())

    def _make(self) -> None:
        try:
            _batch(commands.making(self.client, self.server))
        except CommandError as error:
            raise NoNamespaces("root", f"network namespaces cannot be made, even as root: {error}") from None
        for host in (self.client, self.server):
            _batch(commands.waking(host), host)

    def _lose(self, wanted: Iterable[Loss]) -> None:
        after = frozenset(wanted)
        for end, host in (("server", self.server), ("client", self.client)):
            healed = [f"rule del {loss.rule()}" for loss in self._losses - after if loss.at == end]
            lost = [f"rule add {loss.rule()}" for loss in after - self._losses if loss.at == end]
            _batch([*lost, *healed], host)
        self._losses = after

    def _remove(self) -> None:
        # One that was never made is no error: whatever broke off the making is what is told.
        _remove([self.client.name, self.server.name])


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(names: list[str]) -> None:
    if names:
        _said(["ip", "-force", "-batch", "-"], [f"netns delete {name}" for name in names])


def _batch(lines: Sequence[str], host: Host | None = None) -> None:
    if lines:
        _run(["ip", *(["-n", host.name] if host else []), "-batch", "-"], lines)


def _ip(*words: str) -> str:
    return _run(["ip", *words])


def _run(argv: Sequence[str], lines: Sequence[str] = ()) -> str:
    done = _said(argv, lines)
    if done.returncode != 0:
        raise CommandError(f"ip: {(done.stderr.strip() or 'it failed').splitlines()[0]}", Exit.UNAVAILABLE)
    return done.stdout


def _said(argv: Sequence[str], lines: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
    # A group of its own: Ctrl-C is ours to hand on, and must not break off half of it.
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=False, process_group=0)
