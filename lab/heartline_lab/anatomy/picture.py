"""A connection as a ladder diagram: a step for each packet. Pure."""

from collections.abc import Sequence

from heartline_lab.anatomy.dissect import Connection, Segment
from heartline_lab.anatomy.frame_words import kind
from heartline_lab.anatomy.http2 import Part
from heartline_lab.anatomy.segment_words import side
from heartline_lab.drawing.ladder import Ladder, Step

_ORDER = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")
"""Of flags, as Wireshark and tcpdump have it."""


def ladder(title: str, connection: Connection, parts: Sequence[Part]) -> Ladder:
    """The connection's ladder."""
    steps = [_step(one, [part for part in parts if part.number == one.number]) for one in connection.segments]
    return Ladder(title, ("client", "server"), tuple(steps))


def _step(segment: Segment, parts: Sequence[Part]) -> Step:
    return Step(
        at=segment.at,
        source=side(segment.from_client),
        target=side(not segment.from_client),
        label=", ".join(dict.fromkeys(map(_label, parts))) or flag_names(segment),
        note=_note(segment),
        kind=_colour(segment, parts),
    )


def flag_names(segment: Segment) -> str:
    """The packet's flags, as people write them."""
    return " ".join(flag for flag in _ORDER if segment.has(flag))


def _label(part: Part) -> str:
    names = [message.name.rpartition(" ")[2] for message in part.messages]
    return f"{kind(part)} {' '.join(names)}" if names else kind(part)


def _note(segment: Segment) -> str:
    place = f"{segment.number}: seq {segment.seq}"
    ack = f", ack {segment.ack}" if segment.has("ACK") else ""
    return f"{place}{ack}, {len(segment.payload)} bytes" if segment.payload else f"{place}{ack}"


def _colour(segment: Segment, parts: Sequence[Part]) -> str:
    names = [message.name for part in parts for message in part.messages]
    if segment.has("RST"):
        return "fault"
    if any("heartbeat" in name for name in names):
        return "heartbeat"
    return "data" if names else "control"
