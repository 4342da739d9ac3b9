"""The one writer of a session: answers and heartbeats first, then events from its cursors, in turn.

There is no queue of events: a feed is a cursor, read when the transport has taken the frame before. While the transport
takes nothing, or credit is used up, nothing is read, so a slow client costs one frame, however much is published.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from copy import copy

from heartline.session import Session

from heartline_service.reading.channels import Piece
from heartline_service.reading.cursor import Cursor
from heartline_service.stores.base import StoreError

UNLIMITED = 2**31
"""More events than any batch holds."""
MAX_WAITING = 1000
"""With this many answers waiting to be written, nothing more is read from the client."""
STORE_RETRY = 1.0
"""Seconds before a feed reads again after the store failed."""

log = logging.getLogger("heartline.service")


class Feed:
    """One channel that a session reads: its cursor, and its credit."""

    __slots__ = ("_outbox", "acked", "cursor", "loaded", "loading", "max_unacked", "ready")

    def __init__(self, outbox: "Outbox", cursor: Cursor, max_unacked: int) -> None:
        self.cursor = cursor
        self.max_unacked = max_unacked
        self.acked = cursor.offset
        self.loaded: Piece | None = None
        self.loading: asyncio.Task[None] | None = None
        self.ready = False
        """Whether it stands in line for the writer."""
        self._outbox = outbox

    def wake(self) -> None:
        """The channel has grown, or credit came free."""
        self._outbox.wake(self)

    def room(self) -> int:
        """How many events may be sent now."""
        return self.max_unacked - self.unacked() if self.max_unacked else UNLIMITED

    def unacked(self) -> int:
        """How many events are sent and not acknowledged."""
        return max(0, self.cursor.offset - self.acked)

    def ack(self, offset: int) -> None:
        """The client has handled everything up to here."""
        if offset > self.acked:
            self.acked = min(offset, self.cursor.offset)
            self.wake()

    def take(self) -> Piece | None:
        """The next piece, if it is at hand and there is room; the cursor moves behind it."""
        piece = self.loaded
        if piece is not None:
            self.loaded = None
            self.cursor.move(piece)
        elif (room := self.room()) > 0:
            piece = self.cursor.at_hand(room)
        if piece is not None and piece.gap:
            # After a gap, credit counts from the new place.
            self.acked = self.cursor.offset
        return piece


class Outbox:
    """Writes frames by `write`, one at a time, in the task that is `run`."""

    __slots__ = ("_closing", "_idle", "_line", "_over", "_room", "_session", "_waiting", "_write", "_writer", "feeds")

    def __init__(self, session: Session, write: Callable[[bytes], Awaitable[None]]) -> None:
        self.feeds: dict[str, Feed] = {}
        self._session = session
        self._write = write
        self._waiting: list[bytes] = []
        self._line: list[Feed] = []
        self._idle: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._closing = self._over = False

    def put(self, frame: bytes) -> None:
        """Sends an answer or a heartbeat, before any events."""
        self._waiting.append(frame)
        self._go_on()

    async def room(self) -> None:
        """Waits while too many answers wait."""
        while len(self._waiting) >= MAX_WAITING:
            self._room = self._room or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)

    def add(self, cursor: Cursor, max_unacked: int) -> None:
        """Starts to push a channel."""
        feed = self.feeds[cursor.channel.name] = Feed(self, cursor, max_unacked)
        cursor.channel.watchers.add(feed.wake)
        feed.wake()

    def remove(self, channel: str) -> Feed:
        """Stops to push a channel."""
        feed = self.feeds.pop(channel)
        feed.cursor.channel.watchers.discard(feed.wake)
        if feed.ready:
            self._line.remove(feed)
        if feed.loading is not None:
            feed.loading.cancel()
        return feed

    def wake(self, feed: Feed) -> None:
        """Something may be there for a feed."""
        if not feed.ready:
            feed.ready = True
            self._line.append(feed)
            self._go_on()

    def close(self) -> None:
        """Stops all feeds; `run` returns when what answers still wait are written."""
        self._closing = True
        self._stop_feeds()
        self._go_on()

    def cancel(self) -> None:
        """Stops all feeds, and gives up what is being written; `run` returns."""
        self._over = True
        self._stop_feeds()
        if self._writer is not None and self._writer is not asyncio.current_task():
            self._writer.cancel()

    async def run(self) -> None:
        """Writes until `close` or `cancel`, or until the connection is lost."""
        self._writer = asyncio.current_task()
        create_future = asyncio.get_running_loop().create_future
        try:
            while not self._over:
                frame = self._next()
                if frame is not None:
                    await self._write(frame)
                elif self._closing:
                    break
                else:
                    self._idle = create_future()
                    await self._idle
        except ConnectionError:
            pass
        finally:
            self._writer = None

    def _go_on(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None and not idle.done():
            idle.set_result(None)

    def _stop_feeds(self) -> None:
        for channel in tuple(self.feeds):
            self.remove(channel)

    def _next(self) -> bytes | None:
        if self._waiting:
            if self._room is not None and len(self._waiting) <= MAX_WAITING:
                self._room.set_result(None)
                self._room = None
            return self._waiting.pop(0)
        while self._line:
            feed = self._line.pop(0)
            feed.ready = False
            if feed.loading is not None:
                continue
            piece = feed.take()
            behind = feed.cursor.behind()
            if piece is not None:
                if behind:
                    # To the end of the line: one busy channel does not starve the others.
                    feed.ready = True
                    self._line.append(feed)
                self._session.events_sent += piece.count
                # However long the write takes, it holds the bytes alone.
                return piece.frame()
            if behind and (room := feed.room()) > 0:
                feed.loading = asyncio.get_running_loop().create_task(self._load(feed, room))
        return None

    async def _load(self, feed: Feed, room: int) -> None:
        """Reads from the store beside the writer, so that a slow disk delays no heartbeat."""
        try:
            # By a copy: the cursor shows what was sent, and this piece may be dropped before it is.
            piece = await copy(feed.cursor).read(room)
            feed.loaded = piece if piece.count or piece.gap else None
        except StoreError as error:
            log.warning("reading %r has to wait: %s", feed.cursor.channel.name, error)
            await asyncio.sleep(STORE_RETRY)
        finally:
            feed.loading = None
        feed.wake()
