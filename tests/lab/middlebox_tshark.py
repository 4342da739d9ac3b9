"""An independent count of what crosses loopback on some ports: tshark's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lab.tshark import captured

FIELDS = ("tcp.srcport", "tcp.dstport", "tcp.stream", "tcp.seq", "tcp.len")


@dataclass(slots=True)
class Seen:
    """What went to a port (up) and came from it (down): segments, and bytes of payload, each byte once."""

    segments_up: int = 0
    segments_down: int = 0
    bytes_up: int = 0
    bytes_down: int = 0


@dataclass(slots=True)
class _Count:
    """One way. A byte that was sent again is a segment more, and no byte more."""

    segments: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    """For each connection how far its bytes went."""

    def add(self, stream: str, start: int, size: int) -> None:
        self.segments += 1
        if size:  # after a FIN, which counts as a byte, an empty one starts one further
            self.ends[stream] = max(self.ends.get(stream, 0), start + size - 1)

    @property
    def bytes(self) -> int:
        return sum(self.ends.values())


@asynccontextmanager
async def tshark(*ports: int) -> AsyncIterator[dict[int, Seen]]:
    """Counts for each of these ports while the block lasts; the counts are there when it is left."""
    seen = {port: Seen() for port in ports}
    up, down = {port: _Count() for port in ports}, {port: _Count() for port in ports}
    async with captured(FIELDS, *ports) as packets:
        yield seen
    for source, target, stream, start, size in packets:
        count = up[int(target)] if int(target) in up else down[int(source)]
        count.add(stream, int(start), int(size))
    for port in ports:
        seen[port] = Seen(up[port].segments, down[port].segments, up[port].bytes, down[port].bytes)
