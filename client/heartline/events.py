"""What a user of the library holds in hand: events, cursors, receipts, presence. Plain frozen data.

Pure: nothing here knows the wire. Names that end in `_at` are instants, in UTC. Offsets count 1, 2, 3 and so on in each
channel, without holes.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


class Start(enum.Enum):
    """Where a subscription without a position starts."""

    UNSPECIFIED = 0
    """ACKED on a line with a client_id, LATEST on one without."""
    EARLIEST = 1
    """At the oldest event that is kept."""
    LATEST = 2
    """At what is published from now on."""
    ACKED = 3
    """After the last event that this client handled. Needs a client_id."""


class GapReason(enum.Enum):
    """Why events are missing."""

    UNSPECIFIED = 0
    """A reason that this version of the library does not know."""
    TRIMMED = 1
    """Retention removed them."""
    EPOCH_CHANGED = 2
    """The log they belonged to was lost or reset."""
    AHEAD = 3
    """The position lies beyond anything that was ever stored."""


@dataclass(frozen=True, slots=True)
class Position:
    """A cursor into one channel's log: the last event that was seen. An offset of 0 is the place before the first."""

    channel: str
    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class Event:
    """A published message with its place in a channel's log. `data` is what was published: bytes, text, or nothing."""

    channel: str
    offset: int
    epoch: str
    id: str
    data: bytes | str | None
    attributes: Mapping[str, str] = field(hash=False)
    publish_time: datetime

    @property
    def position(self) -> Position:
        """The cursor after this event: subscribe with `after` set to it to read on from here."""
        return Position(self.channel, self.epoch, self.offset)


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that are gone. `oldest_offset` is `latest_offset` + 1 when nothing is kept."""

    reason: GapReason
    oldest_offset: int
    latest_offset: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a published message went.

    `duplicate` means that its id was published before, with the same content, perhaps by this library's own retry: the
    receipt is that of the first time.
    """

    epoch: str
    offset: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a client is there, and why it last came or went: `reason` is a name such as "CONNECTED" or "GOODBYE"."""

    client_id: str
    online: bool
    reason: str
    changed_at: datetime
    status: str
    sessions: int
    lease_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lease:
    """What a check-in gave: until when the client counts as online, and whether events wait for it."""

    expires_at: datetime
    events_waiting: bool


@dataclass(frozen=True, slots=True)
class LineState:
    """How a line is, and why it came to be so, in words for people.

    "connecting": the first attempt, or a new one, is under way. "online": a session is live. "polling": the line is
    carried by long polls. "waiting": nobody could be reached; the next attempt is due later. "closed": it is over.
    When it becomes online or polling, the channels subscribed before have their place: what is published from then on
    is not missed.
    """

    name: Literal["connecting", "online", "waiting", "polling", "closed"]
    reason: str
