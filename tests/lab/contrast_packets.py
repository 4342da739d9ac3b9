"""What tshark saw of the contrast's ports, counted.

Rules:
- Where connections are to last, each counts up to the client's FIN: what the server says to a client that is gone is
  nobody's figure.
- A retransmission is a segment, and no bytes: it brought nothing new.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

FIELDS = ("tcp.dstport", "tcp.srcport", "tcp.stream", "tcp.len", "tcp.flags.fin", "tcp.analysis.retransmission")


@dataclass(slots=True)
class Seen:
    """What went to a port (up) and came from it (down)."""

    connections: set[str] = field(default_factory=set)
    bytes_up: int = 0
    bytes_down: int = 0
    segments_up: int = 0
    segments_down: int = 0


def counted(packets: Iterable[Sequence[str]], *ports: int, short: int) -> dict[int, Seen]:
    """What the FIELDS of these packets come to, by port; on all but `short` connections are to last."""
    seen: dict[int, Seen] = defaultdict(Seen)
    finished: set[str] = set()
    for to, source, stream, size, fin, again in packets:
        up = int(to) in ports
        number = int(to if up else source)
        if up and number != short and fin in ("1", "True"):
            finished.add(stream)
        if stream in finished:
            continue
        port = seen[number]
        port.connections.add(stream)
        new = 0 if again else int(size)
        if up:
            port.segments_up, port.bytes_up = port.segments_up + 1, port.bytes_up + new
        else:
            port.segments_down, port.bytes_down = port.segments_down + 1, port.bytes_down + new
    return seen
