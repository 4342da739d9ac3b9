"""The SQLite store's file: what survives a restart, who may open it, and what is refused."""

import asyncio
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from heartline_service.retention import Retention, by_pattern
from heartline_service.stores import open_store
from heartline_service.stores.base import (
    Acked,
    Head,
    IdConflict,
    NewMessage,
    OnChange,
    PresenceRecord,
    Receipt,
    Store,
    StoreCorrupt,
    StoreLocked,
    StoreUnavailable,
)
from heartline_service.stores.sqlite.store import SqliteStore
from stores.kinds import ENVIRONMENT, RETAIN, bodies, messages, program


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "deep" / "er" / "store.db"


def ignore(*_change: object) -> None:
    """An on_change for who does not care."""


async def opened(file: Path, on_change: OnChange = ignore) -> Store:
    """The store in a file, open."""
    store = open_store(f"sqlite:{file}", RETAIN)
    await store.open(on_change)
    return store


def serving(file: Path) -> "subprocess.Popen[bytes]":
    """Another process that has the store open until its input ends."""
    command = program("appender.py", file, 0, 0)
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT)
    assert child.stdout is not None
    assert child.stdout.readline() == b"open\n"
    return child


async def fill(file: Path) -> bytes:
    """Makes a store with a hundred events and closes it; its bytes."""
    store = await opened(file)
    await store.append("a", [NewMessage(f"m{n}", b"%d" % n * 300) for n in range(100)], 1.0)
    await store.close()
    return file.read_bytes()


async def test_a_store_that_is_opened_again_holds_all_that_it_held(file: Path) -> None:
    store = await opened(file)
    record = PresenceRecord("one", True, "CONNECTED", 1.5, "well", 9.25)
    await store.append("a", messages(b"1", b"2"), 1.0)
    await store.append("brief.a", messages(b"1", b"2"), 1.0)
    await store.trim(100.0)
    await store.ack("one", [Acked("a", store.epoch, 2)])
    await store.save_presence(record, None, 1.0)
    await store.close()

    again = await opened(file)
    assert again.epoch == store.epoch
    assert await bodies(again, "a") == [b"1", b"2"]
    assert await again.channels("", 10) == [("a", Head(store.epoch, 1, 2)), ("brief.a", Head(store.epoch, 3, 2))]
    assert await again.acked("one") == {"a": Acked("a", store.epoch, 2)}
    assert await again.presence("one") == record
    assert await again.append("brief.a", messages(b"3"), 100.0) == [Receipt(store.epoch, 3, False)]
    await again.close()


async def test_ids_are_remembered_over_a_restart(file: Path) -> None:
    store = await opened(file)
    await store.append("a", messages(b"x", id="m"), 1.0)
    await store.close()
    again = await opened(file)
    assert await again.append("a", messages(b"x", id="m"), 2.0) == [Receipt(store.epoch, 1, True)]
    with pytest.raises(IdConflict):
        await again.append("a", messages(b"y", id="m"), 2.0)
    await again.close()


async def test_a_store_is_one_file_and_its_lock_once_it_is_closed(file: Path) -> None:
    await fill(file)
    assert sorted(found.name for found in file.parent.iterdir()) == ["store.db", "store.db.lock"]


async def test_a_new_store_takes_the_epoch_that_it_is_given(file: Path) -> None:
    store = SqliteStore(file, RETAIN, epoch="0123456789abcdef")
    await store.open(ignore)
    await store.append("a", messages(b"x"), 1.0)
    assert await store.head("a") == Head("0123456789abcdef", 1, 1)
    await store.close()


async def test_many_publishes_share_one_transaction(file: Path) -> None:
    told: list[int] = []
    store = await opened(file, lambda channel, head, events: told.append(len(events)))
    await asyncio.gather(*(store.append("a", messages(b"x"), 1.0) for _ in range(64)))
    assert told == [64]
    await store.close()


async def test_a_lower_limit_counts_from_the_next_trim(file: Path) -> None:
    await fill(file)
    store = open_store(f"sqlite:{file}", by_pattern([("a", Retention(max_events=5))]))
    await store.open(ignore)
    await store.trim(2.0)
    assert await store.head("a") == Head(store.epoch, 96, 100)
    await store.close()


async def test_a_reader_does_not_wait_for_another_program_that_writes(file: Path) -> None:
    store = await opened(file)
    await store.append("a", messages(b"x"), 1.0)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await bodies(store, "a") == [b"x"]
        with pytest.raises(StoreUnavailable, match="another program holds"):
            await store.append("a", messages(b"y"), 1.0)
    assert await store.append("a", messages(b"y"), 1.0) == [Receipt(store.epoch, 2, False)]
    await store.close()


async def test_a_store_that_another_process_serves_is_locked(file: Path) -> None:
    with serving(file) as child:
        with pytest.raises(StoreLocked, match=rf"another server \(process {child.pid}\) holds the store {file}"):
            await opened(file)
        child.communicate(timeout=10)
    await (await opened(file)).close()


async def test_a_store_that_another_program_has_locked_is_locked(file: Path) -> None:
    await fill(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match="another program holds the store"):
            await opened(file)
    await (await opened(file)).close()


def garbled(data: bytes, start: int) -> bytes:
    """The bytes with a page of nonsense in them."""
    return data[:start] + b"\xa5" * 4096 + data[start + 4096 :]


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "is an empty file"),
    "a text": (lambda data: b"no database\n" * 1000, "is no database"),
    "its start garbled": (lambda data: garbled(data, 0), "is no database"),
    "its middle garbled": (lambda data: garbled(data, 5 * 4096), "is damaged"),
    "cut short": (lambda data: data[: len(data) // 2], "is damaged"),
    "cut to one page": (lambda data: data[:4096], "is damaged"),
    "cut within a page": (lambda data: data[:-100], "is damaged"),
}


@pytest.mark.parametrize(("broken", "sentence"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_file_is_refused_and_left_as_it_is(
    file: Path, broken: Callable[[bytes], bytes], sentence: str
) -> None:
    found = broken(await fill(file))
    file.write_bytes(found)
    for _ in range(2):
        with pytest.raises(StoreCorrupt, match=f"{file}.* {sentence}"):
            await opened(file)
    assert file.read_bytes() == found


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("PRAGMA application_id = 1", "is a database of another program"),
        ("PRAGMA user_version = 3", "was made by a newer Heartline"),
        ("PRAGMA user_version = 1", "was made by an older Heartline"),
    ],
)
async def test_a_database_that_is_not_ours_is_refused_and_left_as_it_is(
    file: Path, statement: str, sentence: str
) -> None:
    await fill(file)
    with closing(sqlite3.connect(file)) as other:
        other.execute(statement)
    found = file.read_bytes()
    with pytest.raises(StoreCorrupt, match=sentence):
        await opened(file)
    assert file.read_bytes() == found


async def test_a_file_that_went_without_its_log_is_not_begun_anew(file: Path) -> None:
    await fill(file)
    file.rename(f"{file}-wal")
    with pytest.raises(StoreCorrupt, match="is gone, but"):
        await opened(file)
    assert not file.exists()


async def test_damage_that_is_met_later_is_told(file: Path) -> None:
    store = await opened(file)
    await store.append("a", messages(*[b"x" * 3000] * 2000), 1.0)
    await store.close()
    await store.open(ignore)
    with file.open("r+b") as data:
        data.seek(4096 * 20)
        data.write(b"\xa5" * 4096 * 1000)
    with pytest.raises(StoreCorrupt, match="is damaged"):
        await bodies(store, "a")
    await store.close()


async def test_a_path_that_cannot_be_is_unavailable(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(StoreUnavailable, match="Is a directory"):
        await opened(file)
    below = file.parent / "file"
    below.touch()
    with pytest.raises(StoreUnavailable, match=r"Not a directory|File exists"):
        await opened(below / "store.db")


async def test_a_store_that_was_refused_opens_once_it_can(file: Path) -> None:
    found = await fill(file)
    store = open_store(f"sqlite:{file}", RETAIN)
    file.write_bytes(b"")
    with pytest.raises(StoreCorrupt):
        await store.open(ignore)
    file.write_bytes(found)
    await store.open(ignore)
    assert await store.head("a") == Head(store.epoch, 1, 100)
    await store.close()


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("", 'write "memory:", "sqlite:PATH" or "redis://HOST"'),
        ("data/my.db", 'write "memory:", "sqlite:PATH" or "redis://HOST"'),
        ("memory:x", "takes no path"),
        ("redis://", "cannot be read: write redis://HOST:PORT"),
        ("redis://h/?nonsense=1", "cannot be read: write redis://HOST:PORT"),
        ("redis://h:port", "cannot be read: write redis://HOST:PORT"),
        ("sqlite:", "names no file"),
        ("sqlite://data/my.db", "names no file"),
    ],
)
def test_a_wrong_url_is_told_with_what_to_write(url: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        open_store(url, RETAIN)
