"""Every store, through one fixture."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from heartline_service.stores import open_store
from heartline_service.stores.base import Store
from redis_servers import RedisCluster, RedisServer, one_redis, redis_cluster
from stores.kinds import RETAIN, STORES, Told


@pytest.fixture(scope="session")
def one_redis_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that tests share."""
    with one_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def one_cluster_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """A cluster that tests share."""
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def redis_url(one_redis_for_all: RedisServer) -> str:
    """An empty Redis."""
    one_redis_for_all.ask("FLUSHALL")
    return one_redis_for_all.url


@pytest.fixture
def cluster_url(one_cluster_for_all: RedisCluster) -> str:
    """An empty Redis Cluster."""
    one_cluster_for_all.empty()
    return one_cluster_for_all.url


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store of each kind is."""
    kind: str = request.param
    if kind in ("{redis}", "{cluster}"):
        return str(request.getfixturevalue(f"{kind[1:-1]}_url"))
    return kind.format(folder=tmp_path)


@pytest.fixture
def told() -> Told:
    """What the store of the fixture `store` told by on_change, in order."""
    return []


@pytest.fixture
async def store(url: str, told: Told) -> AsyncIterator[Store]:
    """A new store, open, of each kind."""
    store = open_store(url, RETAIN)
    await store.open(lambda *change: told.append(change))
    yield store
    await store.close()
