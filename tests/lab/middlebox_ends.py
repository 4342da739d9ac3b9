"""Raw sockets on both sides of a middlebox: a server that accepts, clients, and what each end sees.

Rules: no wait is longer than GUARD. Box and ends share one event loop, so what was sent has come through, if it comes
through at all, after some `turns` of it; only then is an end called silent.
"""

import asyncio
import errno
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from heartline_lab.middlebox import Middlebox, Record
from heartline_lab.sockets import end_with_reset

GUARD = 30.0
"""Seconds."""


class End:
    """A connected socket."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock

    async def send(self, data: bytes) -> None:
        """Sends all of it."""
        async with asyncio.timeout(GUARD):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def receive(self, size: int) -> bytes:
        """Waits for so many bytes, fewer only if a FIN comes before."""
        loop, data = asyncio.get_running_loop(), b""
        async with asyncio.timeout(GUARD):
            while len(data) < size and (more := await loop.sock_recv(self.sock, size - len(data))):
                data += more
        return data

    async def sees(self) -> str:
        """What comes next: "data", "fin", or "rst"."""
        try:
            return "data" if await self.receive(1) else "fin"
        except ConnectionResetError:
            return "rst"

    async def hears_nothing(self) -> bool:
        """Whether nothing has come: no byte, no FIN, no reset."""
        await turns()
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError as error:
            assert error.errno == errno.ECONNRESET
        return False

    def finish(self) -> None:
        """Sends FIN, and goes on listening."""
        self.sock.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """Sends a reset."""
        end_with_reset(self.sock)
        self.sock.close()


class Network:
    """A middlebox with a server behind it."""

    def __init__(self, box: Middlebox, listener: socket.socket, records: asyncio.Queue[Record]) -> None:
        self.box = box
        self._listener = listener
        self._records = records
        self._ends: list[End] = []

    async def connect(self) -> End:
        """A new client, as soon as the box's kernel has answered. Raises OSError."""
        host, _, port = self.box.address.rpartition(":")
        sock = socket.socket()
        self._ends.append(End(sock))
        async with asyncio.timeout(GUARD):
            await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
        return self._ends[-1]

    async def accept(self) -> End:
        """The server's end of the next client."""
        async with asyncio.timeout(GUARD):
            sock, _ = await asyncio.get_running_loop().sock_accept(self._listener)
        self._ends.append(End(sock))
        return self._ends[-1]

    def waiting(self) -> bool:
        """Whether a client waits at the server's door."""
        return bool(select.select([self._listener], [], [], 0)[0])

    def shut(self) -> None:
        """The server is gone."""
        self._listener.close()

    async def pair(self) -> tuple[End, End]:
        """A client and its server, who have spoken with each other."""
        client = await self.connect()
        server = await self.accept()
        await exchange(client, server)
        return client, server

    async def ended(self) -> Record:
        """The next connection that the box has let go of."""
        async with asyncio.timeout(GUARD):
            return await self._records.get()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for end in self._ends:
            end.sock.close()


async def exchange(client: End, server: End) -> None:
    """A byte up and a byte down."""
    await client.send(b"u")
    assert await server.receive(1) == b"u"
    await server.send(b"d")
    assert await client.receive(1) == b"d"


async def turns() -> None:
    """Lets the box see and do all that it can do now."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def network(**settings: Any) -> AsyncIterator[Network]:
    """A server, and a middlebox to it with these settings."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        upstream = f"127.0.0.1:{listener.getsockname()[1]}"
        records: asyncio.Queue[Record] = asyncio.Queue()
        box = Middlebox(upstream, on_end=records.put_nowait, **settings)
        async with box, Network(box, listener, records) as between:
            yield between
