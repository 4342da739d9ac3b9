"""A reader's place in a channel, and the one read that both ways of calling are made of.

A poll reads once from a cursor; a session does the same read each time the log has grown.
"""

from heartline.v1 import events_pb2

from heartline_service.checks import Wish
from heartline_service.faults import Fault
from heartline_service.reading.channels import Channel, Channels, Piece
from heartline_service.reading.log import GapKind, place
from heartline_service.stores.base import Acked, Head, Store


class Cursor:
    """Where one reader stands. Reading moves it."""

    __slots__ = ("channel", "epoch", "offset")

    def __init__(self, channel: Channel, epoch: str, offset: int) -> None:
        self.channel = channel
        self.epoch = epoch
        self.offset = offset

    def behind(self) -> bool:
        """Whether there is something to read: events, or a gap to be told."""
        head = self.channel.head
        return self.offset != head.latest or self.epoch != head.epoch

    def at_hand(self, max_events: int) -> Piece | None:
        """The next piece, from memory. None: nothing to read, or only the store has it (then `read`)."""
        if self.offset == self.channel.head.latest and self.epoch == self.channel.head.epoch:
            return None
        gap = self._place()
        if gap is not None:
            return self.channel.empty(self.offset, gap)
        piece = self.channel.at_hand(self.offset, max_events)
        if piece is not None:
            self.offset = piece.end
        return piece

    async def read(self, max_events: int) -> Piece:
        """The next piece, from the store. Raises StoreError."""
        piece = await self.channel.read(self.offset, max_events)
        oldest = piece.batch.events[0].offset if piece.count else self.offset + 1
        if oldest > self.offset + 1:
            # Trimmed so lately that the head in memory does not show it yet.
            self.offset = oldest - 1
            return self.channel.empty(self.offset, GapKind.TRIMMED, oldest)
        self.offset = piece.end
        return piece

    def move(self, piece: Piece) -> None:
        """Goes to the end of a piece that a copy of this cursor read."""
        self.epoch, self.offset = piece.batch.epoch, piece.end

    def here(self) -> Piece:
        """An empty piece: where the reader stands. It keeps the reader's own log, so that a gap is still told."""
        return self.channel.empty(self.offset, epoch=self.epoch)

    def _place(self) -> GapKind | None:
        head = self.channel.head
        self.offset, gap = place(head, self.epoch, self.offset)
        self.epoch = head.epoch
        return gap


def begin_at_hand(channels: Channels, wish: Wish) -> Cursor | None:
    """A cursor where a subscription asks for it. None: the store has to be asked (then `begin`)."""
    channel = channels.at_hand(wish.channel)
    return None if channel is None else _from_memory(channel, wish)


async def begin(channels: Channels, store: Store, client_id: str, wish: Wish) -> Cursor:
    """A cursor where a subscription asks for it. Raises StoreError."""
    channel = await channels.get(wish.channel)
    cursor = _from_memory(channel, wish)
    if cursor is not None:
        return cursor
    if wish.after is not None:
        epoch, offset = wish.after
        await channels.hear_of(channel, epoch, offset)
        return Cursor(channel, epoch or channel.head.epoch, offset)
    acked = (await store.acked(client_id)).get(wish.channel)
    if acked is None:
        # Stored at once, so that a client that dies before its first ack finds what came meanwhile.
        head = channel.head
        (acked,) = await store.ack(client_id, [Acked(wish.channel, head.epoch, head.latest)], first=True)
    await channels.hear_of(channel, acked.epoch, acked.offset)
    return Cursor(channel, acked.epoch, acked.offset)


def _from_memory(channel: Channel, wish: Wish) -> Cursor | None:
    head = channel.head
    if wish.after is not None:
        epoch, offset = wish.after
        return Cursor(channel, head.epoch, offset) if channel.knows(epoch, offset) else None
    if wish.start == events_pb2.START_EARLIEST:
        return Cursor(channel, head.epoch, head.oldest - 1)
    if wish.start == events_pb2.START_LATEST:
        return Cursor(channel, head.epoch, head.latest)
    return None


def check_ack(head: Head, position: events_pb2.Position, index: int) -> None:
    """Raises Fault unless the position is one that a reader of this log can have come to."""
    if position.epoch and position.epoch != head.epoch:
        raise Fault("EPOCH_MISMATCH", "the position is of a log that is gone", f"positions[{index}].epoch")
    if position.offset > head.latest:
        raise Fault("ACK_BEYOND_LOG", f"the newest event is {head.latest}", f"positions[{index}].offset")
