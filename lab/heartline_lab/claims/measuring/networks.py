"""Networks of their own inside this process: what is changed there (a sysctl, a firewall rule) touches nobody else.

Rules:
- Linux binds a thread to a network, and a socket to the one in which it was made. So a thread goes in, makes its
  sockets, and comes out; these go on working from anywhere. While it is inside, nothing that really waits is awaited.
- A network without a name is gone when the last file of it is closed: a killed process leaves none behind.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """A network namespace, as an open file of it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @contextmanager
    def entered(self) -> Iterator[None]:
        """While the block lasts, this thread is inside."""
        home = _here()
        try:
            _check(_libc.setns(self._fd, _CLONE_NEWNET))
            yield
        finally:
            _check(_libc.setns(home, _CLONE_NEWNET))
            os.close(home)

    def set(self, name: str, value: object) -> None:
        """Sets a sysctl, such as net.ipv4.tcp_ecn. Raises OSError when this kernel has no such value."""
        with self.entered():
            _sysctl(name).write_text(str(value))

    def get(self, name: str) -> str:
        """What a sysctl is set to."""
        with self.entered():
            return _sysctl(name).read_text().strip()

    def run(self, *argv: str) -> None:
        """Runs a program inside. Raises CalledProcessError, FileNotFoundError."""
        with self.entered():
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


@contextmanager
def private() -> Iterator[Network]:
    """A network with nothing but its own loopback. Raises PermissionError without the right to make one."""
    home = _here()
    try:
        _check(_libc.unshare(_CLONE_NEWNET))
        fd = _here()
        _check(_libc.setns(home, _CLONE_NEWNET))
    finally:
        os.close(home)
    try:
        network = Network(fd)
        with network.entered():
            _set_up("lo")
        yield network
    finally:
        os.close(fd)


@contextmanager
def named(name: str) -> Iterator[Network]:
    """The network that `ip netns` knows by this name."""
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        yield Network(fd)
    finally:
        os.close(fd)


def _here() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _sysctl(name: str) -> Path:
    return Path("/proc/sys", *name.split("."))


def _set_up(device: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", device.encode(), _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
