"""What a group of writes reads from the tables, and what it puts there: one transaction, few statements.

Rules:
- One statement serves many rows. Each step of a statement hands Python's lock over, and a busy event loop gives it back
  late, so a group's cost is its number of statements.
- Rows are bound to (VALUES ...) lists whose sizes are powers of two, padded with NULLs that match nothing, so few
  statements are ever prepared.
- OR ROLLBACK: no conflict can happen here, and saying so spares SQLite a journal for undoing the one statement.
"""

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from heartline_service.retention import Retain
from heartline_service.stores.base import Acked, Head, IdConflict, Receipt, StoredEvent
from heartline_service.stores.sqlite_group import Ack, Append, Change, Forget, Group, Ids, Log, Trim, Write

MAX_ROWS = 256
"""How many rows one statement takes."""
MAX_BOUND = 1024 * 1024
"""About how many bytes of bodies one statement takes: a statement keeps the last values that it was given."""
MAX_LOGS = 10_000
"""How many logs' ends are kept in memory."""
FORGET_ROWS = 2000
"""How many message ids one write forgets."""
PRESENCE = ("client_id", "online", "reason", "changed_at", "status", "lease_until")
"""The columns of the table presence, and the fields of PresenceRecord."""

Answer = list[Receipt] | list[Acked] | bool | IdConflict | None
"""Of a Forget: whether there may be more to forget."""
Told = tuple[str, Head, Sequence[StoredEvent]]
"""What on_change is called with."""

LOG = """
    c.name, c.channel_id, c.emptied_at,
    (SELECT min(offset) FROM events e WHERE e.channel_id = c.channel_id),
    (SELECT max(offset) FROM events e WHERE e.channel_id = c.channel_id)
"""
LOGS_BY_NAME = f"SELECT {LOG} FROM ({{values}}) JOIN channels c ON c.name = column1"
LOGS_PAGE = f"SELECT {LOG} FROM channels c WHERE c.name > ? ORDER BY c.name LIMIT ?"
IDS = (
    "SELECT i.channel_id, i.id, i.digest, i.offset, i.published_at"
    " FROM ({values}) JOIN message_ids i ON i.channel_id = column1 AND i.id = column2"
)
ACKS = (
    "SELECT a.client_id, a.channel, a.epoch, a.offset"
    " FROM ({values}) JOIN acks a ON a.client_id = column1 AND a.channel = column2"
)
NEW_CHANNEL_ID = "SELECT coalesce(max(channel_id), 0) + 1 FROM channels"
NEW = "INSERT OR ROLLBACK INTO {table} SELECT * FROM ({{values}}) WHERE column1 NOTNULL"
NOW = "INSERT OR REPLACE INTO {table} SELECT * FROM ({{values}}) WHERE column1 NOTNULL"
NEW_CHANNELS, NEW_IDS, NEW_EVENTS = (NEW.format(table=table) for table in ("channels", "message_ids", "events"))
EMPTIED_CHANNELS, ACKS_NOW, PRESENCE_NOW = (NOW.format(table=table) for table in ("channels", "acks", "presence"))
DROP_IDS = (
    "DELETE FROM message_ids WHERE rowid IN (SELECT i.rowid"
    " FROM ({values}) JOIN message_ids i ON i.channel_id = column1 AND i.id = column2)"
)
DROP_EVENTS = (
    "DELETE FROM events WHERE rowid IN (SELECT e.rowid"
    " FROM ({values}) JOIN events e ON e.channel_id = column1 AND e.offset BETWEEN column2 AND column3)"
)
FORGET = (
    "DELETE FROM message_ids WHERE rowid IN (SELECT rowid"
    f" FROM (SELECT rowid, published_at FROM message_ids ORDER BY rowid LIMIT {FORGET_ROWS}) WHERE published_at <= ?)"
)


@cache
def _statement(sql: str, width: int, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return sql.format(values=f"VALUES {','.join([row] * rows)}")


def for_rows(
    connection: sqlite3.Connection, sql: str, rows: Sequence[tuple[Any, ...]], max_rows: int = MAX_ROWS
) -> list[Any]:
    """Runs a statement with {values} for all the rows, and gives what it finds."""
    found: list[Any] = []
    for start in range(0, len(rows), max_rows):
        piece = rows[start : start + max_rows]
        width, size = len(piece[0]), 1 << (len(piece) - 1).bit_length()
        values = [*chain.from_iterable(piece), *[None] * (width * (size - len(piece)))]
        found += connection.execute(_statement(sql, width, size), values).fetchall()
    return found


def log_of(row: tuple[str, int, int, int | None, int | None]) -> tuple[str, Log]:
    """A channel's name and log, from a row of LOG."""
    name, channel_id, emptied_at, oldest, latest = row
    return name, Log(channel_id, emptied_at + 1 if oldest is None else oldest, latest or emptied_at)


class Tables:
    """The writer's side of the tables."""

    def __init__(self, connection: sqlite3.Connection, epoch: str, retain: Retain) -> None:
        self._connection = connection
        self._epoch = epoch
        self._retain = retain
        self._logs: dict[str, Log] = {}

    def commit(self, writes: Sequence[Write]) -> tuple[list[Answer], list[Told]]:
        """Does a group of writes in one transaction. Raises sqlite3.Error, and then nothing was changed."""
        group = self._group(writes)
        answers = [_decide(group, write) for write in writes]
        changes = group.changes()
        forgets = [(index, write) for index, write in enumerate(writes) if isinstance(write, Forget)]
        if changes or group.moved or group.records or forgets:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._put(group, changes)
                for index, forget in forgets:
                    answers[index] = self._connection.execute(FORGET, (forget.until,)).rowcount == FORGET_ROWS
                self._connection.execute("COMMIT")
            finally:
                # SQLite ends the transaction by itself on some errors, not on all.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        for change in changes:
            self._logs[change.name] = Log(change.channel_id, change.oldest, change.latest)
        return answers, [(c.name, Head(self._epoch, c.oldest, c.latest), c.events) for c in changes]

    def _group(self, writes: Sequence[Write]) -> Group:
        """A group with everything in it that is stored of what the writes name."""
        appends = [write for write in writes if isinstance(write, Append)]
        names = {append.channel for append in appends}
        names.update(name for write in writes if isinstance(write, Trim) for name, _ in write.last_offsets)
        if len(self._logs) > MAX_LOGS:
            self._logs.clear()
        logs = self._logs
        new_channel_id = 0
        if unknown := names - logs.keys():
            logs.update(map(log_of, for_rows(self._connection, LOGS_BY_NAME, [(name,) for name in unknown])))
            (new_channel_id,) = self._connection.execute(NEW_CHANNEL_ID).fetchone()
        used = [
            (logs[append.channel].channel_id, message.id)
            for append in appends
            if append.channel in logs
            for message in append.messages
            if message.id
        ]
        ids: Ids = {(row[0], row[1]): row for row in for_rows(self._connection, IDS, used)}
        cursors = list({(w.client_id, acked.channel) for w in writes if isinstance(w, Ack) for acked in w.acks})
        acks = {(row[0], row[1]): Acked(*row[1:]) for row in for_rows(self._connection, ACKS, cursors)}
        return Group(self._epoch, self._retain, logs, ids, acks, new_channel_id)

    def _put(self, group: Group, changes: Sequence[Change]) -> None:
        def put(sql: str, rows: Sequence[tuple[Any, ...]], max_rows: int = MAX_ROWS) -> None:
            for_rows(self._connection, sql, rows, max_rows)

        put(NEW_CHANNELS, [(c.channel_id, c.name, c.emptied_at) for c in changes if c.before is None])
        put(EMPTIED_CHANNELS, [(c.channel_id, c.name, c.emptied_at) for c in changes if c.before and c.emptied_at])
        put(DROP_IDS, group.outdated_ids())
        put(NEW_IDS, list(group.ids.values()))
        events = [(c.channel_id, *event) for c in changes for event in c.kept_events()]
        largest = max((len(event[-1]) for event in events), default=0)
        put(NEW_EVENTS, events, min(MAX_ROWS, MAX_BOUND // (largest + 1) or 1))
        put(DROP_EVENTS, [(c.channel_id, c.before.oldest, c.oldest - 1) for c in changes if c.before and c.trimmed])
        put(ACKS_NOW, [(client_id, a.channel, a.epoch, a.offset) for (client_id, _), a in group.moved.items()])
        put(PRESENCE_NOW, [tuple(getattr(r, name) for name in PRESENCE) for r in group.records.values()])


def _decide(group: Group, write: Write) -> Answer:
    try:
        match write:
            case Append():
                return group.append(write)
            case Ack():
                return group.ack(write)
            case Trim():
                group.trim(write)
    except IdConflict as conflict:
        return conflict
    return None
