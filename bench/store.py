"""The SQLite store's durable append: messages a second of 64 callers, against what SQLite alone commits.

The floor is a plain loop over one connection in WAL with synchronous=FULL, to the tables that one would make: events by
channel and offset, and message ids by channel and id. Each transaction inserts 64 events, and their ids, with one
executemany each, and commits. Rows are ready beforehand. It looks nothing up, decides nothing and wakes nobody. Its ids
come in a row, as those of one user of the client library do. Judged: messages with such ids on our side, too. Told
beside: the same against a floor that runs one statement for each row, and against one that writes to the store's own
table; each caller with a row of ids of its own, which an index finds in 64 places; and messages without ids. The faster
the disk, the more this figure is one of CPU: read it with the time of a sync beside it.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path

from heartline_service.retention import by_pattern
from heartline_service.stores.base import Head, NewMessage, StoredEvent
from heartline_service.stores.sqlite.file import PAGE_SIZE
from heartline_service.stores.sqlite.group import key_of
from heartline_service.stores.sqlite.store import SqliteStore

from bench import measure
from bench.messages import CHANNEL, PAYLOAD
from bench.plan import Plan
from bench.report import Figure

CALLERS = 64
ROUNDS = 40
REPEATS = 21
LIMIT = 0.7
NOW = 1_700_000_000.0

PLAIN = f"""
PRAGMA page_size = {PAGE_SIZE};
PRAGMA journal_mode = WAL;
CREATE TABLE events (
    channel_id INTEGER NOT NULL, offset INTEGER NOT NULL, published_at REAL NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (channel_id, offset)
);
CREATE TABLE message_ids (
    channel_id INTEGER NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL, offset INTEGER NOT NULL,
    published_at REAL NOT NULL, PRIMARY KEY (channel_id, id)
);
"""

Row = tuple[int | str | float | bytes | None, ...]
Group = tuple[list[Row], list[Row]]
"""Rows of events, and of message ids."""


def _ignore(_channel: str, _head: Head, _events: Sequence[StoredEvent]) -> None:
    pass


class _Ours:
    """The store with its callers."""

    def __init__(self, store: SqliteStore, named: bool, apart: bool) -> None:
        self._store = store
        self._named = named
        self._apart = apart
        self._made = 0

    async def rate(self) -> float:
        """Messages a second."""
        made = [self._message() for _ in range(CALLERS * ROUNDS)]
        if self._apart:
            shares = [made[start : start + ROUNDS] for start in range(0, len(made), ROUNDS)]
        else:
            shares = [made[caller::CALLERS] for caller in range(CALLERS)]
        began = time.perf_counter()
        await asyncio.gather(*map(self._append, shares))
        return CALLERS * ROUNDS / (time.perf_counter() - began)

    async def _append(self, messages: list[list[NewMessage]]) -> None:
        for message in messages:
            await self._store.append(CHANNEL, message, NOW)

    def _message(self) -> list[NewMessage]:
        self._made += 1
        return [NewMessage(f"{self._made:032x}" if self._named else "", PAYLOAD)]


class _Alone:
    """SQLite with a plain loop. With `own`, the connection is to a store, where an event has its id with it."""

    def __init__(self, connection: sqlite3.Connection, named: bool, own: bool = False) -> None:
        self._connection = connection
        self._named = named
        self._group = self._own_group if own else self._plain_group
        self._made = 0

    async def rate(self) -> float:
        """Messages a second, many rows to a statement."""
        return self._rate(self._connection.executemany)

    async def rate_one_by_one(self) -> float:
        """Messages a second, a statement for each row."""

        def insert(sql: str, rows: Sequence[Row]) -> None:
            for row in rows:
                self._connection.execute(sql, row)

        return self._rate(insert)

    def _rate(self, insert: Callable[[str, Sequence[Row]], object]) -> float:
        groups = []
        for _ in range(ROUNDS):
            groups.append(self._group(range(self._made + 1, self._made + CALLERS + 1)))
            self._made += CALLERS
        execute = self._connection.execute
        began = time.perf_counter()
        for events, ids in groups:
            execute("BEGIN IMMEDIATE")
            insert("INSERT INTO events VALUES (?, ?, ?, ?)", events)
            if ids:
                insert("INSERT INTO message_ids VALUES (?, ?, ?, ?, ?)", ids)
            execute("COMMIT")
        return CALLERS * ROUNDS / (time.perf_counter() - began)

    def _plain_group(self, offsets: range) -> Group:
        digest = blake2b(PAYLOAD, digest_size=16).digest()
        events: list[Row] = [(1, offset, NOW, PAYLOAD) for offset in offsets]
        return events, [(1, f"{offset:032x}", digest, offset, NOW) for offset in offsets] if self._named else []

    def _own_group(self, offsets: range) -> Group:
        named = self._named
        return [(key_of(1, offset), NOW, f"{offset:032x}" if named else None, PAYLOAD) for offset in offsets], []


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        yield connection


async def _measure(plan: Plan, folder: Path, *, named: bool, apart: bool) -> list[tuple[float, ...]]:
    ours, emptied = (SqliteStore(folder / name / "store.db", by_pattern([])) for name in ("ours", "own"))
    await emptied.open(_ignore)
    await emptied.close()
    await ours.open(_ignore)
    try:
        with _connected(folder / "plain.db") as plain, _connected(folder / "own" / "store.db") as own:
            plain.executescript(PLAIN)
            floor = _Alone(plain, named)
            measured = floor if plan.self_check else _Ours(ours, named, apart)
            samples = [
                measured.rate,
                floor.rate,
                floor.rate_one_by_one,
                _Alone(own, named, own=True).rate,
                measure.sync_ms,
            ]
            return await measure.warm_in_turns(plan.repeats(REPEATS), *samples)
    finally:
        await ours.close()


async def run(plan: Plan) -> list[Figure]:
    """Measures it."""
    figures = []
    for what, named, apart, limit in (
        ("messages with ids", True, False, LIMIT),
        ("messages with ids of 64 users", True, True, None),
        ("messages without ids", False, False, None),
    ):
        with tempfile.TemporaryDirectory(prefix="heartline-bench-") as folder:
            rows = await _measure(plan, Path(folder), named=named, apart=apart)
        told = f"{what}, {CALLERS} callers, durable"
        names = ("store/s", "SQLite alone/s", "a statement for each row/s", "the store's table/s", "sync ms")
        facts = {name: measure.column(rows, index) for index, name in enumerate(names)}
        figures.append(Figure("store", told, "x", measure.ratios(rows), at_least=limit, facts=facts))
        for floor, under in (("a statement for each row", 2), ("the store's own table", 3)):
            figures.append(Figure("store", f"{what}, against {floor}", "x", measure.ratios(rows, under=under)))
    return figures
