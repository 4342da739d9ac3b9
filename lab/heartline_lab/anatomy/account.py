"""What a connection cost: packets and bytes, by what they were for. Pure.

Rules:
- Bytes are those of IP packets: Ethernet's, which differ from link to link, are left out.
- A packet counts once: for the calls whose frames it carries, else for the connection.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hyperframe.frame import ContinuationFrame, HeadersFrame

from heartline_lab.anatomy.dissect import Connection, Segment
from heartline_lab.anatomy.http2 import Message, Part

OPENING, CALLS, HTTP2, ACKS, CLOSING = "open it", "carry calls", "are HTTP/2's own", "only acknowledge", "close it"
"""What packets are for."""


@dataclass(frozen=True, slots=True)
class Call:
    """What one HTTP/2 stream cost."""

    stream: int
    packets: int
    """Those that carry its frames."""
    bytes: int
    """Of these packets."""
    headers: int
    """Of these, the bytes of HEADERS frames."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message, and the packet in which it ended."""

    message: Message
    segment: Segment


@dataclass(frozen=True, slots=True)
class Account:
    """The whole connection."""

    packets: int
    bytes: int
    payload: int
    """Bytes without the headers of IP and TCP."""
    purposes: dict[str, int]
    """How many packets were for what, in the order of OPENING to CLOSING."""
    calls: tuple[Call, ...]
    sent: tuple[Sent, ...]

    @property
    def messages(self) -> int:
        """Bytes of all messages."""
        return sum(one.message.size for one in self.sent)


def account(connection: Connection, parts: Sequence[Part]) -> Account:
    """Adds up a connection."""
    segments = connection.segments
    purposes = Counter(_purpose(segment, connection, parts) for segment in segments)
    streams = sorted({part.stream for part in parts} - {0})
    return Account(
        packets=len(segments),
        bytes=sum(segment.size for segment in segments),
        payload=sum(len(segment.payload) for segment in segments),
        purposes={purpose: purposes[purpose] for purpose in (OPENING, CALLS, HTTP2, ACKS, CLOSING)},
        calls=tuple(_call([part for part in parts if part.stream == stream], connection) for stream in streams),
        sent=tuple(Sent(message, segments[part.number - 1]) for part in parts for message in part.messages),
    )


def _purpose(segment: Segment, connection: Connection, parts: Sequence[Part]) -> str:
    if any(one.flags & {"FIN", "RST"} for one in connection.segments[: segment.number]):
        return CLOSING
    if segment.payload:
        return CALLS if any(part.stream and _carries(segment, part) for part in parts) else HTTP2
    opened = next((one.number for one in connection.segments if one.from_client and one.flags == {"ACK"}), 0)
    return OPENING if segment.number <= opened else ACKS


def _carries(segment: Segment, part: Part) -> bool:
    return part.begun <= segment.number <= part.number and part.from_client is segment.from_client


def _call(parts: Sequence[Part], connection: Connection) -> Call:
    carrying = [one for one in connection.segments if one.payload and any(_carries(one, part) for part in parts)]
    return Call(
        stream=parts[0].stream,
        packets=len(carrying),
        bytes=sum(segment.size for segment in carrying),
        headers=sum(part.size for part in parts if isinstance(part.frame, HeadersFrame | ContinuationFrame)),
    )
