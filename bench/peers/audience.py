"""Subscribers on raw sockets, each with a TCP connection of its own, and one publisher.

Rules:
- Nothing but system calls and counting happens while a push is on its way, and these in a few looks at all that came
  meanwhile: so the load is cheaper than any server, and no server pays for waking it at each event.
- A push is delivered when every subscriber has every event; an event too many, or a connection that ends, stops the
  benchmark.
"""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.peers.count import Reader
from bench.peers.protocols import Protocol
from bench.servers import BenchError, Server

DELIVERY_TIMEOUT = 30.0
"""Seconds within which a push must have reached everybody."""
_PAUSE = 0.0005
"""Seconds between looks at what has come."""
_AT_ONCE = 25
_READ = 64 * 1024


class Audience:
    """Open connections to one server."""

    def __init__(self, server: Server, protocol: Protocol, mark: bytes, stack: ExitStack) -> None:
        self.server = server
        self.count = 0
        self._protocol = protocol
        self._mark = mark
        self._stack = stack
        self._poll = stack.enter_context(select.epoll())
        self._readers: dict[int, tuple[socket.socket, Reader]] = {}
        self._published = 0
        self._publisher, reader = self._connect(protocol.publisher)
        reader.look_for(mark)

    def join(self, count: int) -> None:
        """Opens connections with so many more subscribers, and returns when each is subscribed."""
        wanted = self.count + count
        while self.count < wanted:
            numbers = range(self.count, min(self.count + _AT_ONCE, wanted))
            readers = [self._connect(self._protocol.subscribe(number))[1] for number in numbers]
            for reader in readers:
                reader.look_for(self._protocol.subscribed)
            self._read(len(readers))
            for reader in readers:
                reader.look_for(self._mark)
            self.count += len(readers)

    def push(self, events: int) -> None:
        """Publishes so many events at once, and returns when every subscriber has each."""
        data = self._protocol.publish(self._published, events)
        self._published += 1
        self._publisher.sendall(data)
        self._read(events * self.count)

    def _connect(self, said: bytes) -> tuple[socket.socket, Reader]:
        one = self._stack.enter_context(socket.create_connection(("127.0.0.1", self.server.port), DELIVERY_TIMEOUT))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.sendall(said)
        one.setblocking(False)
        reader = self._protocol.reader()
        self._readers[one.fileno()] = one, reader
        self._poll.register(one.fileno(), select.EPOLLIN)
        return one, reader

    def attend(self) -> int:
        """Reads what has come, gives what the protocol wants back, and returns how many events that were."""
        found = 0
        for number, _ in self._poll.poll(0):
            one, reader = self._readers[number]
            data = one.recv(_READ)
            if not data:
                raise BenchError(f"the server on port {self.server.port} closed a connection")
            found += reader.feed(data)
            if reader.owed:
                one.sendall(reader.owed)
                reader.owed = b""
        return found

    def _read(self, missing: int) -> None:
        deadline = time.monotonic() + DELIVERY_TIMEOUT
        while missing > 0:
            time.sleep(_PAUSE)
            missing -= self.attend()
            if time.monotonic() > deadline:
                raise BenchError(f"{missing} events did not come within {DELIVERY_TIMEOUT:g} s")
        if missing < 0:
            raise BenchError(f"{-missing} more events came than were published")


@contextmanager
def audience(server: Server, protocol: Protocol, mark: bytes) -> Iterator[Audience]:
    """An audience with nobody in it yet, which leaves when the block ends; `mark` ends each event."""
    with ExitStack() as stack:
        yield Audience(server, protocol, mark, stack)
