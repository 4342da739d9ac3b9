"""A Redis that lost what was shown: it is told as another epoch, never kept silent."""

import asyncio
from typing import Any

import pytest
from heartline_service.stores.base import Head
from redis_servers import RedisCluster, RedisServer
from stores.kinds import messages
from stores.test_redis_nodes import node

pytestmark = pytest.mark.needs("redis")


async def test_an_emptied_redis_is_told_to_readers_of_a_channel_where_nothing_happens(
    redis_url: str, one_redis_for_all: RedisServer
) -> None:
    async with node(redis_url) as one:
        await one.store.append("a", messages(b"x"), 1.0)
        first = await one.store.head("a")
        one_redis_for_all.ask("FLUSHALL")
        head = await one.until(0, epoch=first.epoch)
        assert head == Head(one.store.epoch, 1, 0)
        assert (await one.store.append("a", messages(b"y"), 1.0))[0].epoch == head.epoch != first.epoch


async def test_an_append_after_it_begins_another_log_at_once(redis_url: str, one_redis_for_all: RedisServer) -> None:
    async with node(redis_url) as one, node(redis_url) as two:
        (first,) = await one.store.append("a", messages(b"x"), 1.0)
        await two.store.head("a")
        one_redis_for_all.ask("FLUSHALL")
        (second,) = await one.store.append("a", messages(b"y"), 1.0)
        assert (second.offset, second.epoch == first.epoch) == (1, False)
        assert (await two.until(1, epoch=first.epoch)).epoch == second.epoch


async def test_a_shard_that_was_emptied_gives_its_channels_and_no_others_another_epoch(
    cluster_url: str, one_cluster_for_all: RedisCluster
) -> None:
    names = [f"channel-{number}" for number in range(12)]
    async with node(cluster_url) as one:
        for name in names:
            await one.store.append(name, messages(b"x"), 1.0)
        lost = one_cluster_for_all.servers[1]
        gone = {key.decode() for key in lost.ask("KEYS", "heartline:{channel-*}:head")}
        lost.ask("FLUSHALL")
        epochs = {}
        for name in names:
            (receipt,) = await one.store.append(name, messages(b"y"), 2.0)
            epochs[name] = (receipt.offset, receipt.epoch == one.store.epoch)
    assert 0 < len(gone) < 12
    assert epochs == {name: (1, False) if f"heartline:{{{name}}}:head" in gone else (2, True) for name in names}


def kept(server: RedisServer) -> dict[bytes, Any]:
    """All that a server holds, as a replica has it that gets no more."""
    return {key: server.ask("DUMP", key) for key in server.ask("KEYS", "*")}


def put_back(server: RedisServer, dumped: dict[bytes, Any]) -> None:
    """What a failover to that replica does."""
    server.ask("FLUSHALL")
    for key, value in dumped.items():
        server.ask("RESTORE", key, 0, value, "REPLACE")


@pytest.fixture
async def behind(redis_url: str, one_redis_for_all: RedisServer) -> Any:
    """A node that showed 5 events, of which Redis has 3."""
    async with node(redis_url) as one:
        await one.store.head("a")
        await one.store.append("a", messages(b"1", b"2", b"3"), 1.0)
        dumped = kept(one_redis_for_all)
        await one.store.append("a", messages(b"4", b"5"), 2.0)
        put_back(one_redis_for_all, dumped)
        yield one


async def test_a_redis_that_is_behind_what_was_shown_is_told_with_nothing_published(behind: Any) -> None:
    epoch = behind.store.epoch
    head = await behind.until(0, epoch=epoch)
    assert (head.oldest, head.latest) == (1, 3)


async def test_an_append_of_the_node_that_showed_more_gets_the_new_epoch(behind: Any) -> None:
    epoch = behind.store.epoch
    (receipt,) = await behind.store.append("a", messages(b"other"), 3.0)
    assert (receipt.offset, receipt.epoch == epoch) == (4, False)
    assert behind.told[-1][1] == Head(receipt.epoch, 1, 4)


async def test_another_node_that_goes_on_beyond_what_was_shown_does_not_hide_it(behind: Any, redis_url: str) -> None:
    epoch = behind.store.epoch
    async with node(redis_url) as other:
        await other.store.append("a", messages(b"A", b"B", b"C", b"D"), 3.0)
        head = await behind.until(0, epoch=epoch)
        assert (head.oldest, head.latest) == (1, 7)


async def test_two_nodes_that_find_it_at_once_agree_on_the_epoch(
    redis_url: str, one_redis_for_all: RedisServer
) -> None:
    async with node(redis_url) as one, node(redis_url) as two:
        epoch = one.store.epoch
        await asyncio.gather(one.store.head("a"), two.store.head("a"))
        await one.store.append("a", messages(b"1"), 1.0)
        dumped = kept(one_redis_for_all)
        await one.store.append("a", messages(b"2"), 1.0)
        await two.until(2)
        put_back(one_redis_for_all, dumped)
        heads = await asyncio.gather(one.until(0, epoch=epoch), two.until(0, epoch=epoch))
        await one.store.append("a", messages(b"other"), 2.0)
        assert (await two.until(2, epoch=epoch)).epoch == heads[0].epoch == heads[1].epoch
