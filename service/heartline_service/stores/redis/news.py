"""How a node hears of what others append: one connection to each shard, subscribed to the channels that it follows.

Rules:
- Who follows a channel is answered when Redis has confirmed it, so nothing that is appended after is missed.
- A connection that breaks, or over which nothing comes, is made anew; `back` is told the channels that were followed
  over it when they are confirmed again, for what was told meanwhile is lost.
- A channel whose slot has moved is followed at its new shard.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from heartline_service.stores.base import StoreError, StoreUnavailable
from heartline_service.stores.redis.client import ANSWER_TIMEOUT, RedisClient
from heartline_service.stores.redis.keys import channel_keys

PING_INTERVAL = 1.0
HEARD_WITHIN = 3.0
"""Seconds of silence after which a connection is given up, though it was pinged."""
RETRY_INTERVALS = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds before the next try to connect; each is shortened by chance, so that nodes do not come in step."""

log = logging.getLogger("heartline.service")

Told = Callable[[str, bytes], None]
"""Takes news of a channel."""


@dataclass(slots=True, eq=False)
class Followed:
    """A channel that is followed, and whether Redis has confirmed it."""

    channel: str
    confirmed: "asyncio.Future[None]"
    lost: bool = False


class Lines:
    """The connections to all shards."""

    def __init__(self, client: RedisClient, told: Told, back: Callable[[Iterable[str]], None]) -> None:
        self._client = client
        self._told = told
        self._back = back
        self._lines: dict[str, Line] = {}

    async def follow(self, channel: str) -> None:
        """Returns when Redis has confirmed it. Raises StoreUnavailable."""
        line = self._line(self._client.shard(channel_keys(channel).head))
        if line.down:
            raise StoreUnavailable(f"the Redis at {self._client.where} cannot be reached")
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                await asyncio.shield(line.follow(channel).confirmed)
        except TimeoutError:
            raise StoreUnavailable(f"the Redis at {self._client.where} does not answer") from None

    def forget(self, channel: str) -> None:
        """Follows a channel no more."""
        for line in self._lines.values():
            line.forget(channel)

    async def close(self) -> None:
        """Ends all connections."""
        for line in tuple(self._lines.values()):
            await line.close()

    def _line(self, shard: str) -> "Line":
        line = self._lines.get(shard)
        if line is None:
            line = self._lines[shard] = Line(self._client, shard, self._told, self._back, self._broken)
        return line

    async def _broken(self, line: "Line") -> bool:
        """Moves what another shard has now. Returns whether the line is still of use."""
        with contextlib.suppress(StoreError):
            await self._client.look_again()
        for one in line.followed():
            shard = self._client.shard(channel_keys(one.channel).head)
            if shard != line.shard:
                line.forget(one.channel)
                self._line(shard).adopt(one)
        if line.followed() or self._lines.get(line.shard) is not line or not line.shard:
            return True
        del self._lines[line.shard]
        return False


class Line:
    """The subscriptions at one shard. `down`: it is not connected, and was not the last time that it tried."""

    def __init__(
        self,
        client: RedisClient,
        shard: str,
        told: Told,
        back: Callable[[Iterable[str]], None],
        broken: Callable[["Line"], Any],
    ) -> None:
        self.shard = shard
        self.down = False
        self._client = client
        self._told = told
        self._back = back
        self._broken = broken
        self._channels: dict[bytes, Followed] = {}
        self._pubsub: PubSub | None = None
        self._heard_at = 0.0
        self._sending: set[asyncio.Task[None]] = set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def followed(self) -> list[Followed]:
        """What is followed here."""
        return list(self._channels.values())

    def follow(self, channel: str) -> Followed:
        """Begins to follow a channel."""
        one = self._channels.get(channel_keys(channel).news.encode())
        if one is None:
            one = Followed(channel, asyncio.get_running_loop().create_future())
            self.adopt(one)
        return one

    def adopt(self, one: Followed) -> None:
        """Follows what another line did."""
        name = channel_keys(one.channel).news.encode()
        self._channels[name] = one
        self._send("ssubscribe", name)

    def forget(self, channel: str) -> None:
        """Follows a channel no more."""
        name = channel_keys(channel).news.encode()
        if self._channels.pop(name, None) is not None:
            self._send("sunsubscribe", name)

    async def close(self) -> None:
        """Ends the connection."""
        self._task.cancel()
        await asyncio.wait([self._task, *self._sending])

    def _send(self, command: str, name: bytes) -> None:
        """What cannot be sent now is sent when the connection is made anew."""
        if self._pubsub is not None:
            task = asyncio.get_running_loop().create_task(_quietly(getattr(self._pubsub, command)(name)))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _run(self) -> None:
        failures = 0
        while True:
            pool = self._client.pool(self.shard)
            pubsub = PubSub(pool)
            try:
                async with asyncio.TaskGroup() as group:
                    await self._connect(pubsub)
                    group.create_task(self._ping(pubsub))
                    group.create_task(self._hear(pubsub))
                    self.down, failures = False, 0
            except* (RedisError, OSError) as errors:
                error = errors.exceptions[0]
                level = logging.DEBUG if failures else logging.WARNING
                log.log(level, "news stop until Redis is back: %s", error)
            except* Exception:
                log.exception("a defect: news stop for a moment")
            finally:
                self._pubsub = None
                await _quietly(pubsub.aclose())  # type: ignore[no-untyped-call]
                await _quietly(pool.disconnect())
            self.down = failures > 0
            for one in self._channels.values():
                one.lost = True
                if one.confirmed.done():
                    one.confirmed = asyncio.get_running_loop().create_future()
            if not await self._broken(self):
                return
            await asyncio.sleep(RETRY_INTERVALS[min(failures, len(RETRY_INTERVALS) - 1)] * random.uniform(0.5, 1.0))
            failures += 1

    async def _connect(self, pubsub: PubSub) -> None:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            await pubsub.connect()  # type: ignore[no-untyped-call]
            # From now on who is adopted subscribes by itself; some twice, which is harmless.
            self._pubsub, self._heard_at = pubsub, monotonic()
            for name in list(self._channels):
                await pubsub.ssubscribe(name)

    async def _ping(self, pubsub: PubSub) -> None:
        while monotonic() - self._heard_at < HEARD_WITHIN:
            await pubsub.ping()
            await asyncio.sleep(PING_INTERVAL)
        raise TimeoutError(f"it was silent for {HEARD_WITHIN:g} s")

    async def _hear(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=None)
            self._heard_at = monotonic()
            one = self._channels.get(message["channel"] or b"") if message else None
            if message is None or one is None:
                continue
            if message["type"] == "smessage":
                self._told(one.channel, message["data"])
            elif message["type"] == "ssubscribe":
                if not one.confirmed.done():
                    one.confirmed.set_result(None)
                if one.lost:
                    one.lost = False
                    self._back([one.channel])
            elif message["type"] == "sunsubscribe" and one.confirmed.done():
                raise ConnectionError(f"the slot of {one.channel!r} is at another shard now")


async def _quietly(doing: Any) -> None:
    with contextlib.suppress(RedisError, OSError):
        await doing
