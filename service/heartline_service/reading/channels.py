"""Channels in memory: the head of each log, its newest events, and who waits for more.

Sessions at the same cursor share one Piece, so a push to many encodes once. A channel lives here while somebody reads
it, and a while longer; the log itself is the store's.
"""

import asyncio
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from heartline.v1 import events_pb2, session_service_pb2

from heartline_service import wire
from heartline_service.reading.log import GapKind, Tail, fitting
from heartline_service.stores.base import Head, Store, StoredEvent
from heartline_service.stores.shared import SharedStore

BATCH_BYTES = 256 * 1024
"""A batch holds at most this, or one event."""
EVENT_BYTES = BATCH_BYTES - 1024
"""How much of it is for events: the names of the channel and of its log take the rest."""
RECENT_CHANNELS = 128
"""How many channels keep their tail in memory when nobody reads them."""
SHARED_PIECES = 8
"""How many pieces a channel keeps for readers at the same cursors."""

Watcher = Callable[[], None]
"""Called when the channel has grown."""


class Piece:
    """A batch on its way: made once, sent to every reader at the same cursor."""

    __slots__ = ("_frame", "batch", "count", "end", "gap")

    def __init__(self, batch: events_pb2.Batch) -> None:
        self.batch = batch
        self.count = len(batch.events)
        self.end = batch.position.offset
        self.gap = batch.HasField("gap")
        self._frame: bytes | None = None

    def frame(self) -> bytes:
        """The batch as a frame of a session."""
        if self._frame is None:
            self._frame = session_service_pb2.ConnectResponse(events=self.batch).SerializeToString()
        return self._frame


class Channel:
    """One channel. `head` has no epoch until it was loaded; Channels.get gives only loaded ones."""

    __slots__ = ("__weakref__", "_pieces", "_readings", "_store", "_tail", "head", "name", "watchers")

    def __init__(self, name: str, store: Store) -> None:
        self.name = name
        self.head = Head("", 1, 0)
        self.watchers: set[Watcher] = set()
        self._store = store
        self._tail: Tail | None = None
        self._pieces: dict[tuple[int, int], Piece] = {}
        self._readings: dict[tuple[int, int], asyncio.Task[Piece]] = {}

    async def load(self) -> None:
        """Asks the store where the log stands, unless a change has told it already."""
        if self._tail is None:
            head = await self._store.head(self.name)
            if self._tail is None:
                self.head, self._tail = head, Tail(head.latest)

    def knows(self, epoch: str, offset: int) -> bool:
        """Whether a position ("" is the log that is there now) is of what this node has heard of."""
        return epoch in ("", self.head.epoch) and offset <= self.head.latest

    def changed(self, head: Head, events: Sequence[StoredEvent]) -> None:
        """Takes in what the store committed, and wakes who waits for it."""
        same_log = head.epoch == self.head.epoch
        known = self.head.latest if same_log else 0
        fresh = [event for event in events if event.offset > known]
        start = fresh[0].offset - 1 if fresh else max(head.latest, known)
        # A store that nodes share may leave events out, for readers to read them from there.
        if self._tail is None or not same_log or self._tail.end != start:
            self._tail = Tail(start)
        self._tail.grow(fresh)
        self._pieces.clear()
        # The head that `load` read may be newer than a change that was still on its way.
        self.head = Head(head.epoch, max(head.oldest, self.head.oldest), max(head.latest, known)) if same_log else head
        for wake in tuple(self.watchers):
            wake()

    def at_hand(self, after: int, max_events: int) -> Piece | None:
        """The events after an offset, from memory; None when they are not there."""
        key = (after, min(max_events, self.head.latest - after))
        piece = self._pieces.get(key)
        if piece is None and self._tail is not None:
            events = self._tail.read(after, max_events, EVENT_BYTES)
            if events:
                if len(self._pieces) >= SHARED_PIECES:
                    self._pieces.clear()
                piece = self._pieces[key] = self._piece(events, events[-1].offset)
        return piece

    async def read(self, after: int, max_events: int) -> Piece:
        """The events after an offset, from the store. Readers at the same cursor share the reading too."""
        key = (after, max_events)
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = asyncio.get_running_loop().create_task(self._read(after, max_events))
            reading.add_done_callback(partial(self._was_read, key))
        return await asyncio.shield(reading)

    def _was_read(self, key: tuple[int, int], reading: "asyncio.Task[Piece]") -> None:
        del self._readings[key]
        if not reading.cancelled():
            # Looked at, so that asyncio does not complain when all who waited are gone.
            reading.exception()

    async def _read(self, after: int, max_events: int) -> Piece:
        stored = await self._store.read(self.name, after, max_events, EVENT_BYTES)
        # Where nodes share a store, it may have more than this node has heard of, which would put a reader ahead.
        heard_of = [event for event in stored if event.offset <= self.head.latest]
        events = fitting(heard_of, 0, max_events, EVENT_BYTES)
        return self._piece(events, events[-1].offset if events else after)

    def empty(self, offset: int, gap: GapKind | None = None, oldest: int = 0, epoch: str = "") -> Piece:
        """A batch without events: where the reader stands (in this log, unless told), and perhaps what it missed."""
        missed = None
        if gap is not None:
            missed = wire.gap(gap, Head(self.head.epoch, max(oldest, self.head.oldest), self.head.latest))
        return self._piece((), offset, epoch, missed)

    def _piece(
        self, events: Sequence[StoredEvent], offset: int, epoch: str = "", gap: events_pb2.Gap | None = None
    ) -> Piece:
        epoch = epoch or self.head.epoch
        batch = wire.batch(self.name, epoch, events, wire.position(self.name, epoch, offset))
        if gap is not None:
            batch.gap.CopyFrom(gap)
        return Piece(batch)


class Channels:
    """All channels that anybody reads, and those that were read lately."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._forget = store.forget if isinstance(store, SharedStore) else None
        self._known: weakref.WeakValueDictionary[str, Channel] = weakref.WeakValueDictionary()
        self._recent: OrderedDict[str, Channel] = OrderedDict()

    def at_hand(self, name: str) -> Channel | None:
        """The channel, if it is loaded already. Hold it for as long as you wait for changes."""
        channel = self._known.get(name)
        return self._note(channel) if channel is not None and channel.head.epoch else None

    async def get(self, name: str) -> Channel:
        """The channel, loaded. Hold it for as long as you wait for changes. Raises StoreError."""
        channel = self._known.get(name)
        if channel is None:
            channel = self._known[name] = Channel(name, self._store)
            if self._forget is not None:
                weakref.finalize(channel, self._gone, name).atexit = False
        if not channel.head.epoch:
            await channel.load()
        return self._note(channel)

    def _note(self, channel: Channel) -> Channel:
        name = channel.name
        self._recent[name] = channel
        self._recent.move_to_end(name)
        if len(self._recent) > RECENT_CHANNELS:
            self._recent.popitem(last=False)
        return channel

    async def hear_of(self, channel: Channel, epoch: str, offset: int) -> None:
        """Makes sure that a position is not only of what this node has not heard of yet. Raises StoreError.

        Where nodes share a store, another may have shown it. The first look may be one that began before that.
        """
        for _ in range(2 if self._forget is not None else 0):
            if channel.knows(epoch, offset):
                return
            await self._store.head(channel.name)

    def _gone(self, name: str) -> None:
        if self._forget is not None and name not in self._known:
            self._forget(name)

    def changed(self, name: str, head: Head, events: Sequence[StoredEvent]) -> None:
        """The store's `on_change`."""
        channel = self._known.get(name)
        if channel is not None:
            channel.changed(head, events)
