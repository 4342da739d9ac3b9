"""The store in Redis, or in a Redis Cluster: many nodes share it, and it outlives them all.

Rules:
- What Redis does in one step is in scripts.py. How durable an answer is, its configuration says: docs/redis.md.
- Who asked is not needed any more: what was asked is done, told, and only then answered, also when its caller is gone.
- A step whose answer is lost may have been taken. It fails as StoreUnavailable, and is safe to repeat with an id.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from heartline_service.retention import Retain
from heartline_service.stores.base import (
    Acked,
    Head,
    NewMessage,
    OnChange,
    PresenceRecord,
    Receipt,
    StoredEvent,
    StoreError,
    StoreUnavailable,
)
from heartline_service.stores.memory import new_epoch
from heartline_service.stores.redis.client import RedisClient
from heartline_service.stores.redis.follow import Follower
from heartline_service.stores.redis.keys import acks_key
from heartline_service.stores.redis.lanes import Lanes
from heartline_service.stores.redis.logs import Logs
from heartline_service.stores.redis.news import Lines
from heartline_service.stores.redis.presence import RedisPresence
from heartline_service.stores.redis.rounds import go_round
from heartline_service.stores.redis.scripts import ACK
from heartline_service.stores.shared import Pulse, Standing

TRIM_CHANNELS = 500
"""How many channels are looked at for old events in one go."""

T = TypeVar("T")


class RedisStore:
    """Logs, acks and presence in Redis."""

    kind = "redis"

    def __init__(self, url: str, retain: Retain, epoch: str = "", wall: Callable[[], float] = time.time) -> None:
        """`epoch` is for a Redis that is empty. Raises ValueError with a sentence for the user."""
        self._client = RedisClient(url)
        self._lanes = Lanes(self._client)
        self._logs = Logs(self._lanes, retain, epoch or new_epoch(), wall)
        self._presence = RedisPresence(self._lanes, self._logs)
        self._follower: Follower | None = None
        self._tell_there: Callable[[bool], None] = _nobody
        self._asked: set[asyncio.Task[Any]] = set()
        self._rounds: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        """The epoch with which logs are born now."""
        return self._logs.epoch

    async def open(self, on_change: OnChange) -> None:
        """See Store."""
        await self._client.connect()
        self._lanes.open()
        follower = Follower(self._logs, on_change)
        follower.lines = Lines(self._client, follower.heard, follower.compare)
        try:
            await self._logs.begin()
        except StoreError:
            await self._client.close()
            raise
        self._follower = follower
        rounds = go_round(self._client, self._logs, follower, lambda there: self._tell_there(there))
        self._rounds = asyncio.get_running_loop().create_task(rounds)

    async def close(self) -> None:
        """See Store."""
        follower, rounds = self._follower, self._rounds
        if follower is None or rounds is None:
            return
        self._follower = None
        rounds.cancel()
        await asyncio.wait([rounds, *self._asked])
        await self._lanes.close()
        await follower.close()
        await follower.lines.close()
        await self._client.close()

    async def append(self, channel: str, messages: Sequence[NewMessage], now: float) -> list[Receipt]:
        """See Store."""
        return await self._whatever_comes(self._append(self._open(), channel, messages, now))

    async def head(self, channel: str) -> Head:
        """See Store."""
        return await self._open().follow(channel)

    def watch(self, told: Callable[[bool], None]) -> None:
        """See SharedStore."""
        self._tell_there = told

    def forget(self, channel: str) -> None:
        """See SharedStore."""
        if self._follower is not None:
            self._follower.forget(channel)

    async def read(self, channel: str, after: int, max_events: int, max_bytes: int) -> list[StoredEvent]:
        """See Store."""
        follower = self._open()
        epoch, events = await self._logs.read(channel, after, max_events, max_bytes)
        known = follower.known(channel)
        if known.epoch and epoch != known.epoch:
            # The reader asked about another log. It is told so first, and then asks again.
            follower.compare([channel])
            return []
        return events

    async def channels(self, after: str, limit: int) -> list[tuple[str, Head]]:
        """See Store."""
        self._open()
        names = await self._logs.names(after, limit)
        heads = await asyncio.gather(*map(self._logs.head, names))
        return [(name, head) for name, (head, _) in zip(names, heads, strict=True)]

    async def trim(self, now: float) -> None:
        """See Store. One node does it for all."""
        follower, after = self._open(), ""
        if not await self._logs.leads():
            return
        while names := await self._logs.names(after, TRIM_CHANNELS):
            heads = await asyncio.gather(*(self._logs.trim(name, now) for name in names))
            for name, head in zip(names, heads, strict=True):
                if head is not None:
                    follower.trimmed(name, head)
            after = names[-1]

    async def ack(self, client_id: str, acks: Sequence[Acked], *, first: bool = False) -> list[Acked]:
        """See Store."""
        self._open()
        arguments = [part for one in acks for part in (one.channel, one.epoch, one.offset)]
        stored = await self._lanes.run(ACK, [acks_key(client_id)], int(first), *arguments)
        return [_acked(one.channel, value) for one, value in zip(acks, stored, strict=True)]

    async def acked(self, client_id: str) -> dict[str, Acked]:
        """See Store."""
        self._open()
        flat = await self._lanes.ask("HGETALL", acks_key(client_id), reading=True)
        pairs = flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True)
        return {name.decode(): _acked(name.decode(), value) for name, value in pairs}

    async def save_presence(self, record: PresenceRecord, event: NewMessage | None, now: float) -> None:
        """See Store."""
        follower, standing = self._open(), Standing(record)
        await self._whatever_comes(self._presence.change(follower, None, standing, event, now, whatever=True))

    async def presence(self, client_id: str) -> PresenceRecord | None:
        """See Store."""
        standing = await self.standing(client_id)
        return None if standing is None else standing.record

    async def presences(self, after: str, limit: int, online: bool | None) -> list[PresenceRecord]:
        """See Store."""
        return [standing.record for standing in await self.standings(after, limit, online)]

    def time(self) -> float:
        """See SharedStore."""
        return self._logs.time()

    async def standing(self, client_id: str) -> Standing | None:
        """See SharedStore."""
        self._open()
        return await self._presence.standing(client_id)

    async def standings(self, after: str, limit: int, online: bool | None) -> list[Standing]:
        """See SharedStore."""
        self._open()
        return await self._presence.standings(after, limit, online)

    async def change_standing(
        self, old: Standing | None, new: Standing, event: NewMessage | None
    ) -> tuple[bool, Standing | None]:
        """See SharedStore."""
        now = self.time() - self._logs.skew
        return await self._whatever_comes(self._presence.change(self._open(), old, new, event, now))

    async def beat(self, node: str, ttl: float, *, join: bool = False) -> Pulse:
        """See SharedStore."""
        self._open()
        return await self._presence.beat(node, ttl, join)

    async def follow(self, node: str, session_id: str, client_id: str) -> None:
        """See SharedStore."""
        self._open()
        await self._presence.follow(node, session_id, client_id)

    async def held_by(self, node: str, limit: int) -> list[str]:
        """See SharedStore."""
        self._open()
        return await self._presence.held_by(node, limit)

    async def forget_node(self, node: str) -> None:
        """See SharedStore."""
        self._open()
        await self._presence.forget_node(node)

    async def _append(
        self, follower: Follower, channel: str, messages: Sequence[NewMessage], now: float
    ) -> list[Receipt]:
        if not messages:
            return []
        done = await self._logs.append(channel, messages, now, follower.known(channel))
        if done.news is not None:
            await follower.appended(channel, done.news)
        if not done.listed:
            await self._logs.enlist(channel)
        return done.receipts

    def _open(self) -> Follower:
        if self._follower is None:
            raise StoreUnavailable("the store is closed")
        return self._follower

    async def _whatever_comes(self, doing: Coroutine[Any, Any, T]) -> T:
        task = asyncio.get_running_loop().create_task(doing)
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        return await asyncio.shield(task)


def _nobody(there: bool) -> None:
    pass


def _acked(channel: str, value: bytes) -> Acked:
    epoch, _, offset = value.decode().rpartition(" ")
    return Acked(channel, epoch, int(offset))
