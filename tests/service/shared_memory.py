"""A store in memory that several nodes hold at once, in virtual time, and which each of them can be cut off from.

It keeps SharedStore's protocol as the one in Redis does: tests/stores/test_shared_stores.py asks the same of both.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from heartline_service.retention import PRESENCE_CHANNEL
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
from heartline_service.stores.shared import Pulse, Standing
from service.fragile import KEEP_ALL


class Shared:
    """What the nodes share."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.logs = MemoryStore(KEEP_ALL)
        self.listeners: list[OnChange] = []
        self.standings: dict[str, Standing] = {}
        self.nodes: dict[str, float] = {}
        self.followed: dict[str, list[tuple[str, str]]] = {}
        self.away = False

    async def listen(self, on_change: OnChange) -> None:
        """Tells a node of every change."""
        self.listeners.append(on_change)
        await self.logs.open(self._tell)

    def empty(self) -> None:
        """Forgets who is there."""
        self.standings.clear()
        self.nodes.clear()

    def _tell(self, channel: str, head: Head, events: Sequence[StoredEvent]) -> None:
        for listener in self.listeners:
            listener(channel, head, events)


class SharedMemoryStore:
    """A node's side of it."""

    kind = "memory"

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.cut_off = False
        self.deaf = False
        """Whether it hears nothing of what changes, unless it asks."""

    @property
    def epoch(self) -> str:
        """See Store."""
        return self.shared.logs.epoch

    async def open(self, on_change: OnChange) -> None:
        """See Store."""
        self._on_change = on_change
        await self.shared.listen(self._hear)

    async def close(self) -> None:
        """See Store."""
        self.cut_off = True

    async def append(self, channel: str, messages: Sequence[NewMessage], now: float) -> list[Receipt]:
        """See Store."""
        return await self._there().logs.append(channel, messages, now)

    async def head(self, channel: str) -> Head:
        """See Store."""
        head = await self._there().logs.head(channel)
        if self.deaf:
            self._on_change(channel, head, ())
        return head

    async def read(self, channel: str, after: int, max_events: int, max_bytes: int) -> list[StoredEvent]:
        """See Store."""
        return await self._there().logs.read(channel, after, max_events, max_bytes)

    async def channels(self, after: str, limit: int) -> list[tuple[str, Head]]:
        """See Store."""
        return await self._there().logs.channels(after, limit)

    async def trim(self, now: float) -> None:
        """See Store."""
        await self._there().logs.trim(now)

    async def ack(self, client_id: str, acks: Sequence[Acked], *, first: bool = False) -> list[Acked]:
        """See Store."""
        return await self._there().logs.ack(client_id, acks, first=first)

    async def acked(self, client_id: str) -> dict[str, Acked]:
        """See Store."""
        return await self._there().logs.acked(client_id)

    async def save_presence(self, record: PresenceRecord, event: NewMessage | None, now: float) -> None:
        """See Store."""
        self._there().standings[record.client_id] = Standing(record)

    async def presence(self, client_id: str) -> PresenceRecord | None:
        """See Store."""
        standing = await self.standing(client_id)
        return None if standing is None else standing.record

    async def presences(self, after: str, limit: int, online: bool | None) -> list[PresenceRecord]:
        """See Store."""
        return [standing.record for standing in await self.standings(after, limit, online)]

    def watch(self, told: Callable[[bool], None]) -> None:
        """See SharedStore."""

    def forget(self, channel: str) -> None:
        """See SharedStore."""

    def time(self) -> float:
        """See SharedStore."""
        return self.shared.clock()

    async def standing(self, client_id: str) -> Standing | None:
        """See SharedStore."""
        return self._there().standings.get(client_id)

    async def standings(self, after: str, limit: int, online: bool | None) -> list[Standing]:
        """See SharedStore."""
        found = sorted(self._there().standings.items())
        return [one for name, one in found if name > after and online in (None, one.record.online)][:limit]

    async def change_standing(
        self, old: Standing | None, new: Standing, event: NewMessage | None
    ) -> tuple[bool, Standing | None]:
        """See SharedStore."""
        shared, client_id = self._there(), new.record.client_id
        kept = shared.standings.get(client_id)
        if (kept is None) != (old is None) or (kept and old and kept.token != old.token):
            return False, kept
        if any(node not in shared.nodes for node in new.holders if old is None or node not in old.holders):
            raise StoreUnavailable("no such node")
        if event is not None:
            await shared.logs.append(PRESENCE_CHANNEL, [event], shared.clock())
        shared.standings[client_id] = replace(new, token=b"%d" % (int(kept.token or 0) + 1 if kept else 1))
        return True, shared.standings[client_id]

    async def beat(self, node: str, ttl: float, *, join: bool = False) -> Pulse:
        """See SharedStore."""
        shared = self._there()
        now, known = shared.clock(), node in shared.nodes
        if known or join:
            shared.nodes[node] = now + ttl
        due = [
            name for name, one in shared.standings.items() if one.record.online and 0 < one.record.lease_until <= now
        ]
        silent = [name for name, until in shared.nodes.items() if until <= now]
        return Pulse(known, silent, due, shared.followed.pop(node, []))

    async def follow(self, node: str, session_id: str, client_id: str) -> None:
        """See SharedStore."""
        self._there().followed.setdefault(node, []).append((session_id, client_id))

    async def held_by(self, node: str, limit: int) -> list[str]:
        """See SharedStore."""
        return [name for name, one in self._there().standings.items() if node in one.holders][:limit]

    async def forget_node(self, node: str) -> None:
        """See SharedStore."""
        self._there().nodes.pop(node, None)

    def _hear(self, channel: str, head: Head, events: Sequence[StoredEvent]) -> None:
        if not self.deaf:
            self._on_change(channel, head, events)

    def _there(self) -> Shared:
        if self.cut_off or self.shared.away:
            raise StoreUnavailable("it is away")
        return self.shared
