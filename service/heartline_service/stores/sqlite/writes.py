"""What the writer of a SQLite store can be asked for, and what it answers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from heartline_service.stores.base import Acked, NewMessage, PresenceRecord, Receipt, StoreError


# Made anew for every call, so a NamedTuple.
class Append(NamedTuple):
    """Append messages, and store a presence record with them if there is one."""

    channel: str
    messages: Sequence[NewMessage]
    now: float
    record: PresenceRecord | None = None


@dataclass(slots=True)
class Ack:
    """Move a client's cursors."""

    client_id: str
    acks: Sequence[Acked]
    first: bool


@dataclass(slots=True)
class Trim:
    """Let go of events, each channel's up to and including an offset."""

    last_offsets: Sequence[tuple[str, int]]
    now: float


@dataclass(slots=True)
class Forget:
    """Forget some message ids that were used at this time or before."""

    until: float


Write = Append | Ack | Trim | Forget

Answer = list[Receipt] | list[Acked] | bool | StoreError | None
"""To a Forget, once it is done: whether there may be more to forget."""
