"""Where a reader stands in a channel's log, and what of it is at hand. Pure.

A subscriber is a cursor: an offset, the last one seen. Short and long connections read by the same two steps: `place`
says where a cursor goes on, and `Tail` gives the newest events from memory.
"""

import enum
from collections.abc import Sequence

from heartline_service.stores.base import Head, StoredEvent

TAIL_BYTES = 512 * 1024
"""How much of a channel's newest events is kept in memory. Older ones are read from the store."""
EVENT_OVERHEAD = 64
"""What an event costs beside its body, at most, when it is encoded in a batch."""


class GapKind(enum.Enum):
    """Why events are missing. The names are those of GapReason without its prefix."""

    TRIMMED = "retention removed them"
    EPOCH_CHANGED = "the log that they were in is gone"
    AHEAD = "they were never stored"


def place(head: Head, epoch: str, offset: int) -> tuple[int, GapKind | None]:
    """Where a reader that saw `offset` of log `epoch` goes on ("" is the log that is there now), and what it missed."""
    if epoch and epoch != head.epoch:
        return head.oldest - 1, GapKind.EPOCH_CHANGED
    if offset > head.latest:
        return head.latest, GapKind.AHEAD
    if offset < head.oldest - 1:
        return head.oldest - 1, GapKind.TRIMMED
    return offset, None


def fitting(events: Sequence[StoredEvent], start: int, max_events: int, max_bytes: int) -> Sequence[StoredEvent]:
    """As many events from index `start` on as fit both limits, but at least one if there is any."""
    stop = min(len(events), start + max_events)
    size = 0
    for index in range(start, stop):
        size += len(events[index].body) + EVENT_OVERHEAD
        if size > max_bytes and index > start:
            return events[start:index]
    return events[start:stop]


class Tail:
    """The newest events of a channel: those after offset `after`, in order, without holes."""

    __slots__ = ("_events", "_size", "after")

    def __init__(self, after: int) -> None:
        self.after = after
        self._events: list[StoredEvent] = []
        self._size = 0

    @property
    def end(self) -> int:
        """The newest offset in it."""
        return self.after + len(self._events)

    def grow(self, events: Sequence[StoredEvent]) -> None:
        """Takes in what was appended, and lets the oldest go when it is more than TAIL_BYTES."""
        self._events += events
        self._size += sum(len(event.body) + EVENT_OVERHEAD for event in events)
        gone = 0
        while self._size > TAIL_BYTES and gone < len(self._events) - 1:
            self._size -= len(self._events[gone].body) + EVENT_OVERHEAD
            gone += 1
        if gone:
            del self._events[:gone]
            self.after += gone

    def read(self, after: int, max_events: int, max_bytes: int) -> Sequence[StoredEvent] | None:
        """The events after offset `after`, as `fitting` takes them; None when they are not at hand."""
        if after < self.after:
            return None
        return fitting(self._events, after - self.after, max_events, max_bytes)
