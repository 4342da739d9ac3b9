"""A Redis that takes no writes for a while: what is refused is refused plainly, and everything else goes on."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from heartline_service.stores.base import Head, NewMessage, StoreUnavailable
from redis_servers import RedisServer, one_redis
from stores.kinds import bodies, messages
from stores.test_redis_nodes import node

pytestmark = pytest.mark.needs("redis")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of its own for each test."""
    with one_redis(tmp_path) as server:
        yield server


class Words(logging.Handler):
    """What the service logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._more = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a line."""
        self.lines.append(record.getMessage())
        self._more.set()

    async def line(self, part: str) -> str:
        """Waits for a line that contains this."""
        async with asyncio.timeout(30):
            while not (found := [line for line in self.lines if part in line]):
                self._more.clear()
                await self._more.wait()
        return found[0]


@asynccontextmanager
async def logged() -> AsyncIterator[Words]:
    """Listens to the log for the time of a test."""
    words, log = Words(), logging.getLogger("heartline.service")
    log.setLevel(logging.INFO)
    log.addHandler(words)
    try:
        yield words
    finally:
        log.removeHandler(words)
        log.setLevel(logging.NOTSET)


async def test_one_that_is_full_refuses_appends_and_is_read_all_the_same(redis: RedisServer) -> None:
    async with node(redis.url) as one, node(redis.url) as two:
        await one.store.append("brief.a", messages(b"x"), 1.0)
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreUnavailable, match="all the memory that it may"):
            await one.store.append("brief.a", [NewMessage("m", b"y")], 1.0)
        assert await two.store.head("brief.a") == Head(one.store.epoch, 1, 1)
        assert await bodies(two.store, "brief.a") == [b"x"]


async def test_retention_makes_room_in_one_that_is_full(redis: RedisServer) -> None:
    async with node(redis.url) as one:
        await one.store.append("brief.a", messages(b"x" * 1000), 1.0)
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        await one.store.trim(100.0)
        assert await one.store.head("brief.a") == Head(one.store.epoch, 2, 1)


async def test_an_append_that_was_refused_can_be_tried_again(redis: RedisServer) -> None:
    async with node(redis.url) as one:
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreUnavailable):
            await one.store.append("a", messages(b"x", id="m"), 1.0)
        redis.ask("CONFIG", "SET", "maxmemory", "0")
        (receipt,) = await one.store.append("a", messages(b"x", id="m"), 1.0)
        assert (receipt.offset, receipt.duplicate) == (1, False)


async def test_one_that_is_full_is_told_in_the_log_and_is_not_away(redis: RedisServer) -> None:
    async with logged() as words, node(redis.url) as one:
        there: list[bool] = []
        one.store.watch(there.append)
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        said = await words.line("publishing fails")
        assert said.endswith("has used all the memory that it may: raise its maxmemory, or keep less (--retain)")
        redis.ask("CONFIG", "SET", "maxmemory", "0")
        await words.line("Redis takes everything again")
        assert there == []


async def test_one_that_became_a_replica_is_away_until_it_is_none(redis: RedisServer, tmp_path: Path) -> None:
    with one_redis(tmp_path / "other") as other:
        async with logged() as words, node(redis.url) as one:
            there: asyncio.Queue[bool] = asyncio.Queue()
            one.store.watch(there.put_nowait)
            redis.ask("REPLICAOF", "127.0.0.1", other.port)
            async with asyncio.timeout(30):
                assert not await there.get()
                await words.line("is a replica, which takes no writes: name its primary")
                redis.ask("REPLICAOF", "NO", "ONE")
                assert await there.get()


async def test_one_that_became_a_replica_is_told_and_used_again_when_it_is_none(
    redis: RedisServer, tmp_path: Path
) -> None:
    with one_redis(tmp_path / "other") as other:
        async with node(redis.url) as one:
            redis.ask("REPLICAOF", "127.0.0.1", other.port)
            with pytest.raises(StoreUnavailable, match="is a replica, which takes no writes: name its primary"):
                await one.store.append("a", messages(b"x"), 1.0)
            redis.ask("REPLICAOF", "NO", "ONE")
            (receipt,) = await one.store.append("a", messages(b"x"), 1.0)
            assert receipt.offset == 1
