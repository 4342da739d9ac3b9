"""Decides what a group of writes comes to: offsets, duplicates, cursors, and what retention lets go. Pure.

Rules:
- Writes are decided in their order, each on top of those before it. To the dedupe window they are of one moment.
- One that is refused comes to nothing, and the others do not notice.
- Nothing that is decided here is true before it is committed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import NamedTuple

from heartline_service.retention import Retain
from heartline_service.stores.base import (
    Acked,
    IdConflict,
    PresenceRecord,
    Receipt,
    StoredEvent,
    StoreError,
    StoreUnavailable,
)
from heartline_service.stores.sqlite.writes import Ack, Answer, Append, Trim, Write

OFFSET_BITS = 40
"""How many bits of an event's key are its offset; those above are its channel_id."""
MAX_OFFSET = (1 << OFFSET_BITS) - 1
MAX_CHANNEL_ID = (1 << 63 - OFFSET_BITS) - 1


def key_of(channel_id: int, offset: int) -> int:
    """The key of an event: one number, so that one b-tree holds a channel's log in order."""
    return channel_id << OFFSET_BITS | offset


def digest_of(body: bytes) -> bytes:
    """What is remembered of a content when its event is gone."""
    return blake2b(body, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Log:
    """A channel's log as committed."""

    channel_id: int
    oldest: int
    latest: int


class FirstUse(NamedTuple):
    """The first use of a message id, as stored: its offset, and the content's digest."""

    offset: int
    digest: bytes


KeptId = tuple[int, str, bytes, int, float]
"""What is kept of an id whose event is gone: channel_id, id, the content's digest, offset, and time."""


EventRow = tuple[int, float, str | None, bytes]
"""A row of the table events: key, time, id, body."""


# Making these by their names would cost twice as much, and one of each is made for every message.
_receipt: Callable[[tuple[str, int, bool]], Receipt] = partial(tuple.__new__, Receipt)
_event: Callable[[tuple[int, float, bytes]], StoredEvent] = partial(tuple.__new__, StoredEvent)


class Change:
    """What a group does to one channel. `before` is None for a channel that is new.

    `rows` are the new events: these have the offsets from `first` on, and `key_before` is the key before offset 1.
    `first_uses` are those of the dedupe window, by id; of a new event the offset alone.
    """

    __slots__ = (
        *("before", "channel_id", "first", "first_uses"),
        *("key_before", "latest", "max_events", "name", "oldest", "rows"),
    )

    def __init__(self, name: str, before: Log | None, new_channel_id: int, max_events: int) -> None:
        self.name = name
        self.max_events = max_events
        self.before = before
        log = before or Log(new_channel_id, 1, 0)
        self.channel_id, self.oldest, self.latest = log.channel_id, log.oldest, log.latest
        self.first, self.key_before = log.latest + 1, key_of(self.channel_id, 0)
        self.rows: list[EventRow] = []
        self.first_uses: dict[str, FirstUse | int] = {}

    @property
    def trimmed(self) -> bool:
        """Whether events that were there before are let go."""
        return self.before is not None and self.before.oldest < self.oldest and self.before.oldest <= self.before.latest

    @property
    def emptied_at(self) -> int:
        """The newest offset when no event is left, else 0."""
        return self.latest if self.oldest > self.latest else 0

    @property
    def let_go(self) -> int:
        """How many of the new events retention lets go at once."""
        return max(0, len(self.rows) - (self.latest - self.oldest + 1))

    def events(self) -> list[StoredEvent]:
        """The new events."""
        return [_event((offset, at, body)) for offset, (_, at, _, body) in enumerate(self.rows, self.first)]

    def ids_let_go(self) -> list[KeptId]:
        """The ids of those that are let go at once, to be kept."""
        rows = enumerate(self.rows[: self.let_go], self.first)
        return [(self.channel_id, id, digest_of(body), offset, at) for offset, (_, at, id, body) in rows if id]


class Group:
    """The decisions on one group.

    `logs` and `acks` are what is stored of all that the group names, `ids` what is stored within the dedupe window, by
    channel_id and id.
    """

    def __init__(
        self,
        epoch: str,
        retain: Retain,
        logs: Mapping[str, Log],
        ids: Mapping[int, Mapping[str, FirstUse]],
        acks: dict[tuple[str, str], Acked],
        new_channel_id: int,
    ) -> None:
        self._epoch = epoch
        self._retain = retain
        self._logs = logs
        self._ids = ids
        self._acks = acks
        self._new_channel_id = new_channel_id
        self._changes: dict[str, Change] = {}
        self.moved: dict[tuple[str, str], Acked] = {}
        self.records: dict[str, PresenceRecord] = {}

    def changes(self) -> list[Change]:
        """The channels that are not as they were, once retention by count is applied."""
        for change in self._changes.values():
            change.oldest = max(change.oldest, change.latest - change.max_events + 1)
        return [change for change in self._changes.values() if change.rows or change.trimmed]

    def decide(self, writes: Sequence[Write]) -> list[Answer]:
        """Decides all writes, in their order. To a Forget there is nothing to decide."""
        answers: list[Answer] = []
        for write in writes:
            try:
                if isinstance(write, Append):
                    answers.append(self._append(write))
                elif isinstance(write, Ack):
                    answers.append(self._ack(write))
                else:
                    if isinstance(write, Trim):
                        self._trim(write)
                    answers.append(None)
            except StoreError as refused:
                answers.append(refused)
        return answers

    def _append(self, append: Append) -> list[Receipt]:
        """Decides an append. Raises IdConflict, StoreUnavailable, and then has decided nothing."""
        channel, messages, now, record = append
        change = self._changes.get(channel) or self._change(channel)
        rows, first_uses = change.rows, change.first_uses
        epoch, offset, key_before = self._epoch, change.latest, change.key_before
        if offset + len(messages) > MAX_OFFSET:
            raise StoreUnavailable(f"channel {channel!r} has had {MAX_OFFSET} events, and can have no more")
        receipts: list[Receipt] = []
        for id, body in messages:
            offset += 1
            if id and (first := first_uses.setdefault(id, offset)) != offset:
                offset -= 1
                if not _is_of(change, first, body):
                    _take_back(change, offset - change.latest)
                    raise IdConflict(len(receipts))
                receipts.append(Receipt(epoch, first if isinstance(first, int) else first.offset, True))
                continue
            rows.append((key_before + offset, now, id or None, body))
            receipts.append(_receipt((epoch, offset, False)))
        change.latest = offset
        if record is not None:
            self.records[record.client_id] = record
        return receipts

    def _ack(self, ack: Ack) -> list[Acked]:
        """Decides where a client's cursors are now."""
        for new in ack.acks:
            key = (ack.client_id, new.channel)
            old = self._acks.get(key)
            if old is None or old.epoch != new.epoch or (new.offset > old.offset and not ack.first):
                self._acks[key] = self.moved[key] = new
        return [self._acks[ack.client_id, new.channel] for new in ack.acks]

    def _trim(self, trim: Trim) -> None:
        """Decides what is let go."""
        for channel, last in trim.last_offsets:
            change = self._changes.get(channel) or self._change(channel)
            change.oldest = max(change.oldest, min(last, change.latest) + 1)

    def _change(self, channel: str) -> Change:
        before = self._logs.get(channel)
        if before is None and self._new_channel_id > MAX_CHANNEL_ID:
            raise StoreUnavailable(f"the store has {MAX_CHANNEL_ID} channels, and can have no more")
        change = Change(channel, before, self._new_channel_id, self._retain(channel).max_events)
        change.first_uses.update(self._ids.get(change.channel_id, {}))
        self._new_channel_id += before is None
        self._changes[channel] = change
        return change


def _take_back(change: Change, count: int) -> None:
    """Takes back the last `count` new events."""
    if count:
        for _, _, id, _ in change.rows[-count:]:
            change.first_uses.pop(id or "", None)
        del change.rows[-count:]


def _is_of(change: Change, first: FirstUse | int, body: bytes) -> bool:
    if isinstance(first, int):
        return change.rows[first - change.first][3] == body
    return first.digest == digest_of(body)
