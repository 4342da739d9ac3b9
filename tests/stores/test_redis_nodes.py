"""Several nodes on one Redis: each hears what the others do, in log order, whatever is lost on the way."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from heartline_service.stores.base import Head, NewMessage, Receipt, StoredEvent
from heartline_service.stores.redis.store import RedisStore
from redis_servers import RedisServer
from stores.kinds import RETAIN, Told, bodies, messages

pytestmark = pytest.mark.needs("redis")


class Node:
    """A store, and what it told."""

    def __init__(self, url: str, **options: object) -> None:
        self.store = RedisStore(url, RETAIN, **options)  # type: ignore[arg-type]
        self.told: Told = []
        self._changed = asyncio.Event()

    def on_change(self, *change: object) -> None:
        """What the store calls."""
        self.told.append(change)  # type: ignore[arg-type]
        self._changed.set()

    async def until(self, latest: int, epoch: str = "") -> Head:
        """Waits until it told of a head that is so far, or of another log than this epoch's."""
        async with asyncio.timeout(20):
            while not self.told or (epoch and self.told[-1][1].epoch == epoch) or self.told[-1][1].latest < latest:
                self._changed.clear()
                await self._changed.wait()
        return self.told[-1][1]

    def events(self) -> list[StoredEvent]:
        """All events that it told."""
        return [event for _, _, events in self.told for event in events]


@asynccontextmanager
async def node(url: str, **options: object) -> AsyncIterator[Node]:
    """A node for the time of a test."""
    made = Node(url, **options)
    await made.store.open(made.on_change)
    try:
        yield made
    finally:
        await made.store.close()


@pytest.fixture(params=["redis_url", "cluster_url"])
def shared_url(request: pytest.FixtureRequest) -> str:
    """A Redis, and a Redis Cluster."""
    return str(request.getfixturevalue(request.param))


async def test_what_one_appends_the_other_tells(shared_url: str) -> None:
    async with node(shared_url) as one, node(shared_url) as two:
        assert await two.store.head("a") == Head(one.store.epoch, 1, 0)
        await one.store.append("a", messages(b"x", b"y"), 1.5)
        assert await two.until(2) == Head(one.store.epoch, 1, 2)
        assert two.events() == [StoredEvent(1, 1.5, b"x"), StoredEvent(2, 1.5, b"y")]


async def test_all_nodes_of_a_new_redis_have_one_epoch(shared_url: str) -> None:
    async with node(shared_url) as one, node(shared_url) as two:
        assert one.store.epoch == two.store.epoch
        receipts = await asyncio.gather(*(n.store.append("a", messages(b"x"), 1.0) for n in (one, two)))
        assert {receipt.epoch for (receipt,) in receipts} == {one.store.epoch}


async def test_nodes_that_append_at_once_tell_the_same_log_without_holes(shared_url: str) -> None:
    async with node(shared_url) as one, node(shared_url) as two:
        await asyncio.gather(one.store.head("a"), two.store.head("a"))
        appends = [n.store.append("a", messages(b"%d" % i), 1.0) for i in range(100) for n in (one, two)]
        await asyncio.gather(*appends)
        for told in (one, two):
            await told.until(200)
            assert [event.offset for event in told.events()] == list(range(1, 201))
        assert one.events() == two.events()


async def test_an_id_that_one_node_took_is_a_duplicate_at_the_other(shared_url: str) -> None:
    async with node(shared_url) as one, node(shared_url) as two:
        await one.store.append("a", messages(b"x", id="m"), 1.0)
        assert await two.store.append("a", messages(b"x", id="m"), 2.0) == [Receipt(one.store.epoch, 1, True)]


async def test_a_trim_moves_the_oldest_at_every_node(shared_url: str) -> None:
    async with node(shared_url) as one, node(shared_url) as two:
        await one.store.append("brief.a", messages(b"x"), 1.0)
        await two.store.head("brief.a")
        await one.store.trim(100.0)
        while not two.told:
            await two._changed.wait()
        assert two.told[-1][1] == Head(one.store.epoch, 2, 1)


async def test_one_node_at_a_time_applies_retention(redis_url: str) -> None:
    async with node(redis_url) as one, node(redis_url) as two:
        await one.store.append("brief.a", messages(b"x"), 1.0)
        await one.store.trim(1.0)
        await two.store.trim(100.0)
        assert await bodies(two.store, "brief.a") == [b"x"]
        await one.store.trim(100.0)
        assert await bodies(two.store, "brief.a") == []


async def test_one_append_costs_redis_one_call_however_many_read(
    redis_url: str, one_redis_for_all: RedisServer
) -> None:
    async with node(redis_url) as one, node(redis_url) as two:
        await two.store.head("a")
        await one.store.append("a", messages(b"first"), 1.0)
        before = calls(one_redis_for_all, "spublish")
        reads = calls(one_redis_for_all, "xrange")
        for _ in range(20):
            await one.store.append("a", messages(b"x"), 1.0)
        await two.until(21)
        assert calls(one_redis_for_all, "spublish") - before == 20
        assert calls(one_redis_for_all, "xrange") - reads <= 1  # the round's look may fall into it


def calls(server: RedisServer, command: str) -> int:
    """How often a server ran a command, in scripts too."""
    found = server.ask("INFO", "commandstats").get(f"cmdstat_{command}", {"calls": 0})
    return int(found["calls"])


async def test_news_that_were_lost_are_looked_up(redis_url: str, one_redis_for_all: RedisServer) -> None:
    async with node(redis_url) as one, node(redis_url) as two:
        await two.store.head("a")
        for number in range(10):
            one_redis_for_all.ask("CLIENT", "KILL", "TYPE", "pubsub")
            await one.store.append("a", messages(b"%d" % number), 1.0)
        await two.until(10)
        assert [event.offset for event in two.events()] == list(range(1, 11))


async def test_what_others_tell_on_our_news_disturbs_nothing(redis_url: str, one_redis_for_all: RedisServer) -> None:
    async with node(redis_url) as one, node(redis_url) as two:
        await two.store.head("a")
        for noise in (b"", b"noise", b"x" * 100):
            one_redis_for_all.ask("SPUBLISH", "heartline:{a}:news", noise)
        await one.store.append("a", messages(b"x"), 1.0)
        assert await two.until(1) == Head(one.store.epoch, 1, 1)


async def test_what_is_forgotten_is_not_told(redis_url: str, one_redis_for_all: RedisServer) -> None:
    async with node(redis_url) as one, node(redis_url) as two:
        await two.store.head("a")
        await two.store.head("b")
        two.store.forget("a")
        await one.store.append("a", messages(b"x"), 1.0)
        await one.store.append("b", messages(b"x"), 1.0)
        await two.until(1)
        assert [channel for channel, _, _ in two.told] == ["b"]


@pytest.mark.parametrize("name", ["}", "{}", "a}b", "{a}", "%7D", "ünïcode", "a b", "$presence"])
async def test_a_channel_may_have_any_name(cluster_url: str, name: str) -> None:
    async with node(cluster_url) as one:
        await one.store.append(name, [NewMessage("m", b"x")], 1.0)
        assert (await one.store.append(name, [NewMessage("m", b"x")], 1.0))[0].duplicate
        assert await bodies(one.store, name) == [b"x"]
        assert [channel for channel, _ in await one.store.channels("", 10)] == [name]


async def test_a_node_whose_clock_is_an_hour_off_changes_nothing(redis_url: str) -> None:
    async with node(redis_url) as right, node(redis_url, wall=lambda: time.time() + 3600) as wrong:
        await right.store.append("brief.a", messages(b"x", id="m"), time.time())
        assert (await wrong.store.append("brief.a", messages(b"x", id="m"), time.time() + 3600))[0].duplicate
        await wrong.store.trim(time.time() + 3600)
        assert await bodies(right.store, "brief.a") == [b"x"]
        await wrong.store.append("brief.b", messages(b"y"), time.time() + 3600)
        (event,) = await right.store.read("brief.b", 0, 1, 100)
        assert abs(event.published_at - time.time()) < 60
