"""One connection through the middlebox: two sockets, a link each way between them, and how it ends.

Rules:
- A handshake travels first, as real ones do: the server hears of a client after three ways, the client of the server
  after four. The client's own `connect` returns before that, as the box's kernel has answered it.
- A FIN goes on one way while the other way goes on. A failure on one side is a reset on the other.
- A connection that is over (reset, ended or forgotten by the box) hears its ends out and passes nothing on. It lets go
  of its sockets when both ends have closed; nothing but the box's end takes them from ends that do not.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from heartline_lab.middlebox.counts import Flow, Record, Timeline
from heartline_lab.middlebox.faults import Faults, Way
from heartline_lab.middlebox.link import Item, Link, Mark, Wire
from heartline_lab.middlebox.side import Side

WAYS: tuple[Way, Way] = ("up", "down")
LINGER = (0.001, 0.004, 0.02, 0.1, 0.5, 2.0)
"""Seconds between looks at whether the client's kernel has acknowledged the end, which still counts as a segment."""


@dataclass(slots=True)
class Path:
    """What all connections share. The box changes it."""

    opened_at: float
    faults: Faults
    wires: dict[Way, Wire]
    random: Callable[[], float]
    timeline: Timeline
    dial: Callable[[], Awaitable[socket.socket]]
    """Connects to the server. Raises OSError."""


class Connection:
    """A client that was accepted. `gone` is called when both its sockets are given back."""

    def __init__(self, accepted: socket.socket, path: Path, gone: Callable[["Connection"], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._gone = gone
        self._client = Side(accepted, partial(self._heard, "up"), partial(self._pump, "down"))
        self._server: Side | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._links: dict[Way, Link] = {way: Link(way, path.random) for way in WAYS}
        self._timers: dict[Way | Literal["idle", "linger"], asyncio.TimerHandle] = {}
        self._shaken = False
        self._finished: set[Way] = set()
        self._active_at = self._loop.time()
        self._opened_at = self._active_at - path.opened_at
        self._closed_at: float | None = None
        self._bytes = {"up": 0, "down": 0}
        self._final: tuple[int, int] | None = None

    def start(self) -> None:
        """Begins; not in the constructor, as it may end at once."""
        self.changed()
        self._put("up", Mark.SYN)

    @property
    def open(self) -> bool:
        """Whether the box still relays it."""
        return self._closed_at is None

    @property
    def record(self) -> Record:
        """How it is now."""
        up, down = self._final or self._segments()
        return Record(self._opened_at, self._closed_at, Flow(self._bytes["up"], up), Flow(self._bytes["down"], down))

    def changed(self) -> None:
        """The faults have changed."""
        if self.open:
            self._watch_idle()
            for way in WAYS:
                self._pump(way)

    def forget(self) -> None:
        """Nothing is passed on any more, and nobody is told."""
        if self.open:
            self._over()
            self._let_go_if_ended()

    def finish(self) -> None:
        """Both ends get a FIN."""
        if self.open:
            self._over()
            for side in self._sides():
                side.finish()
            self._let_go_if_ended()

    def reset(self) -> None:
        """Both ends get a reset, even if it is over."""
        self._over()
        if self._server is not None:
            self._server.reset()
        if not self._client.closed:
            self._settle(abort=True)

    def _heard(self, way: Way, item: Item) -> None:
        if isinstance(item, bytes) and way == "up":
            self._count("up", len(item))
        if self.open:
            self._put(way, item)
        else:
            self._let_go_if_ended()

    def _put(self, way: Way, item: Item) -> None:
        self._active_at = self._loop.time()
        self._links[way].put(self._active_at, item)
        self._pump(way)

    def _pump(self, way: Way) -> None:
        link, path = self._links[way], self._path
        now = self._loop.time()
        while self.open:
            target = self._server if way == "up" else self._client
            item = link.take(now, path.faults, path.wires[way], target is not None and target.room)
            if item is None:
                break
            self._deliver(way, item, target)
        if not self.open:
            return
        source = self._client if way == "up" else self._server
        if source is not None and self._shaken:
            source.read(not link.full)
        self._arm(way, link.deadline(now, path.faults), partial(self._pump, way))

    def _deliver(self, way: Way, item: Item, target: Side | None) -> None:
        if item is Mark.SYN:
            self._put("down", Mark.SYN_ACK)
        elif item is Mark.SYN_ACK:
            self._shaken = True
            self._put("up", Mark.ACK)
        elif item is Mark.ACK:
            self._dialling = asyncio.create_task(self._dial())
        elif item is Mark.RST or target is None:
            self.reset()
        elif item is Mark.FIN:
            target.finish()
            self._finished.add(way)
            if self.open and len(self._finished) == len(WAYS):
                self._over()
                self._let_go()
        elif isinstance(item, bytes):
            if way == "down" and not target.broken:
                self._count("down", len(item))
            target.send(item)

    async def _dial(self) -> None:
        try:
            sock = await self._path.dial()
        except OSError:
            self._put("down", Mark.RST)
            return
        self._server = Side(sock, partial(self._heard, "down"), partial(self._pump, "up"))
        for way in WAYS:
            self._pump(way)

    def _count(self, way: Way, size: int) -> None:
        self._bytes[way] += size
        now = self._loop.time() - self._path.opened_at
        self._path.timeline.add(now, size if way == "up" else 0, size if way == "down" else 0)

    def _watch_idle(self) -> None:
        faults = self._path.faults
        at = faults.idle_at(self._active_at)
        if at is None or at > self._loop.time():
            self._arm("idle", at, self._watch_idle)
        elif faults.idle_action == "rst":
            self.reset()
        else:
            self.forget()

    def _arm(self, name: Way | Literal["idle", "linger"], at: float | None, then: Callable[[], None]) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        if at is not None:
            self._timers[name] = self._loop.call_at(at, then)

    def _over(self) -> None:
        if self._closed_at is None:
            self._closed_at = self._loop.time() - self._path.opened_at
        for name in tuple(self._timers):
            self._arm(name, None, self._let_go)
        if self._dialling is not None:
            self._dialling.cancel()
        for side in self._sides():
            side.read(True)

    def _sides(self) -> list[Side]:
        return [side for side in (self._client, self._server) if side is not None]

    def _let_go_if_ended(self) -> None:
        if all(side.ended for side in self._sides()):
            self._let_go()

    def _let_go(self, looks: int = 0) -> None:
        if self._client.closed:
            return
        if self._server is not None:
            self._server.close()
        self._client.finish()
        if self._client.broken or self._client.info().closed or looks == len(LINGER):
            self._settle(abort=False)
        else:
            self._arm("linger", self._loop.time() + LINGER[looks], partial(self._let_go, looks + 1))

    def _settle(self, *, abort: bool) -> None:
        info = self._client.info()
        self._final = (info.segments_in, info.segments_out + (abort and info.resettable))
        if abort:
            self._client.reset()
        else:
            self._client.close()
        self._gone(self)

    def _segments(self) -> tuple[int, int]:
        info = self._client.info()
        return info.segments_in, info.segments_out
