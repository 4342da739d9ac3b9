"""Channels' logs in Redis: one step of Redis for each thing that is done to them, and the epochs that tell them apart.

Rules:
- A channel's log is born with the store's epoch. One that the index of channels has, and Redis has not, was lost: it is
  born again with an epoch of its own.
- A log that is behind what was shown of it, or has something else there, goes on with a new epoch. Who finds that says
  what is known, and Redis compares it in the step that changes the epoch.
- Instants go to Redis by its clock where ours is off, so that a node with a wrong clock changes nothing.
"""

import contextlib
import secrets
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from heartline_service.retention import Retain
from heartline_service.stores.base import (
    DEDUPE_WINDOW,
    Head,
    IdConflict,
    NewMessage,
    Receipt,
    StoredEvent,
    StoreError,
)
from heartline_service.stores.memory import new_epoch
from heartline_service.stores.redis import scripts
from heartline_service.stores.redis.keys import EPOCH_KEY, INDEX_KEY, TRIMMER_KEY, News, channel_keys
from heartline_service.stores.redis.lanes import Lanes

TRIM_EVENTS = 2000
"""About how many events one step lets go."""
TRIMMER_MILLISECONDS = 25_000
"""For so long a node that has applied retention is the one that does."""
CLOCKS_AGREE = 1.0
"""Seconds: what a node's clock may be off Redis's before it counts."""


class Known(NamedTuple):
    """What a node has shown of a channel: how far, and when the newest event was published."""

    epoch: str = ""
    latest: int = 0
    time: float = 0.0


NOTHING = Known()


class Appended(NamedTuple):
    """What an append did: `news` is None when nothing was added. `listed`: the index of channels has the channel."""

    receipts: list[Receipt]
    news: News | None
    listed: bool


class Logs:
    """All logs. `epoch` is the store's, as far as is known."""

    def __init__(self, lanes: Lanes, retain: Retain, epoch: str, wall: Callable[[], float]) -> None:
        self.epoch = epoch
        self.skew = 0.0
        """Seconds by which Redis's clock is ahead of ours, where that counts."""
        self._exact_skew = 0.0
        self._lanes = lanes
        self._retain = retain
        self._wall = wall
        self._name = secrets.token_hex(8)

    def time(self) -> float:
        """Redis's time, as far as is known here."""
        return self._wall() + self._exact_skew

    async def begin(self) -> None:
        """Learns the store's epoch, or gives it its first. Raises StoreUnavailable when Redis takes no writes."""
        await self._mint(self.epoch)
        await self._look_up("")

    async def pulse(self) -> None:
        """Learns the store's epoch, and its time. Raises StoreUnavailable."""
        await self._look_up("")

    async def append(self, channel: str, messages: Sequence[NewMessage], now: float, known: Known) -> Appended:
        """Appends. Raises IdConflict, StoreUnavailable."""
        keys, arguments = self.step(channel, messages, now, known)
        answer = await self.born(channel, scripts.APPEND, keys, arguments)
        return self.appended(answer, messages, now, known)

    def step(
        self, channel: str, messages: Sequence[NewMessage], now: float, known: Known
    ) -> tuple[list[str], list[Any]]:
        """The keys and arguments of a script that appends."""
        keys = channel_keys(channel)
        at = repr(now + self.skew)
        arguments: list[Any] = ["", new_epoch(), known.epoch, known.latest, at, DEDUPE_WINDOW]
        arguments.append(self._retain(channel).max_events)
        for message in messages:
            digest = blake2b(message.body, digest_size=16).digest() if message.id else b""
            arguments += ["1" if message.id else "0", digest, message.body]
        return [keys.head, keys.log, keys.news, *(keys.id_prefix + one.id for one in messages if one.id)], arguments

    async def born(self, channel: str, script: scripts.Script, keys: list[str], arguments: list[Any]) -> Any:
        """Runs a script on a log that may have to be born for it: then again, with the epoch to be born with."""
        answer = await self._lanes.run(script, keys, *arguments)
        if answer[1] == b"missing":
            epoch, known = await self._look_up(channel)
            answer = await self._lanes.run(script, keys, new_epoch() if known else epoch, *arguments[1:])
        if answer[1] == b"conflict":
            raise IdConflict(answer[2])
        return answer

    def appended(self, answer: Any, messages: Sequence[NewMessage], now: float, known: Known) -> Appended:
        """Reads what a script that appends answered."""
        epoch = answer[0].decode()
        receipts = [Receipt(epoch, abs(one), one < 0) for one in answer[4]]
        bodies = [message.body for message, one in zip(messages, answer[4], strict=True) if one > 0]
        news = None
        if bodies or (known.epoch and epoch != known.epoch):
            news = News(epoch, now + self.skew, answer[1], answer[2] - len(bodies) + 1, bodies)
        return Appended(receipts, news, answer[3].decode() == self.epoch)

    async def enlist(self, channel: str) -> None:
        """Puts a channel into the index. What fails is done at the next append."""
        with contextlib.suppress(StoreError):
            epoch = self.epoch
            await self._lanes.ask("ZADD", INDEX_KEY, 0, channel)
            await self._lanes.run(scripts.LISTED, [channel_keys(channel).head], epoch)

    async def head(self, channel: str, known: Known = NOTHING) -> tuple[Head, float]:
        """Where a log stands, and when its newest event was published. Raises StoreUnavailable."""
        keys = channel_keys(channel)
        where = [keys.head, keys.log, keys.news]
        arguments = [new_epoch(), *known[:2], repr(known.time)]
        answer = await self._lanes.run(scripts.HEAD, where, "", *arguments)
        if answer[1] == b"missing":
            epoch, listed = await self._look_up(channel)
            if not listed:
                return Head(epoch, 1, 0), 0.0
            answer = await self._lanes.run(scripts.HEAD, where, new_epoch(), *arguments)
        if answer[2] and answer[3].decode() != self.epoch:
            await self.enlist(channel)
        return Head(answer[0].decode(), answer[1], answer[2]), float(answer[4])

    async def read(self, channel: str, after: int, max_events: int, max_bytes: int) -> tuple[str, list[StoredEvent]]:
        """The log's epoch, and its events after an offset. Raises StoreUnavailable."""
        keys = channel_keys(channel)
        epoch, found = await self._lanes.run(
            scripts.READ, [keys.head, keys.log], after, max_events, max_bytes, reading=True
        )
        return epoch.decode(), [StoredEvent(int(id.partition(b"-")[0]), float(at), body) for id, at, body in found]

    async def names(self, after: str, limit: int) -> list[str]:
        """Channels by name. Raises StoreUnavailable."""
        start = f"({after}" if after else "-"
        page = await self._lanes.ask("ZRANGE", INDEX_KEY, start, "+", "BYLEX", "LIMIT", 0, limit, reading=True)
        return [name.decode() for name in page]

    async def leads(self) -> bool:
        """Whether this node is the one that applies retention now. Raises StoreUnavailable."""
        return bool(await self._lanes.run(scripts.LEAD, [TRIMMER_KEY], self._name, TRIMMER_MILLISECONDS))

    async def trim(self, channel: str, now: float) -> Head | None:
        """Lets go what is too old. Returns the head when it moved. Raises StoreUnavailable."""
        keys = channel_keys(channel)
        kept_from, moved = now + self.skew - self._retain(channel).max_age, None
        while True:
            answer = await self._lanes.run(scripts.TRIM, [keys.head, keys.log, keys.news], repr(kept_from), TRIM_EVENTS)
            if answer[1] == b"missing" or not answer[3]:
                return moved
            moved = Head(answer[0].decode(), answer[1], answer[2])
            if not answer[4]:
                return moved

    async def _look_up(self, channel: str) -> tuple[str, bool]:
        """The store's epoch, and whether the index has a channel."""
        asked_at = self._wall()
        answer = await self._lanes.run(scripts.LOOK, [EPOCH_KEY, INDEX_KEY], channel)
        skew = int(answer[2]) + int(answer[3]) / 1e6 - (asked_at + self._wall()) / 2
        self._exact_skew, self.skew = skew, skew if abs(skew) > CLOCKS_AGREE else 0.0
        if answer[0]:
            self.epoch = answer[0].decode()
        else:
            await self._mint(new_epoch())
        return self.epoch, bool(answer[1])

    async def _mint(self, epoch: str) -> None:
        self.epoch = (await self._lanes.run(scripts.EPOCH, [EPOCH_KEY], epoch)).decode()
