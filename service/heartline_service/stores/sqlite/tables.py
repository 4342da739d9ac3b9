"""What a group of writes reads from the tables, and what it puts there: one transaction, few statements.

Rules:
- One statement serves many rows. Each step of a statement hands Python's lock over, and a busy event loop gives it back
  late, so a group's cost is its number of statements.
- Rows are bound to (VALUES ...) lists whose sizes are powers of two, padded with NULLs that match nothing, so few
  statements are ever prepared.
- A statement alone is a transaction, so a group that only appends is one statement, with its commit: Python's lock is
  handed over once.
- OR ROLLBACK: a conflict gives the whole group up anyway, and saying so spares SQLite a journal for undoing the one
  statement.
- Most message ids are new. So they are not looked up: the index of the events says when one is there already, and the
  group is done again with what is stored of its ids. Ids whose events retention let go are looked up, if there are any.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from heartline_service.retention import Retain
from heartline_service.stores.base import DEDUPE_WINDOW, Acked, Head, IdConflict, StoredEvent
from heartline_service.stores.sqlite.group import (
    MAX_OFFSET,
    OFFSET_BITS,
    Change,
    FirstUse,
    Group,
    Log,
    digest_of,
    key_of,
)
from heartline_service.stores.sqlite.writes import Ack, Answer, Append, Forget, Trim, Write

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

Statement = tuple[str, Sequence[Any]]
"""With what is bound to it."""
Told = tuple[str, Head, Sequence[StoredEvent]]
"""What on_change is called with."""

OF_CHANNEL = f"key BETWEEN c.channel_id << {OFFSET_BITS} AND c.channel_id << {OFFSET_BITS} | {MAX_OFFSET}"
LOG = f"""
    c.name, c.channel_id, c.emptied_at,
    (SELECT min(key) FROM events WHERE {OF_CHANNEL}) & {MAX_OFFSET},
    (SELECT max(key) FROM events WHERE {OF_CHANNEL}) & {MAX_OFFSET}
"""
LOGS_BY_NAME = f"SELECT {LOG} FROM ({{values}}) JOIN channels c ON c.name = column1"
LOGS_PAGE = f"SELECT {LOG} FROM channels c WHERE c.name > ? ORDER BY c.name LIMIT ?"
EVENTS_BY_ID = f"({{values}}) JOIN events e ON e.key >> {OFFSET_BITS} = column1 AND e.id = column2"
USED_IDS = (
    f"SELECT column1, column2, e.key & {MAX_OFFSET}, digest_of(e.body)"
    f" FROM {EVENTS_BY_ID} WHERE e.published_at > column3"
)
KEPT_IDS = (
    "SELECT column1, column2, i.offset, i.digest"
    " FROM ({values}) JOIN message_ids i ON i.channel_id = column1 AND i.id = column2 WHERE i.published_at > column3"
)
ANY_KEPT_IDS = "SELECT EXISTS (SELECT 1 FROM message_ids)"
ACKS = (
    "SELECT a.client_id, a.channel, a.epoch, a.offset"
    " FROM ({values}) JOIN acks a ON a.client_id = column1 AND a.channel = column2"
)
NEW_CHANNEL_ID = "SELECT coalesce(max(channel_id), 0) + 1 FROM channels"
NEW = "INSERT OR ROLLBACK INTO {table} SELECT * FROM ({{values}}) WHERE column1 NOTNULL"
NOW = "INSERT OR REPLACE INTO {table} SELECT * FROM ({{values}}) WHERE column1 NOTNULL"
NEW_CHANNELS, NEW_EVENTS = (NEW.format(table=table) for table in ("channels", "events"))
EMPTIED_CHANNELS, KEEP_IDS, ACKS_NOW, PRESENCE_NOW = (
    NOW.format(table=table) for table in ("channels", "message_ids", "acks", "presence")
)
OUTDATE_IDS = f"UPDATE events SET id = NULL WHERE key IN (SELECT e.key FROM {EVENTS_BY_ID})"
KEEP_IDS_OF_EVENTS = (
    "INSERT OR REPLACE INTO message_ids"
    f" SELECT e.key >> {OFFSET_BITS}, e.id, digest_of(e.body), e.key & {MAX_OFFSET}, e.published_at"
    " FROM ({values}) JOIN events e ON e.key BETWEEN column1 AND column2"
    " WHERE e.id NOTNULL AND e.published_at > column3"
)
DROP_EVENTS = (
    "DELETE FROM events WHERE key IN (SELECT e.key FROM ({values}) JOIN events e ON e.key BETWEEN column1 AND column2)"
)
FORGET = (
    "DELETE FROM message_ids WHERE rowid IN (SELECT rowid"
    f" FROM (SELECT rowid, published_at FROM message_ids ORDER BY rowid LIMIT {FORGET_ROWS}) WHERE published_at <= ?)"
)


@cache
def _statement(sql: str, width: int, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return sql.format(values=f"VALUES {','.join([row] * rows)}")


def _statements(sql: str, rows: Sequence[tuple[Any, ...]], max_rows: int = MAX_ROWS) -> Iterator[Statement]:
    for start in range(0, len(rows), max_rows):
        piece = rows[start : start + max_rows]
        width, size = len(piece[0]), 1 << (len(piece) - 1).bit_length()
        yield _statement(sql, width, size), [*chain.from_iterable(piece), *[None] * (width * (size - len(piece)))]


def for_rows(connection: sqlite3.Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Runs a query with {values} for all the rows, and gives what it finds."""
    return [row for statement in _statements(sql, rows) for row in connection.execute(*statement).fetchall()]


def log_of(row: tuple[str, int, int, int | None, int | None]) -> tuple[str, Log]:
    """A channel's name and log, from a row of LOG."""
    name, channel_id, emptied_at, oldest, latest = row
    return name, Log(channel_id, emptied_at + 1 if oldest is None else oldest, latest or emptied_at)


class _Unsure(Exception):
    """Ids were used twice, and the index of the events would not see every first use."""


class Tables:
    """The writer's side of the tables."""

    def __init__(self, connection: sqlite3.Connection, epoch: str, retain: Retain) -> None:
        self._connection = connection
        self._epoch = epoch
        self._retain = retain
        self._logs: dict[str, Log] = {}
        self._any_kept_ids: bool | None = None
        connection.create_function("digest_of", 1, digest_of, deterministic=True)

    def commit(self, writes: Sequence[Write]) -> tuple[list[Answer], list[Told]]:
        """Does a group of writes in one transaction. Raises sqlite3.Error, and then nothing was changed."""
        try:
            return self._commit(writes, look_up_ids=False)
        except (sqlite3.IntegrityError, _Unsure):
            return self._commit(writes, look_up_ids=True)

    def _commit(self, writes: Sequence[Write], *, look_up_ids: bool) -> tuple[list[Answer], list[Told]]:
        group = self._group(writes, look_up_ids=look_up_ids)
        answers = group.decide(writes)
        changes = group.changes()
        if not look_up_ids and (IdConflict in map(type, answers) or any(change.let_go for change in changes)):
            raise _Unsure
        statements: list[Statement] = []
        if look_up_ids:
            statements += _statements(
                OUTDATE_IDS, [(c.channel_id, id) for c in changes for _, _, id, _ in c.rows if id]
            )
        statements += _of_changes(changes, writes)
        cursors = [(client, a.channel, a.epoch, a.offset) for (client, _), a in group.moved.items()]
        statements += _statements(ACKS_NOW, cursors)
        records = [tuple(getattr(record, name) for name in PRESENCE) for record in group.records.values()]
        statements += _statements(PRESENCE_NOW, records)
        forgets = [(index, write) for index, write in enumerate(writes) if isinstance(write, Forget)]
        statements += [(FORGET, (forget.until,)) for _, forget in forgets]
        counts = self._run(statements)
        for (index, _), count in zip(reversed(forgets), reversed(counts), strict=False):
            answers[index] = count == FORGET_ROWS
        for change in changes:
            self._logs[change.name] = Log(change.channel_id, change.oldest, change.latest)
        if forgets or any(change.trimmed or change.let_go for change in changes):
            self._any_kept_ids = None
        return answers, [(c.name, Head(self._epoch, c.oldest, c.latest), c.events()) for c in changes]

    def _run(self, statements: Sequence[Statement]) -> list[int]:
        """Runs them in one transaction, and gives the row count of each."""
        execute = self._connection.execute
        if len(statements) < 2:
            return [execute(*statement).rowcount for statement in statements]
        execute("BEGIN IMMEDIATE")
        try:
            counts = [execute(*statement).rowcount for statement in statements]
            execute("COMMIT")
        finally:
            # SQLite ends the transaction by itself on some errors, not on all.
            if self._connection.in_transaction:
                execute("ROLLBACK")
        return counts

    def _group(self, writes: Sequence[Write], *, look_up_ids: bool) -> Group:
        """A group with everything in it that is stored of what the writes name, if it can matter."""
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
        if self._any_kept_ids is None:
            self._any_kept_ids = bool(self._connection.execute(ANY_KEPT_IDS).fetchone()[0])
        ids: dict[int, dict[str, FirstUse]] = defaultdict(dict)
        if look_up_ids or self._any_kept_ids:
            horizon = _horizon(writes)
            used = [
                (logs[append.channel].channel_id, message.id, horizon)
                for append in appends
                if append.channel in logs
                for message in append.messages
                if message.id
            ]
            # An event that is there is younger than one that was let go.
            for sql in (KEPT_IDS, USED_IDS) if look_up_ids else (KEPT_IDS,):
                for channel_id, id, offset, digest in for_rows(self._connection, sql, used):
                    ids[channel_id][id] = FirstUse(offset, digest)
        cursors = list({(w.client_id, acked.channel) for w in writes if isinstance(w, Ack) for acked in w.acks})
        acks = {(row[0], row[1]): Acked(*row[1:]) for row in for_rows(self._connection, ACKS, cursors)}
        return Group(self._epoch, self._retain, logs, ids, acks, new_channel_id)


def _of_changes(changes: Sequence[Change], writes: Sequence[Write]) -> Iterator[Statement]:
    yield from _statements(NEW_CHANNELS, [(c.channel_id, c.name, c.emptied_at) for c in changes if c.before is None])
    emptied = [(c.channel_id, c.name, c.emptied_at) for c in changes if c.before and c.emptied_at]
    yield from _statements(EMPTIED_CHANNELS, emptied)
    events = [row for change in changes for row in change.rows[change.let_go :]]
    largest = max([len(row[3]) for row in events], default=0)
    yield from _statements(NEW_EVENTS, events, min(MAX_ROWS, MAX_BOUND // (largest + 1) or 1))
    yield from _statements(KEEP_IDS, [row for change in changes if change.let_go for row in change.ids_let_go()])
    if trimmed := [(c.channel_id, c.before.oldest, c.oldest - 1) for c in changes if c.before and c.trimmed]:
        gone = [(key_of(channel_id, first), key_of(channel_id, last)) for channel_id, first, last in trimmed]
        horizon = _horizon(writes)
        yield from _statements(KEEP_IDS_OF_EVENTS, [(*keys, horizon) for keys in gone])
        yield from _statements(DROP_EVENTS, gone)


def _horizon(writes: Sequence[Write]) -> float:
    """What was used at this time or before is outside the dedupe window."""
    return max((write.now for write in writes if isinstance(write, Append | Trim)), default=0.0) - DEDUPE_WINDOW
