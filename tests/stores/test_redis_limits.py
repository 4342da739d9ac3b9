"""A Redis that takes no writes for a while: what is refused is refused plainly, and everything else goes on."""

from collections.abc import Iterator
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
