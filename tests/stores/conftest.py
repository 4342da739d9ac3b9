"""Every store, through one fixture."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from heartline_service.stores import open_store
from heartline_service.stores.base import Store
from stores.kinds import RETAIN, STORES, Told


@pytest.fixture
def told() -> Told:
    """What the store of the fixture `store` told by on_change, in order."""
    return []


@pytest.fixture(params=list(STORES.values()), ids=list(STORES))
async def store(request: pytest.FixtureRequest, tmp_path: Path, told: Told) -> AsyncIterator[Store]:
    """A new store, open, of each kind."""
    store = open_store(request.param.format(folder=tmp_path), RETAIN)
    await store.open(lambda *change: told.append(change))
    yield store
    await store.close()
