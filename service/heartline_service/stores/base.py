"""What a store is: the place where logs, acks and presence live, behind one small protocol.

Rules for every store:
- What a coroutine of the store has returned is durable (as far as the store can be), and nothing is shown before.
- `on_change`, given to `open`, is called on the event loop for every commit that changed a channel, in log order,
  before the coroutine that caused it returns, and also when that coroutine's caller is gone. It alone wakes readers.
  A store that nodes share tells what other nodes do, too: of a channel whose head was asked for, until `forget`.
- A method that fails has changed nothing; where a network lost the answer, nothing or all. Failures are StoreError,
  never the driver's own.
- Offsets of a channel are 1, 2, 3 ... without holes. Instants are Unix time in seconds, handed in as `now`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

DEDUPE_WINDOW = 600.0
"""For this many seconds a message id is remembered, apart from retention."""


# What is made anew for every message is a NamedTuple, which is made faster than a frozen dataclass.


class NewMessage(NamedTuple):
    """A message to append: `id` may be empty, `body` is the serialised Message, canonical so that equal means equal."""

    id: str
    body: bytes


class StoredEvent(NamedTuple):
    """An event as stored. `published_at` is Unix time in seconds."""

    offset: int
    published_at: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The ends of a channel's log. Never published to: oldest 1, latest 0. Nothing kept: oldest == latest + 1."""

    epoch: str
    oldest: int
    latest: int


class Receipt(NamedTuple):
    """Where one message went."""

    epoch: str
    offset: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Acked:
    """How far a client has handled a channel."""

    channel: str
    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class PresenceRecord:
    """A client's presence as stored. `reason` is a name of PresenceReason without its prefix, such as "CONNECTED".

    `lease_until` is when its lease ends, 0 without one. A stored lease may end later than the one promised, never
    earlier.
    """

    client_id: str
    online: bool
    reason: str
    changed_at: float
    status: str
    lease_until: float


class StoreError(Exception):
    """The root of all that a store raises."""


class StoreUnavailable(StoreError):
    """The store cannot do it now: a full disk, an I/O error. Nothing was changed; trying again later may work."""


class StoreLocked(StoreError):
    """Another process holds the store. Raised by `open` alone."""


class StoreCorrupt(StoreError):
    """The store's data cannot be read as what it should be."""


class IdConflict(StoreError):
    """An id was published within the dedupe window with other content. `index` is the message's place in the batch."""

    def __init__(self, index: int) -> None:
        super().__init__(f"message {index}: the id was used with other content")
        self.index = index


OnChange = Callable[[str, Head, Sequence[StoredEvent]], None]
"""Called with the channel, its head now, and the events that were appended: none when it was only trimmed, or when so
much came at once that readers are to read it from the store."""


class Store(Protocol):
    """Logs, acks and presence."""

    kind: str
    """What the store is called to users, such as "sqlite"."""

    @property
    def epoch(self) -> str:
        """The epoch with which logs are born; known once open."""

    async def open(self, on_change: OnChange) -> None:
        """Makes the store ready. Raises StoreLocked, StoreCorrupt or StoreUnavailable."""

    async def close(self) -> None:
        """Waits for what is under way, and lets go. Every later call raises StoreUnavailable."""

    def append(self, channel: str, messages: Sequence[NewMessage], now: float) -> Awaitable[list[Receipt]]:
        """Appends all or none, in order, then applies the channel's retention by count.

        A message whose id was appended within DEDUPE_WINDOW with the same body (in this batch too) adds nothing and
        gets the first receipt, marked duplicate. Raises IdConflict, StoreUnavailable.
        """

    async def head(self, channel: str) -> Head:
        """The ends of the channel's log. A channel that was never published to is not created by asking."""

    async def read(self, channel: str, after: int, max_events: int, max_bytes: int) -> list[StoredEvent]:
        """The events kept after offset `after`, oldest first: as many as fit both limits, but at least one if any."""

    async def channels(self, after: str, limit: int) -> list[tuple[str, Head]]:
        """Up to `limit` channels whose names are greater than `after`, by name."""

    async def trim(self, now: float) -> None:
        """Applies retention by age, and forgets message ids older than DEDUPE_WINDOW."""

    async def ack(self, client_id: str, acks: Sequence[Acked], *, first: bool = False) -> list[Acked]:
        """Moves a client's stored cursors, never back within an epoch, and returns what is stored now, in order.

        With `first`, a cursor that is there already, of this epoch, stays as it is.
        """

    async def acked(self, client_id: str) -> dict[str, Acked]:
        """A client's stored cursors, by channel."""

    async def save_presence(self, record: PresenceRecord, event: NewMessage | None, now: float) -> None:
        """Stores a record and, in the same step, appends `event` to the channel "$presence"."""

    async def presence(self, client_id: str) -> PresenceRecord | None:
        """A client's record, None if it was never seen."""

    async def presences(self, after: str, limit: int, online: bool | None) -> list[PresenceRecord]:
        """Up to `limit` records with client_id greater than `after`, by client_id; only those (not) online if given."""
