"""The file of a SQLite store: its lock, its checks, its schema, and what SQLite's errors mean to us.

Rules:
- One server holds a store at a time: whoever has the lock on PATH.lock. The kernel drops it with the process.
- A new store appears under its name only when it is whole. A file that is there is checked and never begun anew; one
  that fails a check is not written to.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from heartline_service.stores.base import StoreCorrupt, StoreError, StoreLocked, StoreUnavailable
from heartline_service.stores.sqlite.group import OFFSET_BITS

APPLICATION_ID = 0x48544C4E
"""Marks a database as ours: "HTLN"."""
SCHEMA_VERSION = 2
BUSY_TIMEOUT = 0.5
"""Seconds to wait for another program that holds the database."""
CACHED_STATEMENTS = 256
PAGE_SIZE = 4096

SCHEMA = f"""
BEGIN;
CREATE TABLE epoch (epoch TEXT NOT NULL);
-- emptied_at: the newest offset when retention last left no event.
CREATE TABLE channels (channel_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, emptied_at INTEGER NOT NULL);
-- key: channel_id << {OFFSET_BITS} | offset. id: NULL where there is none, or where it was used again since.
CREATE TABLE events (key INTEGER PRIMARY KEY, published_at REAL NOT NULL, id TEXT, body BLOB NOT NULL);
CREATE UNIQUE INDEX events_by_id ON events (key >> {OFFSET_BITS}, id) WHERE id NOTNULL;
-- Ids whose events are gone, in about the order of their use, so that forgetting takes from the front.
CREATE TABLE message_ids (
    channel_id INTEGER NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL, offset INTEGER NOT NULL,
    published_at REAL NOT NULL, PRIMARY KEY (channel_id, id)
);
CREATE TABLE acks (
    client_id TEXT NOT NULL, channel TEXT NOT NULL, epoch TEXT NOT NULL, offset INTEGER NOT NULL,
    PRIMARY KEY (client_id, channel)
) WITHOUT ROWID;
CREATE TABLE presence (
    client_id TEXT PRIMARY KEY, online INTEGER NOT NULL, reason TEXT NOT NULL, changed_at REAL NOT NULL,
    status TEXT NOT NULL, lease_until REAL NOT NULL
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""

SQLITE_HEADER = b"SQLite format 3\0"
"""What every SQLite file begins with: https://www.sqlite.org/fileformat.html."""
CORRUPT_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_CONSTRAINT}
BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@dataclass(frozen=True, slots=True)
class StoreFile:
    """An open store: a connection for the writer, one for the readers, and the lock."""

    path: Path
    epoch: str
    writer: sqlite3.Connection
    reader: sqlite3.Connection
    lock: int

    def close(self) -> None:
        """Brings everything into the one file, and lets go. Where that fails, the next `open_file` does it."""
        self.reader.close()
        with contextlib.suppress(sqlite3.Error):
            self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.writer.close()
        os.close(self.lock)


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """What an error of SQLite is to the store's callers."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in CORRUPT_CODES:
        return _damaged(path, error)
    if code in BUSY_CODES:
        return StoreUnavailable(f"another program holds the store {path}; try again when it is done")
    if code == sqlite3.SQLITE_FULL:
        return StoreUnavailable(f"the disk of the store {path} is full; it works again when there is room")
    return StoreUnavailable(f"the store {path} cannot be used now: {error}")


def _damaged(path: Path, why: object) -> StoreCorrupt:
    told = " ".join(str(why).split())
    return StoreCorrupt(f"the store {path} is damaged ({told}): stop the server, and restore it from a backup")


def open_file(path: Path, new_epoch: str) -> StoreFile:
    """Opens a store, or makes a new one with that epoch. Raises StoreLocked, StoreCorrupt or StoreUnavailable."""
    with contextlib.ExitStack() as undo, _told_plainly(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        undo.callback(os.close, lock)
        if path.exists():
            _check(path)
        else:
            _create(path, new_epoch)
        writer = _connect(path)
        undo.callback(writer.close)
        writer.execute("PRAGMA synchronous = FULL")
        writer.execute("BEGIN IMMEDIATE")
        (epoch,) = writer.execute("SELECT epoch FROM epoch").fetchone()
        writer.execute("ROLLBACK")
        reader = _connect(path)
        undo.pop_all()
        return StoreFile(path, epoch, writer, reader, lock)


@contextlib.contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"the store {path} cannot be opened: {error.strerror}: {error.filename}") from error
    except sqlite3.Error as error:
        told = store_error(error, path)
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY_CODES:
            told = StoreLocked(f"another program holds the store {path}: end it, or serve from another file")
        raise told from error


def _connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )


def _lock(path: Path) -> int:
    """A descriptor that holds the lock. Not of the database: closing one of those would drop SQLite's own locks."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StoreLocked(
            f"another server (process {holder}) holds the store {path}: end it, or serve from another file"
        ) from None
    # The number is for the sentence above alone, and a full disk must not cost the lock.
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _check(path: Path) -> None:
    """Raises StoreCorrupt unless the file is a whole store of ours. Reads only."""
    with path.open("r+b") as file:
        size, header = path.stat().st_size, file.read(len(SQLITE_HEADER))
    if not size:
        raise StoreCorrupt(f"the store {path} is an empty file: restore it from a backup, or remove it to begin anew")
    if header != SQLITE_HEADER:
        raise StoreCorrupt(f"{path} is no database: name another file for the store, or restore it from a backup")
    # SQLite takes a page that was cut for one that ends in zeros. With a log beside the file that page may be in there.
    if size % PAGE_SIZE and not Path(f"{path}-wal").exists():
        raise _damaged(path, "its end is missing")
    with contextlib.closing(_connect(path, "ro")) as connection:
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application_id != APPLICATION_ID:
            raise StoreCorrupt(f"{path} is a database of another program: name another file for the store")
        if version > SCHEMA_VERSION:
            raise StoreCorrupt(f"the store {path} was made by a newer Heartline: use that, or another file")
        if version < SCHEMA_VERSION:
            raise StoreCorrupt(f"the store {path} was made by an older Heartline: use that, or another file")
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise _damaged(path, found)


def _create(path: Path, epoch: str) -> None:
    leftover = Path(f"{path}-wal")
    # An empty one holds nothing: SQLite makes it when a store is only looked at.
    if leftover.exists() and leftover.stat().st_size:
        raise StoreCorrupt(f"{path} is gone, but {leftover} is there: put the first back, or remove both to begin anew")
    new = Path(f"{path}.new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{new}{suffix}").unlink(missing_ok=True)
    with contextlib.closing(_connect(new, "rwc")) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        connection.execute("INSERT INTO epoch VALUES (?)", (epoch,))
    new.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
