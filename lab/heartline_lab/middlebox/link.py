"""One way through the network, as one connection sees it: what was put in comes out later, in order. Pure.

Rules:
- Bytes queue for the wire, which carries `bandwidth` and is shared by all connections; then they fly for the latency.
- The queue is bounded: while `full`, the connection's source is not read, so its own kernel slows it down.
- Nothing is lost in a black hole: it holds the queue up, and TCP would send again what was lost. What had left before
  arrives. A handshake, a FIN and a reset travel as bytes do; they take no bandwidth.
- A reset throws away what still queues, and needs no room at the target.
"""

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from heartline_lab.middlebox.faults import Faults, Way

QUEUE = 64 * 1024
"""Bytes of a connection that may wait for the wire, each way; one chunk more than that at most."""
WINDOW = 1024 * 1024
"""Bytes of a connection that may be under way, each way, as a window of TCP would bound them."""
PIECE = 0.02
"""Seconds of the wire that are given away at a time where bandwidth is short."""


class Mark(enum.Enum):
    """What travels besides bytes."""

    SYN = enum.auto()
    SYN_ACK = enum.auto()
    ACK = enum.auto()
    """The handshake's third packet."""
    FIN = enum.auto()
    RST = enum.auto()


Item = bytes | Mark


@dataclass(slots=True)
class Wire:
    """One way of the path that all connections share. It begins anew with each change of the faults."""

    since: float
    free_at: float = 0.0

    def carry(self, size: int, ready_at: float, bandwidth: float | None) -> float:
        """When so many bytes have left that are ready since `ready_at`."""
        start = max(ready_at, self.since)
        if bandwidth is None:
            return start
        self.free_at = max(start, self.free_at) + size / bandwidth
        return self.free_at


class Link:
    """One way of one connection. `random` gives numbers from 0 to 1, for the jitter."""

    def __init__(self, way: Way, random: Callable[[], float]) -> None:
        self._way: Way = way
        self._random = random
        self._waiting: deque[tuple[float, Item]] = deque()
        self._waiting_bytes = 0
        self._flying: deque[tuple[float, Item]] = deque()
        self._flying_bytes = 0
        self._sending_until = 0.0

    @property
    def full(self) -> bool:
        """Whether it takes no more for now."""
        return self._waiting_bytes >= QUEUE

    def put(self, now: float, item: Item) -> None:
        """Takes what arrives at the box."""
        if item is Mark.RST:
            self._waiting.clear()
            self._waiting_bytes = 0
        self._waiting.append((now, item))
        self._waiting_bytes += _size(item)

    def take(self, now: float, faults: Faults, wire: Wire, room: bool) -> Item | None:
        """What leaves the box next, if it is time. Without room at the target, bytes and a FIN wait."""
        self._send_off(now, faults, wire)
        if self._flying and not room and self._flying[-1][1] is Mark.RST and self._flying[-1][0] <= now:
            self._flying.clear()
            return Mark.RST
        if not self._flying or self._flying[0][0] > now:
            return None
        item = self._flying[0][1]
        if not room and (isinstance(item, bytes) or item is Mark.FIN):
            return None
        self._flying.popleft()
        self._flying_bytes -= _size(item)
        return item

    def deadline(self, now: float, faults: Faults) -> float | None:
        """When to call `take` again if nothing else happens; None when only something else can bring it on."""
        due = [self._flying[0][0]] if self._flying else []
        if self._waiting and not faults.swallows(self._way) and faults.bandwidth is not None:
            due.append(self._sending_until)
        return min((at for at in due if at > now), default=None)

    def _send_off(self, now: float, faults: Faults, wire: Wire) -> None:
        if faults.swallows(self._way):
            return
        while self._waiting and (self._flying_bytes < WINDOW or self._waiting[0][1] is Mark.RST):
            if faults.bandwidth is not None and now < self._sending_until:
                return
            ready_at, item = self._waiting.popleft()
            self._waiting_bytes -= _size(item)
            if isinstance(item, bytes) and faults.bandwidth is not None:
                item = self._cut(ready_at, item, max(1, int(faults.bandwidth * PIECE)))
            self._sending_until = wire.carry(_size(item), ready_at, faults.bandwidth if _size(item) else None)
            due = self._sending_until + faults.latency + faults.jitter * self._random()
            if self._flying:
                due = max(due, self._flying[-1][0])
            self._flying.append((due, item))
            self._flying_bytes += _size(item)

    def _cut(self, ready_at: float, data: bytes, size: int) -> bytes:
        if len(data) > size:
            self._waiting.appendleft((ready_at, data[size:]))
            self._waiting_bytes += len(data) - size
        return data[:size]


def _size(item: Item) -> int:
    return len(item) if isinstance(item, bytes) else 0
