"""Many sessions of one server over raw sockets, and what they hear, counted.

Rules: what is awaited is known beforehand, to the frame; one more than that is an error.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from heartline.v1.session_service_pb2 import ConnectResponse

from bench.calls import Call, Connection, connected, within
from bench.script import CONNECT, PUBLISH
from bench.servers import BenchError, Server


class Awaited:
    """Counts down to the last of the frames that are awaited."""

    def __init__(self) -> None:
        self._missing = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def expect(self, frames: int) -> None:
        """From now on as many frames are awaited. Raises BenchError when more came than were awaited before."""
        if self._missing < 0:
            raise BenchError("a session heard more than it should")
        self._missing = frames
        self._done = asyncio.get_running_loop().create_future()
        if not frames:
            self._done.set_result(None)

    def count(self, _frame: bytes) -> None:
        """One came."""
        self._missing -= 1
        if self._missing == 0:
            self._done.set_result(None)

    async def all(self, what: str) -> None:
        """Returns when all have come. Raises BenchError."""
        async with within(what):
            await self._done


async def greeted(
    connections: Sequence[Connection], hellos: Sequence[bytes], frames: int
) -> list[tuple[Call, list[bytes]]]:
    """Opens a session for each hello, spread over the connections; returns them when so many frames came in all."""
    awaited = Awaited()
    awaited.expect(frames)
    sessions: list[tuple[Call, list[bytes]]] = []

    def open_one(connection: Connection, first: bytes) -> None:
        heard: list[bytes] = []

        def hear(frame: bytes) -> None:
            heard.append(frame)
            awaited.count(frame)

        sessions.append((connection.open(CONNECT, first, hear), heard))

    for index, first in enumerate(hellos):
        open_one(connections[index % len(connections)], first)
    await awaited.all(f"the greeting of {len(hellos)} sessions")
    return sessions


def kinds(frames: Sequence[bytes]) -> list[str | None]:
    """What frames of a server are."""
    return [ConnectResponse.FromString(frame).WhichOneof("frame") for frame in frames]


class Crowd:
    """Open sessions. Each counts what it hears from now on."""

    def __init__(self, server: Server, calls: Sequence[Call], control: Connection) -> None:
        self.server = server
        self.calls = calls
        self.control = control
        self.heard = Awaited()
        for call in calls:
            call.heard = self.heard.count

    async def push(self, request: bytes) -> list[bytes]:
        """Publishes, and returns the frame that each session hears next."""
        frames = [b""] * len(self.calls)

        def keep(index: int, frame: bytes) -> None:
            frames[index] = frame
            self.heard.count(frame)

        for index, call in enumerate(self.calls):
            call.heard = partial(keep, index)
        self.heard.expect(len(frames))
        await self.control.ask(PUBLISH, request)
        await self.heard.all("what was published")
        return frames


@asynccontextmanager
async def crowd(
    server: Server, hellos: Sequence[bytes], frames: int, *, sessions_each: int = 1
) -> AsyncIterator[Crowd]:
    """A session for each hello, greeted with so many frames in all, and `sessions_each` on each TCP connection."""
    async with connected(server, 1 - (-len(hellos) // sessions_each)) as (control, *connections):
        opened = await greeted(connections, hellos, frames)
        yield Crowd(server, [call for call, _ in opened], control)
