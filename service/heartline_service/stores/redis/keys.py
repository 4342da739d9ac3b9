"""Where the Redis store keeps things, and the bytes of the news that its scripts tell. Pure.

What belongs to one channel has one hash tag, the channel's name, so it is in one slot of a Redis Cluster.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from heartline_service.stores.base import Head, StoredEvent

PREFIX = "heartline:"


@dataclass(frozen=True, slots=True)
class ChannelKeys:
    """The keys of one channel's log, and the name under which its news are told."""

    head: str
    log: str
    news: str
    id_prefix: str


def tag(name: str) -> str:
    """A name as a hash tag: what Redis Cluster takes for it ends at the first brace, and may not be empty."""
    return name.replace("%", "%25").replace("}", "%7D")


def channel_keys(channel: str) -> ChannelKeys:
    """The keys of a channel."""
    start = f"{PREFIX}{{{tag(channel)}}}:"
    return ChannelKeys(f"{start}head", f"{start}log", f"{start}news", f"{start}id:")


def acks_key(client_id: str) -> str:
    """The key of a client's cursors."""
    return f"{PREFIX}{{{tag(client_id)}}}:acks"


EPOCH_KEY, INDEX_KEY, TRIMMER_KEY = (f"{PREFIX}{{heartline}}:{name}" for name in ("epoch", "channels", "trimmer"))

_NEWS = struct.Struct(">16sdQQ")
_LENGTH = struct.Struct(">I")


class News(NamedTuple):
    """What one step did to a channel's log: `first` is the offset of the first of `bodies`, or of what comes next."""

    epoch: str
    time: float
    oldest: int
    first: int
    bodies: Sequence[bytes]

    @property
    def latest(self) -> int:
        """The newest offset after it."""
        return self.first + len(self.bodies) - 1

    def head(self) -> Head:
        """The ends of the log after it."""
        return Head(self.epoch, self.oldest, self.latest)

    def events(self) -> list[StoredEvent]:
        """What was appended."""
        return [StoredEvent(offset, self.time, body) for offset, body in enumerate(self.bodies, self.first)]


def unpack_news(payload: bytes) -> News:
    """Reads what the Lua function `tell` wrote. Raises ValueError for anything else."""
    try:
        epoch, time, oldest, first = _NEWS.unpack_from(payload)
        bodies, at = [], _NEWS.size
        while at < len(payload):
            (length,) = _LENGTH.unpack_from(payload, at)
            at += _LENGTH.size
            bodies.append(payload[at : at + length])
            at += length
    except struct.error as error:
        raise ValueError(str(error)) from None
    return News(epoch.decode(), time, oldest, first, bodies)
