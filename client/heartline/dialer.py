"""Opens sessions and lets them go: each with a connection of its own, which ends when it does."""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from heartline.convert import to_duration
from heartline.network import Connection
from heartline.status import Status
from heartline.stream import Stream
from heartline.timing import EARLIEST_BEAT
from heartline.v1.session_service_pb2 import Hello

JITTER = (EARLIEST_BEAT, 0.95)
"""The client beats after this share of the interval, so before the server's turn: the two do not beat at once."""
GOODBYE_TIMEOUT = 2.0
"""For how many seconds to wait for the server's goodbye."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user asked for. Times in seconds; None leaves it to the server."""

    client_id: str
    transport: Literal["auto", "stream", "poll"]
    heartbeat_interval: float | None
    heartbeat_timeout: float | None
    status: Status


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world around a line: how to reach the server, chance, and the wall clock (Unix time in seconds)."""

    dial: Callable[[], Connection]
    chance: random.Random
    wall_clock: Callable[[], float]


class Dialer:
    """Makes the sessions of one line. `on_beat` gets each round-trip, in seconds."""

    def __init__(self, settings: Settings, world: Surroundings, on_beat: Callable[[float], None]) -> None:
        interval, timeout = settings.heartbeat_interval, settings.heartbeat_timeout
        self._hello = Hello(  # made here, so that what cannot be sent is an error of `connect`
            client_id=settings.client_id,
            heartbeat_interval=None if interval is None else to_duration(interval),
            heartbeat_timeout=None if timeout is None else to_duration(timeout),
            status=settings.status.now(),
        )
        self._status = settings.status
        self._world = world
        self._on_beat = on_beat
        self._connections: dict[Stream, Connection] = {}
        self._farewells: set[asyncio.Task[None]] = set()

    async def open(self, replaces: str, until: "Iterable[asyncio.Future[None]]" = ()) -> Stream:
        """Tries to open a session: `live` when it worked, else ended. It gives up when one of `until` is done."""
        hello = Hello(replaces=replaces)
        hello.MergeFrom(self._hello)
        hello.status = self._status.now()
        connection = self._world.dial()
        stream = Stream(
            connection.open_session(),
            hello,
            jitter=lambda: self._world.chance.uniform(*JITTER),
            wall_clock=self._world.wall_clock,
            status=self._status.news,
            on_beat=self._on_beat,
        )
        self._connections[stream] = connection
        waited: set[asyncio.Future[Any]] = {stream.opened, stream.ended, *until}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not stream.live:
            await self.hang_up(stream)
        return stream

    async def hang_up(self, stream: Stream) -> None:
        """Ends a session without a word, and its connection."""
        await stream.close()
        connection = self._connections.pop(stream, None)
        if connection is not None:
            await connection.close()

    async def say_goodbye(self, stream: Stream, *, returning: bool = False, check_out: bool = False) -> None:
        """Ends a session as the contract wants it, and its connection."""
        stream.say_goodbye(returning=returning, check_out=check_out)
        await asyncio.wait({stream.ended}, timeout=GOODBYE_TIMEOUT)
        await self.hang_up(stream)

    def move_away(self, stream: Stream) -> None:
        """Says a returning goodbye in the background."""
        task = asyncio.create_task(self.say_goodbye(stream, returning=True))
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def close(self) -> None:
        """Ends all sessions that are left."""
        for task in self._farewells:
            task.cancel()
        await asyncio.gather(*self._farewells, return_exceptions=True)
        await asyncio.gather(*map(self.hang_up, list(self._connections)))
