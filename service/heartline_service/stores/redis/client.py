"""One Redis, or a Redis Cluster: connecting, what it must be like, and what its errors mean to us.

Rules:
- Nothing is sent twice by itself: whether a step was taken when its answer is lost, only its caller can tell.
- Errors never carry the URL as it is written, because of the password in it.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis import exceptions as told
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from heartline_service.stores import shown
from heartline_service.stores.base import StoreError, StoreUnavailable
from heartline_service.stores.redis.scripts import MAY_WRITE

OLDEST = (7, 0)
"""Redis 7.0 brought sharded publish and subscribe."""
CONNECT_TIMEOUT = 3.0
"""Seconds."""
ANSWER_TIMEOUT = 3.0
"""Seconds without a byte of an answer. Well under a node's lease, so that a stall does not cost it."""

LOST = (told.ConnectionError, told.TimeoutError, told.ClusterDownError, told.ReadOnlyError)
"""Answers after which it is looked anew which server has what."""

Options = dict[str, Any]


class TakesNoWrites(StoreUnavailable):
    """Redis is there, and can be read; to every node alike it refuses what is to be written."""


def store_error(error: Exception, where: str) -> StoreError:
    """What an error of the driver is to the store's callers."""
    said = " ".join(str(error).split())
    if isinstance(error, told.AuthenticationError) or said.startswith(("NOAUTH", "WRONGPASS")):
        return StoreUnavailable(
            f"the Redis at {where} refuses us ({said}): write the password it wants into the store URL, as in"
            " redis://USER:PASSWORD@HOST"
        )
    if isinstance(error, told.NoPermissionError) or said.startswith("NOPERM"):
        return StoreUnavailable(
            f"the user of the store URL may not do all that the store needs of the Redis at {where} ({said})"
        )
    if isinstance(error, told.ReadOnlyError) or said.startswith("READONLY"):
        return StoreUnavailable(f"the Redis at {where} is a replica, which takes no writes: name its primary")
    if isinstance(error, told.OutOfMemoryError) or said.startswith("OOM"):
        return TakesNoWrites(
            f"the Redis at {where} has used all the memory that it may: raise its maxmemory, or keep less (--retain)"
        )
    if said.startswith("MISCONF"):
        return TakesNoWrites(f"the Redis at {where} takes no writes because it cannot write to its disk: {said}")
    if said.startswith("NOREPLICAS"):
        return TakesNoWrites(f"the Redis at {where} takes no writes, as it has too few replicas: {said}")
    if isinstance(error, (told.ConnectionError, told.TimeoutError, OSError)):
        return StoreUnavailable(f"the Redis at {where} cannot be reached: {said or type(error).__name__}")
    return StoreUnavailable(f"the Redis at {where} cannot do it now: {said}")


class RedisClient:
    """A connected Redis or Redis Cluster. `where` is how users are told of it."""

    def __init__(self, url: str) -> None:
        """Raises ValueError with a sentence for the user."""
        self._options = _options(url)
        parts = urlsplit(url)
        self.where = f"{parts.hostname}:{parts.port or 6379}"
        self.cluster = False
        self._outdated = False
        self._redis: Redis | RedisCluster | None = None

    async def connect(self) -> None:
        """Connects, and looks whether it is fit for us. Raises StoreUnavailable."""
        try:
            one = Redis.from_pool(ConnectionPool(**self._options))
            try:
                about = await one.info()
            finally:
                await one.aclose()
            self.cluster = bool(about.get("cluster_enabled"))
            self._check(about)
            if self.cluster:
                wanted = {name: value for name, value in self._options.items() if name != "connection_class"}
                tls = "SSL" in self._options.get("connection_class", type(None)).__name__
                self._redis = RedisCluster(ssl=tls, **wanted)
                await self._redis.initialize()
            else:
                self._redis = Redis.from_pool(ConnectionPool(**self._options))
        except (told.RedisError, OSError) as error:
            raise self.error(error) from error

    async def close(self) -> None:
        """Lets go of all connections."""
        if self._redis is not None:
            await self._redis.aclose()

    def error(self, error: Exception) -> StoreError:
        """What an error of the driver is to the store's callers."""
        return store_error(error, self.where)

    def shard(self, key: str) -> str:
        """The name of the server that has a key, as far as is known; "" where there is one server."""
        if not isinstance(self._redis, RedisCluster):
            return ""
        try:
            node = self._redis.get_node_from_key(key)
        except told.RedisError:
            return ""
        return "" if node is None else str(node.name)

    def pool(self, shard: str) -> ConnectionPool:
        """Connections of their own to a shard, for those who wait for what it says."""
        options = {**self._options, "socket_timeout": None}
        if shard:
            host, _, port = shard.rpartition(":")
            options |= {"host": host, "port": int(port)}
        return ConnectionPool(**options)

    async def look_again(self) -> None:
        """Asks a cluster anew who has which slot. Raises StoreUnavailable."""
        if isinstance(self._redis, RedisCluster):
            try:
                await self._redis.nodes_manager.initialize()
            except (told.RedisError, OSError) as error:
                raise self.error(error) from error

    async def limits(self) -> list[str]:
        """What is wrong, as sentences: Redis, or a shard of it, takes no writes; a shard is away.

        Raises StoreUnavailable when all of it is away.
        """
        asked = ("EVAL", MAY_WRITE.text, 0)
        if isinstance(self._redis, RedisCluster):
            shards = self._redis.get_primaries()
            asking = {str(shard.name): shard.execute_command(*asked) for shard in shards}
        else:
            assert self._redis is not None
            asking = {self.where: self._redis.execute_command(*asked)}  # type: ignore[no-untyped-call]
        answers = await asyncio.gather(*asking.values(), return_exceptions=True)
        errors = [
            store_error(answer, where)
            for where, answer in zip(asking, answers, strict=True)
            if isinstance(answer, Exception)
        ]
        away = [error for error in errors if not isinstance(error, TakesNoWrites)]
        self._outdated = self._outdated or (self.cluster and bool(away))
        if away and len(away) == len(asking):
            raise away[0]
        return [str(error) for error in errors]

    async def send(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Sends commands in one go, all to one shard. An answer that is an error stands in its place as it is.

        Raises StoreUnavailable when the answers do not come: then some of the commands may have been done.
        """
        assert self._redis is not None
        if self._outdated:
            await self.look_again()
            self._outdated = False
        pipeline: Any = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
        except (told.RedisError, OSError) as error:
            # Another server of a cluster may have taken over.
            self._outdated = self.cluster
            raise self.error(error) from error
        if any(isinstance(answer, LOST) for answer in answers):
            self._outdated = self.cluster
            if isinstance(self._redis, Redis):
                # Its name may lead to another server now.
                await self._redis.connection_pool.disconnect()
        return answers

    def _check(self, about: dict[str, Any]) -> None:
        version = str(about.get("redis_version", "0"))
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < OLDEST:
            raise StoreUnavailable(f"the Redis at {self.where} is too old ({version}): it must be 7.0 or newer")
        if about.get("role") == "slave":
            primary = f"{about.get('master_host')}:{about.get('master_port')}"
            raise StoreUnavailable(
                f"the Redis at {self.where} is a replica, which takes no writes: name its primary, {primary}"
            )
        policy = about.get("maxmemory_policy", "noeviction")
        if about.get("maxmemory") and policy != "noeviction":
            raise StoreUnavailable(
                f"the Redis at {self.where} forgets what it likes when memory runs short (maxmemory-policy {policy}):"
                " set it to noeviction"
            )
        if self.cluster and self._options.get("db"):
            raise StoreUnavailable(f"the Redis at {self.where} is a cluster, which has no database but 0")


def _options(url: str) -> Options:
    wanted = f'the store URL "{shown(url)}" cannot be read: write redis://HOST:PORT, or rediss:// for TLS'
    try:
        options: Options = dict(parse_url(url))
    except ValueError as error:
        raise ValueError(f"{wanted} ({error})") from None
    parts = urlsplit(url)
    unknown = [name for name in parse_qs(parts.query) if not name.startswith("ssl_")]
    if not parts.hostname or not re.fullmatch(r"/?\d*", parts.path) or unknown:
        raise ValueError(wanted)
    return {
        **options,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "socket_timeout": ANSWER_TIMEOUT,
        "socket_keepalive": True,
    }
