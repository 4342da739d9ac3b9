"""The store in one SQLite file: what was answered survives the loss of power.

Rules:
- One thread writes, in groups (writer.py); another reads, on its own connection. The event loop does neither.
- One epoch for the life of the file.
- Retention and forgetting go in small portions, so that they hold up no publisher.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from heartline_service.retention import PRESENCE_CHANNEL, Retain
from heartline_service.stores.base import (
    DEDUPE_WINDOW,
    Acked,
    Head,
    NewMessage,
    OnChange,
    PresenceRecord,
    Receipt,
    StoredEvent,
    StoreUnavailable,
)
from heartline_service.stores.memory import new_epoch
from heartline_service.stores.sqlite.file import StoreFile, open_file, store_error
from heartline_service.stores.sqlite.group import MAX_OFFSET, OFFSET_BITS, Log, key_of
from heartline_service.stores.sqlite.tables import LOGS_BY_NAME, LOGS_PAGE, PRESENCE, Tables, for_rows, log_of
from heartline_service.stores.sqlite.writer import Writer
from heartline_service.stores.sqlite.writes import Ack, Append, Forget, Trim

T = TypeVar("T")

TRIM_ROWS = 2000
"""How many events one write lets go."""
TRIM_CHANNELS = 500
"""How many channels are looked at for old events in one go."""

READ = (
    f"SELECT e.key & {MAX_OFFSET}, e.published_at, e.body FROM channels c JOIN events e"
    f" ON e.key > c.channel_id << {OFFSET_BITS} | ? AND e.key <= c.channel_id << {OFFSET_BITS} | {MAX_OFFSET}"
    " WHERE c.name = ? ORDER BY e.key LIMIT ?"
)
OLDEST_KEPT = (
    f"SELECT key & {MAX_OFFSET} FROM events WHERE key BETWEEN ? AND ? AND published_at >= ? ORDER BY key LIMIT 1"
)
ACKED = "SELECT channel, epoch, offset FROM acks WHERE client_id = ?"
PRESENCES = f"SELECT {', '.join(PRESENCE)} FROM presence WHERE {{which}} ORDER BY client_id LIMIT ?"


class SqliteStore:
    """Logs, acks and presence in a SQLite file."""

    kind = "sqlite"

    def __init__(self, path: Path, retain: Retain, epoch: str = "") -> None:
        """`epoch` is that of a file made anew; one that is there keeps its own."""
        self.epoch = epoch or new_epoch()
        self._path = path
        self._retain = retain
        self._file: StoreFile | None = None
        self._writer: Writer | None = None
        self._reading: ThreadPoolExecutor | None = None

    async def open(self, on_change: OnChange) -> None:
        """See Store."""
        self._file = await asyncio.to_thread(open_file, self._path, self.epoch)
        self.epoch = self._file.epoch
        self._reading = ThreadPoolExecutor(1, "heartline-store-reader")
        self._writer = Writer(self._file, Tables(self._file.writer, self.epoch, self._retain), on_change)

    async def close(self) -> None:
        """See Store."""
        writer, reading, file = self._writer, self._reading, self._file
        if writer is None or reading is None or file is None:
            return
        self._writer = self._reading = self._file = None
        await writer.stop()
        await asyncio.get_running_loop().run_in_executor(reading, file.close)
        reading.shutdown(wait=False)

    def append(self, channel: str, messages: Sequence[NewMessage], now: float) -> "asyncio.Future[list[Receipt]]":
        """See Store."""
        return self._write(Append(channel, messages, now))

    async def head(self, channel: str) -> Head:
        """See Store."""
        rows = await self._read(lambda connection: for_rows(connection, LOGS_BY_NAME, [(channel,)]))
        return self._head(log_of(rows[0])[1]) if rows else Head(self.epoch, 1, 0)

    async def read(self, channel: str, after: int, max_events: int, max_bytes: int) -> list[StoredEvent]:
        """See Store."""

        def events(connection: sqlite3.Connection) -> list[StoredEvent]:
            found: list[StoredEvent] = []
            room = max_bytes
            with closing(connection.execute(READ, (min(after, MAX_OFFSET), channel, max_events))) as rows:
                for row in rows:
                    room -= len(row[2])
                    if found and room < 0:
                        break
                    found.append(StoredEvent(*row))
            return found

        return await self._read(events)

    async def channels(self, after: str, limit: int) -> list[tuple[str, Head]]:
        """See Store."""
        rows = await self._read(lambda connection: connection.execute(LOGS_PAGE, (after, limit)).fetchall())
        return [(name, self._head(log)) for name, log in map(log_of, rows)]

    async def trim(self, now: float) -> None:
        """See Store."""
        after = ""
        while page := await self._read(partial(self._expired, after, now)):
            after = page[-1][0]
            for portion in portions(page):
                await self._write(Trim(portion, now))
        while await self._write(Forget(now - DEDUPE_WINDOW)):
            pass

    async def ack(self, client_id: str, acks: Sequence[Acked], *, first: bool = False) -> list[Acked]:
        """See Store."""
        now_stored: list[Acked] = await self._write(Ack(client_id, acks, first))
        return now_stored

    async def acked(self, client_id: str) -> dict[str, Acked]:
        """See Store."""
        rows = await self._read(lambda connection: connection.execute(ACKED, (client_id,)).fetchall())
        return {row[0]: Acked(*row) for row in rows}

    async def save_presence(self, record: PresenceRecord, event: NewMessage | None, now: float) -> None:
        """See Store."""
        await self._write(Append(PRESENCE_CHANNEL, [] if event is None else [event], now, record))

    async def presence(self, client_id: str) -> PresenceRecord | None:
        """See Store."""
        found = await self._presences("client_id = ?", client_id, 1)
        return found[0] if found else None

    async def presences(self, after: str, limit: int, online: bool | None) -> list[PresenceRecord]:
        """See Store."""
        if online is None:
            return await self._presences("client_id > ?", after, limit)
        return await self._presences("client_id > ? AND online = ?", after, online, limit)

    async def _presences(self, which: str, *values: str | int) -> list[PresenceRecord]:
        sql = PRESENCES.format(which=which)
        rows = await self._read(lambda connection: connection.execute(sql, values).fetchall())
        return [PresenceRecord(row[0], bool(row[1]), *row[2:]) for row in rows]

    def _head(self, log: Log) -> Head:
        return Head(self.epoch, log.oldest, log.latest)

    def _expired(self, after: str, now: float, connection: sqlite3.Connection) -> list[tuple[str, int, int]]:
        """A page of channels: the name, the oldest offset, and the last one that retention lets go."""
        page: list[tuple[str, int, int]] = []
        for name, log in map(log_of, connection.execute(LOGS_PAGE, (after, TRIM_CHANNELS)).fetchall()):
            retention = self._retain(name)
            by_count = max(log.oldest, log.latest - retention.max_events + 1)
            keys = key_of(log.channel_id, by_count), key_of(log.channel_id, log.latest)
            kept = connection.execute(OLDEST_KEPT, (*keys, now - retention.max_age)).fetchone()
            page.append((name, log.oldest, kept[0] - 1 if kept else log.latest))
        return page

    def _write(self, write: Append | Ack | Trim | Forget) -> "asyncio.Future[Any]":
        if self._writer is None:
            raise StoreUnavailable("the store is closed")
        return self._writer.ask(write)

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        if self._file is None:
            raise StoreUnavailable("the store is closed")
        file = self._file

        def run() -> T:
            try:
                return query(file.reader)
            except sqlite3.Error as error:
                raise store_error(error, file.path) from error

        return await asyncio.get_running_loop().run_in_executor(self._reading, run)


def portions(expired: Sequence[tuple[str, int, int]]) -> Iterator[list[tuple[str, int]]]:
    """Cuts what is to go, given as (channel, oldest, last), into pieces of at most TRIM_ROWS events."""
    portion: list[tuple[str, int]] = []
    room = TRIM_ROWS
    for channel, oldest, last in expired:
        while oldest <= last:
            end = min(last, oldest + room - 1)
            portion.append((channel, end))
            room -= end - oldest + 1
            oldest = end + 1
            if not room:
                yield portion
                portion, room = [], TRIM_ROWS
    if portion:
        yield portion
