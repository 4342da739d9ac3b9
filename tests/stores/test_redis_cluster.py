"""A Redis Cluster that changes under a node: slots that move, and a replica that takes over."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from heartline_service.stores.base import Receipt, StoreUnavailable
from redis.crc import key_slot
from redis_servers import RedisCluster, RedisServer, certificate, free_port, redis_cluster
from stores.kinds import messages
from stores.test_redis_limits import logged
from stores.test_redis_nodes import Node, node

pytestmark = pytest.mark.needs("redis")

CHANNELS = [f"channel-{number}" for number in range(12)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    """A cluster of its own for each test."""
    with redis_cluster(tmp_path) as made:
        yield made


async def append(one: Node, channel: str, text: bytes) -> Receipt:
    """Appends, and tries again for as long as the cluster is not whole."""
    async with asyncio.timeout(30):
        while True:
            try:
                return (await one.store.append(channel, messages(text, id=text.decode()), 1.0))[0]
            except StoreUnavailable:
                await asyncio.sleep(0)


async def heard(one: Node, texts: list[bytes]) -> None:
    """Waits until every channel was told to have these events."""
    async with asyncio.timeout(30):
        for channel in CHANNELS:
            while [e.body for name, _, events in one.told if name == channel for e in events] != texts:
                one._changed.clear()
                await one._changed.wait()


def wait_until_known(cluster: RedisCluster, replica: RedisServer) -> None:
    """Returns when every server has heard of the replica.

    Tried with Redis 7.0.15: servers that have not met the replica when its primary is killed never do; there was no
    failover in 30 s, 3 times of 3. When the replica calls the cluster ok, as the test awaits before, they have met:
    then it came 31 times of 31, though up to 4 s late where a server had still to finish the greeting, and the test
    passed without this wait, too, 13 times of 13 beside two busy loops. So this rules out the first and saves the
    second; that the one failure that was ever seen came of it is not proven.
    """
    name, deadline = replica.ask("CLUSTER", "MYID").decode(), time.monotonic() + 30
    for server in cluster.servers:
        while not any(
            line.startswith(name) and " slave " in line and line.endswith(" connected")
            for line in server.ask("CLUSTER", "NODES").decode().splitlines()
        ):
            assert time.monotonic() < deadline, "a server of the cluster never heard of the replica"


async def test_channels_whose_slots_move_go_on(cluster: RedisCluster) -> None:
    source, target = cluster.servers[0], cluster.servers[1]
    names = [server.ask("CLUSTER", "MYID").decode() for server in cluster.servers]
    async with node(cluster.url) as one, node(cluster.url) as two:
        for channel in CHANNELS:
            await two.store.head(channel)
            await append(one, channel, b"before")
        for slot in sorted({key_slot(channel.encode()) for channel in CHANNELS}):
            if slot >= 16384 // 3:
                continue
            target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[0])
            source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[1])
            keys = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100)
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
            for server in (target, source, cluster.servers[2]):
                server.ask("CLUSTER", "SETSLOT", slot, "NODE", names[1])
        epochs = {(await append(one, channel, b"after")).epoch for channel in CHANNELS}
        await heard(two, [b"before", b"after"])
        assert epochs == {one.store.epoch}


async def test_a_replica_that_takes_over_goes_on(cluster: RedisCluster, tmp_path: Path) -> None:
    primary = cluster.servers[0]
    with ExitStack() as stack:
        flags = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
        replica = stack.enter_context(RedisServer(tmp_path / "replica", *flags)).ready()
        replica.ask("CLUSTER", "MEET", "127.0.0.1", primary.port, primary._flags[-1])
        replica.out.wait("Cluster state changed: ok")
        replica.ask("CLUSTER", "REPLICATE", primary.ask("CLUSTER", "MYID"))
        replica.out.wait(" <-> REPLICA sync: Finished with success")
        wait_until_known(cluster, replica)
        async with node(cluster.servers[1].url) as one, node(cluster.servers[2].url) as two:
            for channel in CHANNELS:
                await two.store.head(channel)
                await append(one, channel, b"before")
            assert primary.ask("WAIT", 1, 5000) == 1
            primary.kill()
            replica.ask("CLUSTER", "FAILOVER", "TAKEOVER")
            epochs = {(await append(one, channel, b"after")).epoch for channel in CHANNELS}
            await heard(two, [b"before", b"after"])
            assert epochs == {one.store.epoch}


async def test_a_shard_that_is_away_is_told_in_the_log_and_the_others_go_on(cluster: RedisCluster) -> None:
    ours = key_slot(b"heartline") * 3 // 16384
    gone = cluster.servers[ours - 1]
    async with logged() as words, node(cluster.url) as one:
        there: list[bool] = []
        one.store.watch(there.append)
        gone.kill()
        said = await words.line("publishing fails")
        assert f"the Redis at 127.0.0.1:{gone.port} cannot be reached" in said
        await one.store.append("heartline", messages(b"x"), 1.0)
        assert there == []


@pytest.mark.needs("openssl")
async def test_a_cluster_is_reached_by_tls_at_each_of_its_servers(tmp_path: Path) -> None:
    with redis_cluster(tmp_path, tls=certificate(tmp_path)) as cluster:
        for server in cluster.servers:
            server.ask("CONFIG", "SET", "port", 0)
        async with node(cluster.url) as one, node(cluster.url) as two:
            for channel in CHANNELS:
                await two.store.head(channel)
                await append(one, channel, b"hello")
            await heard(two, [b"hello"])
