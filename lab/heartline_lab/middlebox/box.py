"""The middlebox: accepts clients, relays each to the server, and does to them what its faults say.

Rules:
- It belongs to the event loop that opened it: call its methods from there.
- A refused client is refused by the kernel, as where nobody listens: the listening socket is closed, while a second one
  that never listens keeps the port.
- When it ends, what is open gets a reset.
"""

import asyncio
import os
import random as chance
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, Self, Unpack

from heartline.cli.exits import CommandError, Exit

from heartline_lab.middlebox.connection import WAYS, Connection, Path
from heartline_lab.middlebox.counts import Record, Timeline, Totals
from heartline_lab.middlebox.faults import Changes, Faults
from heartline_lab.middlebox.link import Wire

KEPT = 100_000
"""How many records of connections that are gone are kept."""
BACKLOG = 1024
"""Connections that the kernel may hold before they are accepted."""
PAUSE = 0.5
"""Seconds before the next accept when the system has no more sockets to give."""

_Address = tuple[int, Any]
"""An address family and what its sockets take as an address."""


class Middlebox:
    """A TCP relay from `listen` to `upstream`, both HOST:PORT, with faults that can be changed while it runs.

    `random` gives numbers from 0 to 1, for the jitter. `on_failure` gets a sentence for each client that could not be
    served, `on_end` the record of each connection that has ended.
    """

    def __init__(
        self,
        upstream: str,
        *,
        listen: str = "127.0.0.1:0",
        faults: Faults = Faults(),  # noqa: B008 - a frozen value
        random: Callable[[], float] = chance.random,
        on_failure: Callable[[str], None] = lambda sentence: None,
        on_end: Callable[[Record], None] = lambda record: None,
    ) -> None:
        self.address = ""
        """HOST:PORT where it listens, once it is open."""
        self._upstream = upstream
        self._listen = listen
        self._faults = faults
        self._random = random
        self._on_failure = on_failure
        self._on_end = on_end
        self._timeline = Timeline()
        self._gone: deque[Record] = deque(maxlen=KEPT)
        self._past = Totals()
        self._connections: dict[Connection, None] = {}
        self._listener: socket.socket | None = None

    async def __aenter__(self) -> Self:
        """Opens it. Raises CommandError when an address cannot be had."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        (self._family, self._bound), *_ = await _resolve(self._listen)
        self._upstreams = await _resolve(self._upstream)
        self._path = Path(loop.time(), self._faults, {}, self._random, self._timeline, self._dial)
        self._keeper = self._bind()
        self._bound = self._keeper.getsockname()
        self.address = _shown(self._bound)
        try:
            self._apply(self._faults)
        except BaseException:
            self._keeper.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close_listener()
        self._keeper.close()
        for connection in tuple(self._connections):
            connection.reset()
        await asyncio.sleep(0)  # the calls to the server that were under way end, and close their sockets

    @property
    def faults(self) -> Faults:
        """What is wrong now."""
        return self._faults

    def change(self, **changes: Unpack[Changes]) -> None:
        """Changes faults, for all connections there are and will be, or raises ValueError and changes nothing."""
        self._apply(replace(self._faults, **changes))

    def heal(self) -> None:
        """Takes all faults away. What was forgotten or cut stays so."""
        self._apply(Faults())

    def forget(self) -> None:
        """Drops the connections of now in silence, for good: whatever is sent on them disappears."""
        for connection in self._open():
            connection.forget()

    def cut(self, how: Literal["fin", "rst"]) -> None:
        """Ends the connections of now on both sides. Raises ValueError for another word."""
        if how not in ("fin", "rst"):
            raise ValueError(f"a connection is cut by fin or rst, not {how!r}")
        for connection in self._open():
            connection.finish() if how == "fin" else connection.reset()

    def totals(self) -> Totals:
        """What came through since the box opened."""
        records = [connection.record for connection in self._connections]
        return Totals(
            self._past.connections + len(records),
            len(self._open()),
            sum((record.up for record in records), self._past.up),
            sum((record.down for record in records), self._past.down),
        )

    @property
    def connections(self) -> list[Record]:
        """Each connection, in the order in which they opened; of very many, the latest."""
        records = [*self._gone, *(connection.record for connection in self._connections)]
        return sorted(records, key=lambda record: record.opened_at)

    @property
    def timeline(self) -> list[tuple[float, int, int]]:
        """How the bytes grew: (seconds since the box opened, bytes up, bytes down), oldest first."""
        return list(self._timeline.samples)

    def _open(self) -> list[Connection]:
        return [connection for connection in self._connections if connection.open]

    def _apply(self, faults: Faults) -> None:
        if faults.refuse:
            self._close_listener()
        elif self._listener is None:
            self._open_listener()
        now = self._loop.time()
        self._faults = self._path.faults = faults
        self._path.wires = {way: Wire(now) for way in WAYS}
        for connection in self._open():
            connection.changed()

    def _bind(self) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(self._bound)
        except OSError as error:
            sock.close()
            raise CommandError(f"cannot listen on {self._listen}: {error.strerror}", Exit.UNAVAILABLE) from None
        return sock

    def _open_listener(self) -> None:
        listener = self._bind()
        try:
            listener.setblocking(False)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            raise CommandError(f"cannot listen on {self._listen}: {error.strerror}", Exit.UNAVAILABLE) from None
        self._listener = listener
        self._loop.add_reader(listener, self._accept)

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._on_failure(f"cannot accept a client: {error.strerror}")
            self._loop.remove_reader(self._listener)
            self._loop.call_later(PAUSE, self._accept_again)
            return
        connection = Connection(accepted, self._path, self._note_gone)
        self._connections[connection] = None
        connection.start()

    def _accept_again(self) -> None:
        if self._listener is not None:
            self._loop.add_reader(self._listener, self._accept)

    def _note_gone(self, connection: Connection) -> None:
        record = connection.record
        del self._connections[connection]
        self._gone.append(record)
        past = self._past
        self._past = Totals(past.connections + 1, 0, past.up + record.up, past.down + record.down)
        self._on_end(record)

    async def _dial(self) -> socket.socket:
        failure = OSError()
        for family, address in self._upstreams:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                await self._loop.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                failure = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        reason = os.strerror(failure.errno) if failure.errno else str(failure)
        self._on_failure(f"no server answers at {self._upstream}: {reason}; the client got a reset")
        raise failure


async def _resolve(address: str) -> list[_Address]:
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except OSError as error:
        raise CommandError(f"{host!r} is not the name of a host here: {error.strerror}", Exit.UNAVAILABLE) from None
    return [(family, sockaddr) for family, _, _, _, sockaddr in found]


def _shown(address: tuple[Any, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
