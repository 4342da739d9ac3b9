"""The stores that every test of the contract runs over, and small words for those tests. A new store is one line."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from heartline_service.retention import Retention, by_pattern
from heartline_service.stores.base import Head, NewMessage, Store, StoredEvent

STORES = [
    pytest.param("memory:", id="memory"),
    pytest.param("sqlite:{folder}/store.db", id="sqlite"),
    pytest.param("{redis}", id="redis", marks=pytest.mark.needs("redis")),
    pytest.param("{cluster}", id="cluster", marks=pytest.mark.needs("redis")),
]
RETAIN = by_pattern([("few.*", Retention(max_events=3)), ("brief.*", Retention(max_age=10.0))])
"""Three events in few.*, ten seconds in brief.*, and elsewhere more than any test publishes."""

Told = list[tuple[str, Head, Sequence[StoredEvent]]]
"""What a store told by on_change."""


def messages(*bodies: bytes, id: str = "") -> list[NewMessage]:
    """Messages with these bodies; with an id it is that of each."""
    return [NewMessage(id, body) for body in bodies]


async def bodies(store: Store, channel: str) -> list[bytes]:
    """All that is in a channel."""
    return [event.body for event in await store.read(channel, 0, 10_000, 1 << 30)]


def program(name: str, *arguments: object) -> list[str]:
    """The command line of a program of this folder. Run it with ENVIRONMENT."""
    return [sys.executable, str(Path(__file__).with_name(name)), *map(str, arguments)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
"""Lets a program import what this one can."""
