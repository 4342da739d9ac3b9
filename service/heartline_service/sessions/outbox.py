"""The one writer of a session: answers and heartbeats first, then events from its cursors, in turn.

There is no queue of events: a feed is a cursor, read when the transport has taken the frame before. While the transport
takes nothing, or credit is used up, nothing is read, so a slow client costs one frame, however much is published.
"""

import asyncio
import logging
from collections import deque
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

    __slots__ = ("_outbox", "acked", "cursor", "loaded", "loading", "max_unacked")

    def __init__(self, outbox: "Outbox", cursor: Cursor, max_unacked: int) -> None:
        self.cursor = cursor
        self.max_unacked = max_unacked
        self.acked = cursor.offset
        self.loaded: Piece | None = None
        self.loading: asyncio.Task[None] | None = None
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

    def moved(self, piece: Piece) -> None:
        """A piece is on its way. After a gap, credit counts from the new place."""
        if piece.batch.HasField("gap"):
            self.acked = self.cursor.offset


class Outbox:
    """Writes frames by `write`, one at a time; calls `lost` when that fails."""

    __slots__ = ("_closing", "_lost", "_ready", "_room", "_session", "_waiting", "_write", "_writer", "feeds")

    def __init__(self, session: Session, write: Callable[[bytes], Awaitable[None]], lost: Callable[[], None]) -> None:
        self.feeds: dict[str, Feed] = {}
        self._session = session
        self._write = write
        self._lost = lost
        self._waiting: deque[bytes] = deque()
        self._ready: dict[Feed, None] = {}
        self._writer: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._closing: Callable[[], None] | None = None

    def put(self, frame: bytes) -> None:
        """Sends an answer or a heartbeat, before any events."""
        self._waiting.append(frame)
        self._start()

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
        self._ready.pop(feed, None)
        if feed.loading is not None:
            feed.loading.cancel()
        return feed

    def wake(self, feed: Feed) -> None:
        """Something may be there for a feed."""
        self._ready[feed] = None
        if self._writer is None:
            self._start()

    def close(self, then: Callable[[], None]) -> None:
        """Stops all feeds, writes what answers still wait, then calls back."""
        for channel in tuple(self.feeds):
            self.remove(channel)
        self._closing = then
        self._start()

    def cancel(self) -> None:
        """Gives up what is being written."""
        self._closing = None
        for channel in tuple(self.feeds):
            self.remove(channel)
        if self._writer is not None:
            self._writer.cancel()

    def _start(self) -> None:
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while True:
                if self._waiting:
                    frame = self._waiting.popleft()
                    if self._room is not None and len(self._waiting) < MAX_WAITING:
                        self._room.set_result(None)
                        self._room = None
                elif (piece := self._next_piece()) is not None:
                    self._session.events_sent += piece.count
                    frame = piece.frame()
                    # However long the write takes, it holds the bytes alone.
                    del piece
                else:
                    break
                await self._write(frame)
        except ConnectionError:
            self._lost()
        except Exception:
            log.exception("a session's writer failed")
            self._lost()
        finally:
            self._writer = None
        if self._closing is not None:
            self._closing()

    def _next_piece(self) -> Piece | None:
        while self._ready:
            feed = next(iter(self._ready))
            del self._ready[feed]
            if feed.loading is not None:
                continue
            piece, feed.loaded = feed.loaded, None
            if piece is not None:
                feed.cursor.move(piece)
            elif (room := feed.room()) > 0:
                piece = feed.cursor.at_hand(room)
                if piece is None and feed.cursor.behind():
                    feed.loading = asyncio.get_running_loop().create_task(self._load(feed, room))
            if piece is not None:
                feed.moved(piece)
                # Back to the end of the line: one busy channel does not starve the others.
                self._ready[feed] = None
                return piece
        return None

    async def _load(self, feed: Feed, room: int) -> None:
        """Reads from the store beside the writer, so that a slow disk delays no heartbeat."""
        try:
            # By a copy: the cursor shows what was sent, and this piece may be dropped before it is.
            piece = await copy(feed.cursor).read(room)
            feed.loaded = piece if piece.count or piece.batch.HasField("gap") else None
        except StoreError as error:
            log.warning("reading %r has to wait: %s", feed.cursor.channel.name, error)
            await asyncio.sleep(STORE_RETRY)
        finally:
            feed.loading = None
        feed.wake()
