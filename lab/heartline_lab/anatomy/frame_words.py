"""What HTTP/2, gRPC and Heartline say in each packet, in words. Pure.

Rules:
- Every figure comes from the packets. Sizes count the whole frame, and a DATA frame's is taken apart into what each
  layer adds.
- Payloads and long header values are not shown.
"""

from collections import defaultdict
from collections.abc import Sequence

from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from heartline_lab.anatomy.dissect import Connection
from heartline_lab.anatomy.http2 import HEADER, PREFIX, Part
from heartline_lab.anatomy.segment_words import count, side

_KINDS: dict[type[Frame], str] = {
    ContinuationFrame: "CONTINUATION",
    DataFrame: "DATA",
    GoAwayFrame: "GOAWAY",
    HeadersFrame: "HEADERS",
    PingFrame: "PING",
    RstStreamFrame: "RST_STREAM",
    SettingsFrame: "SETTINGS",
    WindowUpdateFrame: "WINDOW_UPDATE",
}
_SETTINGS = {
    1: "HEADER_TABLE_SIZE",
    2: "ENABLE_PUSH",
    3: "MAX_CONCURRENT_STREAMS",
    4: "INITIAL_WINDOW_SIZE",
    5: "MAX_FRAME_SIZE",
    6: "MAX_HEADER_LIST_SIZE",
}
_OK = "0"


def kind(part: Part) -> str:
    """What the frame is called in the standard; PREFACE for what comes before a client's first."""
    if part.frame is None:
        return "PREFACE"
    name = _KINDS.get(type(part.frame), f"a frame of type {part.frame.type}")
    return f"{name} ACK" if "ACK" in part.frame.flags else name


def frame_words(connection: Connection, parts: Sequence[Part]) -> list[list[str]]:
    """For each packet of the connection, what its payload says."""
    words: defaultdict[int, list[str]] = defaultdict(list)
    for i, part in enumerate(parts):
        stream = f", stream {part.stream}" if part.stream else ""
        begun = f", begun in packet {part.begun}" if part.begun < part.number else ""
        said = _said(part, parts[:i], connection)
        words[part.number].append(
            f"{kind(part)}, {count(part.size, 'byte')}{stream}{begun}{': ' if said else ''}{said}"
        )
        for segment in connection.segments[part.begun - 1 : part.number - 1]:
            if segment.payload and segment.from_client is part.from_client and segment.number not in words:
                words[segment.number].append(f"a part of a frame that ends in packet {part.number}")
    return [words[segment.number] for segment in connection.segments]


def _said(part: Part, earlier: Sequence[Part], connection: Connection) -> str:
    match part.frame:
        case None:
            return "the words that open HTTP/2"
        case SettingsFrame() as frame if "ACK" in frame.flags:
            return f"the {side(part.from_client)} keeps to the other's settings"
        case SettingsFrame() as frame:
            return ", ".join(f"{_SETTINGS.get(key, hex(key))} {value}" for key, value in frame.settings.items())
        case WindowUpdateFrame() as frame:
            where = f"on stream {part.stream}" if part.stream else "on all streams together"
            return f"the {side(not part.from_client)} may send {count(frame.window_increment, 'byte')} more {where}"
        case PingFrame() as frame if "ACK" in frame.flags:
            return _pong(part, frame, earlier, connection)
        case PingFrame():
            return f"the {side(not part.from_client)} is to send these 8 bytes back at once"
        case HeadersFrame() | ContinuationFrame() as frame:
            return _headers(part, frame)
        case DataFrame() as frame:
            return _data(part, frame)
        case RstStreamFrame() as frame:
            return f"ends this stream alone, error {frame.error_code}"
        case GoAwayFrame() as frame:
            return f"no new streams after {frame.last_stream_id}, error {frame.error_code}"
    return ""


def _pong(part: Part, pong: PingFrame, earlier: Sequence[Part], connection: Connection) -> str:
    for one in reversed(earlier):
        ping = one.frame
        if not isinstance(ping, PingFrame) or "ACK" in ping.flags or one.from_client is part.from_client:
            continue
        if ping.opaque_data == pong.opaque_data:
            waited = connection.segments[part.number - 1].at - connection.segments[one.number - 1].at
            return f"the 8 bytes of packet {one.number} come back after {waited * 1000:.3f} ms"
    return ""


def _headers(part: Part, frame: HeadersFrame | ContinuationFrame) -> str:
    if "END_HEADERS" not in frame.flags:
        return "the rest follows"
    fields = dict(part.headers)
    if ":path" in fields:
        said = f"{fields[':method']} {fields[':path']}"
    else:
        known = [name for name in (":status", "grpc-status") if name in fields]
        said = ", ".join(f"{name.lstrip(':')} {fields[name]}" for name in known) or "others"
        said += ", which is OK" if fields.get("grpc-status") == _OK else ""
    letters = sum(len(name) + len(value) for name, value in part.headers)
    packed = part.size - HEADER
    short = ", as numbers of a table that both sides keep" if packed < letters / 4 else ""
    sizes = f"{count(len(part.headers), 'field')} of {count(letters, 'letter')} in {count(packed, 'byte')}"
    return f"{said}; {sizes}{short}{_end(part, frame)}"


def _data(part: Part, frame: DataFrame) -> str:
    if not frame.data:
        return f"nothing{_end(part, frame)}"
    if not part.messages:
        return f"a part of a message{_end(part, frame)}"
    names = ", ".join(message.name for message in part.messages)
    sizes = " + ".join(str(message.size) for message in part.messages)
    prefixes = PREFIX.size * len(part.messages)
    if HEADER + prefixes + sum(message.size for message in part.messages) == part.size:
        return f"{names}; {part.size} = {HEADER} (HTTP/2) + {prefixes} (gRPC) + {sizes}{_end(part, frame)}"
    return f"{names} of {sizes} bytes{_end(part, frame)}"


def _end(part: Part, frame: Frame) -> str:
    return (
        f"; END_STREAM: the {side(part.from_client)} has said all in this call" if "END_STREAM" in frame.flags else ""
    )
