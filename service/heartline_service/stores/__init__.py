"""Where logs, acks and presence live. `open_store` picks the store that a URL names; base.py has the protocol."""

from pathlib import Path

from heartline_service.retention import Retain
from heartline_service.stores.base import Store
from heartline_service.stores.memory import MemoryStore
from heartline_service.stores.sqlite.store import SqliteStore

SHARED = ("redis", "rediss")
"""Kinds of stores that several nodes can share."""


def open_store(url: str, retain: Retain) -> Store:
    """The store that a URL names, not yet open. Raises ValueError with a sentence for the user."""
    kind, _, where = url.partition(":")
    if kind == "memory":
        if where:
            raise ValueError(f'the store URL "{url}" says too much: write "memory:", which takes no path')
        return MemoryStore(retain)
    if kind == "sqlite":
        if not where or where.startswith("//") or "\0" in where:
            raise ValueError(
                f'the store URL "{url}" names no file: write "sqlite:" and a path, as in sqlite:data/my.db'
            )
        return SqliteStore(Path(where), retain)
    if kind in SHARED:
        try:
            from heartline_service.stores.redis.store import RedisStore
        except ModuleNotFoundError as error:
            raise ValueError(f'the store "{kind}:" needs the package {error.name}: install heartline[redis]') from None
        return RedisStore(url, retain)
    raise ValueError(f'the store URL "{url}" is of no known kind: write "memory:", "sqlite:PATH" or "redis://HOST"')


def shown(url: str) -> str:
    """A store URL as people may see it: without the password."""
    before, at, after = url.rpartition("@")
    scheme, _, login = before.partition("://")
    return f"{scheme}://{login.partition(':')[0]}:***@{after}" if at and ":" in login else url
