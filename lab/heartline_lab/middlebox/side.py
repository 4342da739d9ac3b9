"""One end of a connection that the box holds: a socket that never blocks, on the running event loop.

Rules:
- It tells what it hears: bytes, a FIN, or a reset; any failure of the socket counts as a reset.
- It takes one chunk more than the kernel does, and tells when it has `room` again.
"""

import asyncio
import socket
from collections.abc import Callable

from heartline_lab.middlebox.counts import TcpInfo, tcp_info
from heartline_lab.middlebox.link import Item, Mark
from heartline_lab.sockets import end_with_reset

CHUNK = 64 * 1024
"""Bytes that are read at a time."""


class Side:
    """A connected socket. `hear` gets what comes; `drained` is called when there is room again."""

    def __init__(self, sock: socket.socket, hear: Callable[[Item], None], drained: Callable[[], None]) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._hear = hear
        self._drained = drained
        self._unsent = b""
        self._reading = False
        self.ended = False
        """Whether the peer's FIN or a reset was heard."""
        self.broken = False
        """Whether it failed, as it does when the peer resets it."""
        self.closed = False
        self._finished = False

    @property
    def room(self) -> bool:
        """Whether `send` is welcome."""
        return not self._unsent

    def read(self, wanted: bool) -> None:
        """Whether to listen to the peer; at first it does not."""
        wanted = wanted and not self.ended and not self.closed
        if wanted and not self._reading:
            self._loop.add_reader(self._socket, self._readable)
        elif self._reading and not wanted:
            self._loop.remove_reader(self._socket)
        self._reading = wanted

    def send(self, data: bytes) -> None:
        """Hands bytes to the kernel, now or as soon as it takes them."""
        if self.closed or self.broken:
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._fail()
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.add_writer(self._socket, self._writable)

    def finish(self) -> None:
        """Sends FIN, once, and drops what the kernel did not take before."""
        self._drop_unsent()
        if not self.closed and not self.broken and not self._finished:
            self._finished = True
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                self._fail()

    def reset(self) -> None:
        """Ends it with a reset."""
        if not self.closed:
            end_with_reset(self._socket)
            self.close()

    def close(self) -> None:
        """Gives the socket back. What the kernel still has to send, it sends."""
        self._drop_unsent()
        self.read(False)
        self.closed = True
        self._socket.close()

    def info(self) -> TcpInfo:
        """What the kernel tells of it; only before it is closed."""
        return tcp_info(self._socket)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._fail()
            return
        if data:
            self._hear(data)
        else:
            self.ended = True
            self.read(False)
            self._hear(Mark.FIN)

    def _writable(self) -> None:
        data = self._unsent
        self._drop_unsent()
        self.send(data)
        if not self._unsent:
            self._drained()

    def _drop_unsent(self) -> None:
        if self._unsent:
            self._unsent = b""
            self._loop.remove_writer(self._socket)

    def _fail(self) -> None:
        self._drop_unsent()
        self.ended = self.broken = True
        self.read(False)
        self._hear(Mark.RST)
