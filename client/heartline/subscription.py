"""A channel as the user reads it: an async iterator over the inbox that the network fills.

Rules:
- An event counts as handled when the loop asks for the next one, and is acknowledged then: a crash repeats the
  unfinished one. Only a loop that is faster than ACK_PAUSE has one ack for several events.
- Whoever carries the line is told by `on_change` when there is something for it: acks that are due, an empty buffer,
  the end. The subscription itself sends nothing and knows no connection.
- A gap is logged, and then raised or passed over, as the user chose. After a GapError iterating goes on behind the gap.
"""

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from heartline.convert import from_wire_event, from_wire_gap, from_wire_position
from heartline.errors import GapError, HeartlineError
from heartline.events import Event, Position, Start
from heartline.inbox import Inbox
from heartline.v1 import events_pb2

ACK_PAUSE = 0.02
"""The least time between two acks while events wait, in seconds, unless the server needs them to send more."""

OnGap = Literal["raise", "continue"]
log = logging.getLogger("heartline")


class Subscription:
    """Events of one channel, in order and each once. Made by `Line.subscribe`; iterate over it in one task.

    Leave it with `aclose()`, or use it as an async context manager: a `break` alone does not unsubscribe.
    """

    def __init__(
        self,
        channel: str,
        *,
        start: Start,
        after: Position | None,
        on_gap: OnGap,
        max_unacked: int,
        on_change: Callable[["Subscription"], None],
    ) -> None:
        self.channel = channel
        self.start = start
        self.inbox = Inbox(max_unacked, after)
        self.closed = False
        self.failure: HeartlineError | None = None
        self._on_gap = on_gap
        self._on_change = on_change
        self._news = asyncio.Event()
        self._waiting = False
        self._idle = False
        self._ack_pause: asyncio.TimerHandle | None = None

    @property
    def position(self) -> Position | None:
        """The cursor after the last event that was handed to the loop; None until the server has told a place."""
        return self.inbox.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises GapError, or what the server says when it refuses the subscription."""
        if self._waiting:
            raise RuntimeError(
                f"two tasks iterate over the subscription to {self.channel!r}: share one, or use two lines"
            )
        self.inbox.finish()
        while True:
            if self.closed:
                raise StopAsyncIteration
            item = self.inbox.take()
            self._idle = item is None
            if not len(self.inbox) or self.inbox.ack_due(now=self._ack_now):
                self._on_change(self)
            if isinstance(item, Event):
                return item
            if item is None:
                await self._wait()
            elif self._on_gap == "raise":
                raise GapError(item.gap, item.position)
            else:
                self.inbox.finish()

    async def aclose(self) -> None:
        """Unsubscribes, and acknowledges what was handled. Iterating ends."""
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends it without an error."""
        if not self.closed:
            self.closed = True
            self.inbox.discard()
            self._news.set()
            self._on_change(self)

    def fail(self, error: HeartlineError) -> None:
        """Ends it with an error, which iterating raises after what is buffered."""
        if self.failure is None and not self.closed:
            self.failure = error
            self._news.set()

    def take_ack(self, *, last: bool = False) -> Position | None:
        """What to acknowledge now, if anything; it then counts as acknowledged. `last`: no more acks will follow."""
        position = self.inbox.ack(now=last or self._ack_now)
        if position is not None and self._ack_pause is None:
            self._ack_pause = asyncio.get_running_loop().call_later(ACK_PAUSE, self._end_ack_pause)
        return position

    def begin(self, position: events_pb2.Position) -> None:
        """The server told from where it reads."""
        self.inbox.begin(from_wire_position(position, self.channel))

    def put(self, batch: events_pb2.Batch) -> bool:
        """A batch came. False when events are missing that no gap explains."""
        gap = from_wire_gap(batch.gap) if batch.HasField("gap") else None
        events = [from_wire_event(event, self.channel, batch.position.epoch) for event in batch.events]
        complete = self.inbox.put(events, from_wire_position(batch.position, self.channel), gap)
        if gap is not None:
            log.warning("%s", GapError(gap, self.inbox.received or from_wire_position(batch.position, self.channel)))
        self._news.set()
        return complete

    @property
    def _ack_now(self) -> bool:
        return self._idle or self.closed or self._ack_pause is None

    def _end_ack_pause(self) -> None:
        self._ack_pause = None
        if self.inbox.ack_due(now=True):
            self._on_change(self)

    async def _wait(self) -> None:
        if self.failure is not None:
            raise self.failure
        self._waiting = True
        try:
            self._news.clear()
            await self._news.wait()
        finally:
            self._waiting = False
