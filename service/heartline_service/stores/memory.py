"""The store in memory: the simplest thing that keeps the protocol, and the measure for the others.

Rules:
- Nothing survives the process, so each one has an epoch of its own.
- No method waits for anything, so each is one step to everybody else.
"""

import secrets
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import attrgetter

from heartline_service.retention import PRESENCE_CHANNEL, Retain
from heartline_service.stores.base import (
    DEDUPE_WINDOW,
    Acked,
    Head,
    IdConflict,
    NewMessage,
    OnChange,
    PresenceRecord,
    Receipt,
    StoredEvent,
    StoreUnavailable,
)


def new_epoch() -> str:
    """An epoch that no log had before: 16 hex digits."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class _First:
    """The first use of a message id."""

    digest: bytes
    offset: int
    published_at: float


@dataclass(slots=True)
class _Log:
    """A channel's log: the events kept, the newest offset, and the ids used."""

    events: list[StoredEvent] = field(default_factory=list)
    latest: int = 0
    ids: dict[str, _First] = field(default_factory=dict)

    @property
    def oldest(self) -> int:
        return self.latest - len(self.events) + 1


class MemoryStore:
    """Logs, acks and presence in memory."""

    kind = "memory"

    def __init__(self, retain: Retain, epoch: str = "") -> None:
        self.epoch = epoch or new_epoch()
        self._retain = retain
        self._logs: dict[str, _Log] = {}
        self._names: list[str] = []
        self._acks: dict[str, dict[str, Acked]] = {}
        self._presence: dict[str, PresenceRecord] = {}
        self._on_change: OnChange | None = None

    async def open(self, on_change: OnChange) -> None:
        """Makes the store ready."""
        self._on_change = on_change

    async def close(self) -> None:
        """Lets go; what it holds is lost with the process."""
        self._on_change = None

    async def append(self, channel: str, messages: Sequence[NewMessage], now: float) -> list[Receipt]:
        """See Store."""
        self._must_be_open()
        return self._append(channel, messages, now)

    async def head(self, channel: str) -> Head:
        """See Store."""
        self._must_be_open()
        return self._head(channel)

    async def read(self, channel: str, after: int, max_events: int, max_bytes: int) -> list[StoredEvent]:
        """See Store."""
        self._must_be_open()
        log = self._logs.get(channel, _Log())
        start = max(0, after + 1 - log.oldest)
        found: list[StoredEvent] = []
        for event in log.events[start : start + max_events]:
            max_bytes -= len(event.body)
            if found and max_bytes < 0:
                break
            found.append(event)
        return found

    async def channels(self, after: str, limit: int) -> list[tuple[str, Head]]:
        """See Store."""
        self._must_be_open()
        start = bisect_right(self._names, after)
        return [(name, self._head(name)) for name in self._names[start : start + limit]]

    async def trim(self, now: float) -> None:
        """See Store."""
        self._must_be_open()
        for channel, log in self._logs.items():
            oldest_kept = now - self._retain(channel).max_age
            expired = next((i for i, e in enumerate(log.events) if e.published_at >= oldest_kept), len(log.events))
            if expired:
                del log.events[:expired]
                self._tell(channel, [])
            log.ids = {id: first for id, first in log.ids.items() if first.published_at > now - DEDUPE_WINDOW}

    async def ack(self, client_id: str, acks: Sequence[Acked], *, first: bool = False) -> list[Acked]:
        """See Store."""
        self._must_be_open()
        stored = self._acks.setdefault(client_id, {})
        for new in acks:
            old = stored.get(new.channel)
            if old is None or old.epoch != new.epoch or (new.offset > old.offset and not first):
                stored[new.channel] = new
        return [stored[new.channel] for new in acks]

    async def acked(self, client_id: str) -> dict[str, Acked]:
        """See Store."""
        self._must_be_open()
        return dict(self._acks.get(client_id, {}))

    async def save_presence(self, record: PresenceRecord, event: NewMessage | None, now: float) -> None:
        """See Store."""
        self._must_be_open()
        if event is not None:
            self._append(PRESENCE_CHANNEL, [event], now)
        self._presence[record.client_id] = record

    async def presence(self, client_id: str) -> PresenceRecord | None:
        """See Store."""
        self._must_be_open()
        return self._presence.get(client_id)

    async def presences(self, after: str, limit: int, online: bool | None) -> list[PresenceRecord]:
        """See Store."""
        self._must_be_open()
        found = (r for r in self._presence.values() if r.client_id > after and online in (None, r.online))
        return sorted(found, key=attrgetter("client_id"))[:limit]

    def _append(self, channel: str, messages: Sequence[NewMessage], now: float) -> list[Receipt]:
        log = self._logs.get(channel, _Log())
        receipts: list[Receipt] = []
        events: list[StoredEvent] = []
        ids: dict[str, _First] = {}
        for index, message in enumerate(messages):
            offset = log.latest + len(events) + 1
            if message.id:
                digest = blake2b(message.body, digest_size=16).digest()
                first = ids.get(message.id) or log.ids.get(message.id)
                if first is not None and first.published_at > now - DEDUPE_WINDOW:
                    if first.digest != digest:
                        raise IdConflict(index)
                    receipts.append(Receipt(self.epoch, first.offset, True))
                    continue
                ids[message.id] = _First(digest, offset, now)
            receipts.append(Receipt(self.epoch, offset, False))
            events.append(StoredEvent(offset, now, message.body))
        if events:
            if channel not in self._logs:
                self._logs[channel] = log
                insort(self._names, channel)
            log.events += events
            log.latest += len(events)
            log.ids |= ids
            del log.events[: max(0, len(log.events) - self._retain(channel).max_events)]
            self._tell(channel, events)
        return receipts

    def _head(self, channel: str) -> Head:
        log = self._logs.get(channel, _Log())
        return Head(self.epoch, log.oldest, log.latest)

    def _tell(self, channel: str, events: Sequence[StoredEvent]) -> None:
        assert self._on_change is not None
        self._on_change(channel, self._head(channel), events)

    def _must_be_open(self) -> None:
        if self._on_change is None:
            raise StoreUnavailable("the store is closed")
