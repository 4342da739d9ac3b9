"""Decides what a group of writes comes to: offsets, duplicates, cursors, and what retention lets go. Pure.

Rules:
- Writes are decided in their order, each on top of those before it.
- One that is refused comes to nothing, and the others do not notice.
- Nothing that is decided here is true before it is committed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from heartline_service.retention import Retain
from heartline_service.stores.base import (
    DEDUPE_WINDOW,
    Acked,
    IdConflict,
    NewMessage,
    PresenceRecord,
    Receipt,
    StoredEvent,
)


@dataclass(slots=True)
class Append:
    """Append messages, and store a presence record with them if there is one."""

    channel: str
    messages: Sequence[NewMessage]
    now: float
    record: PresenceRecord | None = None


@dataclass(slots=True)
class Ack:
    """Move a client's cursors."""

    client_id: str
    acks: Sequence[Acked]
    first: bool


@dataclass(slots=True)
class Trim:
    """Let go of events, each channel's up to and including an offset."""

    last_offsets: Sequence[tuple[str, int]]


@dataclass(slots=True)
class Forget:
    """Forget some message ids that were used at this time or before."""

    until: float


Write = Append | Ack | Trim | Forget


@dataclass(frozen=True, slots=True)
class Log:
    """A channel's log as committed."""

    channel_id: int
    oldest: int
    latest: int


FirstUse = tuple[int, str, bytes, int, float]
"""The first use of a message id: channel_id, id, the content's digest, offset, and time."""
Ids = dict[tuple[int, str], FirstUse]
"""By channel_id and message id."""


class Change:
    """What a group does to one channel. `before` is None for a channel that is new."""

    __slots__ = ("before", "channel_id", "events", "latest", "max_events", "name", "oldest")

    def __init__(self, name: str, before: Log | None, new_channel_id: int, max_events: int) -> None:
        self.name = name
        self.max_events = max_events
        self.before = before
        log = before or Log(new_channel_id, 1, 0)
        self.channel_id, self.oldest, self.latest = log.channel_id, log.oldest, log.latest
        self.events: list[StoredEvent] = []

    @property
    def trimmed(self) -> bool:
        """Whether events that were there before are let go."""
        return self.before is not None and self.before.oldest < self.oldest and self.before.oldest <= self.before.latest

    @property
    def emptied_at(self) -> int:
        """The newest offset when no event is left, else 0."""
        return self.latest if self.oldest > self.latest else 0

    def kept_events(self) -> list[StoredEvent]:
        """The new events that retention does not let go at once."""
        return [event for event in self.events if event.offset >= self.oldest]


class Group:
    """The decisions on one group. `logs`, `ids` and `acks` are what is stored of all that the group names."""

    def __init__(
        self,
        epoch: str,
        retain: Retain,
        logs: Mapping[str, Log],
        ids: Ids,
        acks: dict[tuple[str, str], Acked],
        new_channel_id: int,
    ) -> None:
        self._epoch = epoch
        self._retain = retain
        self._logs = logs
        self._stored_ids = ids
        self._acks = acks
        self._new_channel_id = new_channel_id
        self._changes: dict[str, Change] = {}
        self.ids: Ids = {}
        self.moved: dict[tuple[str, str], Acked] = {}
        self.records: dict[str, PresenceRecord] = {}

    def changes(self) -> list[Change]:
        """The channels that are not as they were, once retention by count is applied."""
        for change in self._changes.values():
            change.oldest = max(change.oldest, change.latest - change.max_events + 1)
        return [change for change in self._changes.values() if change.events or change.trimmed]

    def outdated_ids(self) -> list[tuple[int, str]]:
        """The ids whose stored first use gives way to a new one."""
        return [key for key in self.ids if key in self._stored_ids]

    def append(self, append: Append) -> list[Receipt]:
        """Decides an append. Raises IdConflict, and then has decided nothing."""
        messages, now, epoch = append.messages, append.now, self._epoch
        change = self._changes.get(append.channel) or self._change(append.channel)
        channel_id, offset = change.channel_id, change.latest
        ids, stored_ids = self.ids, self._stored_ids
        receipts: list[Receipt] = []
        events: list[StoredEvent] = []
        fresh: Ids = {}
        for id, body in messages:
            if id:
                key = channel_id, id
                digest = blake2b(body, digest_size=16).digest()
                first = fresh.get(key) or ids.get(key) or stored_ids.get(key)
                if first is not None and first[4] > now - DEDUPE_WINDOW:
                    if first[2] != digest:
                        raise IdConflict(len(receipts))
                    receipts.append(Receipt(epoch, first[3], True))
                    continue
                fresh[key] = channel_id, id, digest, offset + 1, now
            offset += 1
            receipts.append(Receipt(epoch, offset, False))
            events.append(StoredEvent(offset, now, body))
        ids.update(fresh)
        change.events += events
        change.latest = offset
        if append.record is not None:
            self.records[append.record.client_id] = append.record
        return receipts

    def ack(self, ack: Ack) -> list[Acked]:
        """Decides where a client's cursors are now."""
        for new in ack.acks:
            key = (ack.client_id, new.channel)
            old = self._acks.get(key)
            if old is None or old.epoch != new.epoch or (new.offset > old.offset and not ack.first):
                self._acks[key] = self.moved[key] = new
        return [self._acks[ack.client_id, new.channel] for new in ack.acks]

    def trim(self, trim: Trim) -> None:
        """Decides what is let go."""
        for channel, last in trim.last_offsets:
            change = self._changes.get(channel) or self._change(channel)
            change.oldest = max(change.oldest, min(last, change.latest) + 1)

    def _change(self, channel: str) -> Change:
        before = self._logs.get(channel)
        change = Change(channel, before, self._new_channel_id, self._retain(channel).max_events)
        self._new_channel_id += before is None
        self._changes[channel] = change
        return change
