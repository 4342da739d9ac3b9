"""A store in memory that can fail, as one with a full disk does, and hang, as one with a slow disk does."""

import asyncio
from collections.abc import Sequence

from heartline_service.retention import Retain, Retention, by_pattern
from heartline_service.stores.base import (
    Acked,
    Head,
    NewMessage,
    OnChange,
    PresenceRecord,
    Receipt,
    StoredEvent,
    StoreUnavailable,
)
from heartline_service.stores.memory import MemoryStore

KEEP_ALL = by_pattern([])


def keeping(count: int) -> Retain:
    """Retention that keeps so many events of every channel but "$presence"."""
    return by_pattern([("$*", Retention()), ("*", Retention(max_events=count))])


class FragileStore(MemoryStore):
    """The store. What it is asked while it hangs, it answers when it goes on."""

    def __init__(self, retain: Retain = KEEP_ALL, epoch: str = "") -> None:
        super().__init__(retain, epoch)
        self.failing = False
        self.reads = 0
        """How often events, or a client's presence, were asked for."""
        self._free, self._free_to_read = asyncio.Event(), asyncio.Event()
        self.go_on()

    def hang(self) -> None:
        """From now on nothing is answered."""
        self._free.clear()

    def hang_reads(self) -> None:
        """From now on no events are read, while everything else is answered."""
        self._free_to_read.clear()

    def go_on(self) -> None:
        """Answers what waits."""
        self._free.set()
        self._free_to_read.set()

    async def _work(self) -> None:
        await self._free.wait()
        if self.failing:
            raise StoreUnavailable("no space left on device")

    async def open(self, on_change: OnChange) -> None:
        """See Store."""
        await self._work()
        await super().open(on_change)

    async def append(self, channel: str, messages: Sequence[NewMessage], now: float) -> list[Receipt]:
        """See Store."""
        await self._work()
        return await super().append(channel, messages, now)

    async def head(self, channel: str) -> Head:
        """See Store."""
        await self._free_to_read.wait()
        await self._work()
        return await super().head(channel)

    async def read(self, channel: str, after: int, max_events: int, max_bytes: int) -> list[StoredEvent]:
        """See Store."""
        self.reads += 1
        await self._free_to_read.wait()
        await self._work()
        return await super().read(channel, after, max_events, max_bytes)

    async def trim(self, now: float) -> None:
        """See Store."""
        await self._work()
        await super().trim(now)

    async def ack(self, client_id: str, acks: Sequence[Acked], *, first: bool = False) -> list[Acked]:
        """See Store."""
        await self._work()
        return await super().ack(client_id, acks, first=first)

    async def save_presence(self, record: PresenceRecord, event: NewMessage | None, now: float) -> None:
        """See Store."""
        await self._work()
        await super().save_presence(record, event, now)

    async def presence(self, client_id: str) -> PresenceRecord | None:
        """See Store."""
        self.reads += 1
        await self._work()
        return await super().presence(client_id)
