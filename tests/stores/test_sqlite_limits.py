"""What a SQLite store does at the end of what its events' keys can count."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from heartline_service.stores.base import Head, Receipt, StoreUnavailable
from heartline_service.stores.sqlite.group import MAX_CHANNEL_ID, MAX_OFFSET
from heartline_service.stores.sqlite.store import SqliteStore
from stores.kinds import RETAIN, messages


async def store_with(file: Path, channel: str, channel_id: int, latest: int) -> SqliteStore:
    """An open store that has this channel, without an event."""
    store = SqliteStore(file, RETAIN)
    await store.open(lambda *change: None)
    await store.close()
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("INSERT INTO channels VALUES (?, ?, ?)", (channel_id, channel, latest))
    await store.open(lambda *change: None)
    return store


async def test_a_log_that_is_full_refuses_its_next_event_and_no_other(tmp_path: Path) -> None:
    store = await store_with(tmp_path / "store.db", "full", 1, MAX_OFFSET - 1)
    full, other = await asyncio.gather(
        store.append("full", messages(b"1", b"2"), 1.0), store.append("a", messages(b"x"), 1.0), return_exceptions=True
    )
    assert isinstance(full, StoreUnavailable)
    assert other == [Receipt(store.epoch, 1, False)]
    assert await store.append("full", messages(b"1"), 1.0) == [Receipt(store.epoch, MAX_OFFSET, False)]
    assert await store.head("full") == Head(store.epoch, MAX_OFFSET, MAX_OFFSET)
    assert [event.offset for event in await store.read("full", MAX_OFFSET - 1, 10, 10)] == [MAX_OFFSET]
    assert await store.read("full", MAX_OFFSET, 10, 10) == []
    await store.close()


async def test_a_store_that_is_full_of_channels_refuses_a_new_one_and_no_other(tmp_path: Path) -> None:
    store = await store_with(tmp_path / "store.db", "last", MAX_CHANNEL_ID, 0)
    new, last = await asyncio.gather(
        store.append("new", messages(b"x"), 1.0), store.append("last", messages(b"x"), 1.0), return_exceptions=True
    )
    assert isinstance(new, StoreUnavailable)
    assert last == [Receipt(store.epoch, 1, False)]
    with pytest.raises(StoreUnavailable, match="can have no more"):
        await store.append("new", messages(b"x"), 1.0)
    await store.trim(1e9)
    assert dict(await store.channels("", 10)) == {"last": Head(store.epoch, 2, 1)}
    await store.close()
