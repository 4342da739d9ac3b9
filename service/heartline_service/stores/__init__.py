"""Where logs, acks and presence live. `open_store` picks the store that a URL names; base.py has the protocol."""

from pathlib import Path

from heartline_service.retention import Retain
from heartline_service.stores.base import Store
from heartline_service.stores.memory import MemoryStore
from heartline_service.stores.sqlite import SqliteStore


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
    raise ValueError(f'the store URL "{url}" is of no known kind: write "memory:" or "sqlite:PATH"')
