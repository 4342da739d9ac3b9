"""What a subscription holds between the network and the loop that handles events: a bounded buffer and its cursors.

Pure: no clock, no I/O, nothing of asyncio.

Rules:
- Three cursors, never back: `received` (the last event that came: resume from here), `position` (the last one handed to
  the loop), and the last one handled (the loop asked for the next one: this is acknowledged).
- Events enter in order and once: what came before is dropped, and a hole that no gap explains is refused.
- It is full at `capacity` events. A subscription is taken up anew only when the buffer is empty, and the server, or the
  size of a poll, then allows `capacity` more: so it never overflows, however often the connection breaks.
- A gap is an item in the buffer, in its place in the order.
- Acks for half of `capacity` are due at once, so that the server never has to hold; fewer when asked for `now`.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from heartline.events import Event, Gap, Position


@dataclass(frozen=True, slots=True)
class GapMark:
    """A gap in its place: reading goes on from `position`."""

    gap: Gap
    position: Position


class Inbox:
    """The buffer and the cursors of one subscription."""

    def __init__(self, capacity: int, after: Position | None = None) -> None:
        self.capacity = capacity
        self.received = after
        self.position = after
        self._items: deque[Event | GapMark] = deque()
        self._unfinished: Position | None = None
        self._handled: Position | None = None
        self._acked: Position | None = None
        self._handled_since_ack = 0

    def __len__(self) -> int:
        return len(self._items)

    def begin(self, position: Position) -> None:
        """The server told from where it reads; it counts only where no place in that log was known before."""
        if self.received is None:
            self.received = self.position = position
        elif not self.received.epoch:
            self.received = self.position = replace(self.received, epoch=position.epoch)

    def put(self, events: Sequence[Event], position: Position, gap: Gap | None) -> bool:
        """A batch came; `position` is the cursor after it. False when events are missing that no gap explains."""
        start = replace(position, offset=events[0].offset - 1) if events else position
        if gap is None:
            self.begin(start)
        else:
            self.received = start
            self._items.append(GapMark(gap, start))
        assert self.received is not None
        if self.received.epoch != position.epoch:
            return False
        for event in events:
            if event.offset == self.received.offset + 1:
                self._items.append(event)
                self.received = event.position
        return position.offset <= self.received.offset

    def take(self) -> Event | GapMark | None:
        """The next item for the loop, None when there is none yet."""
        if not self._items:
            return None
        item = self._items.popleft()
        self.position = self._unfinished = item.position
        return item

    def finish(self) -> None:
        """The loop asks for the next item, so the last one is handled."""
        if self._unfinished is not None:
            self._handled, self._unfinished = self._unfinished, None
            self._handled_since_ack += 1

    def ack_due(self, *, now: bool) -> bool:
        """Whether to acknowledge. `now`: however little was handled."""
        return self._handled != self._acked and (now or self._handled_since_ack >= max(1, self.capacity // 2))

    def ack(self, *, now: bool) -> Position | None:
        """What to acknowledge, if anything is due; it then counts as acknowledged."""
        if not self.ack_due(now=now):
            return None
        self._acked, self._handled_since_ack = self._handled, 0
        return self._acked

    def forget_acks(self) -> None:
        """The connection that carried the acks is gone, and perhaps they with it: acknowledge once more."""
        self._acked = None

    def discard(self) -> None:
        """Nobody will handle what is buffered."""
        self._items.clear()
