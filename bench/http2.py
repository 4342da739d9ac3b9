"""As much of HTTP/2 and gRPC as a load of raw sockets needs, at a tenth of the CPU of a gRPC client. Pure.

Rules:
- The windows are as large as HTTP/2 allows from the start, so nothing has to be given back while the load runs.
- Header fields that come in are not read: a call that fails delivers nothing, and that is noticed.
- The other side's SETTINGS and PINGs are to be answered; how much it lets us send is not kept account of, as what is
  sent is small and its effect is awaited.
"""

import struct

import hpack
from hpack import NeverIndexedHeaderTuple

DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM = ACK = 1
END_HEADERS = 4
LARGEST_WINDOW = 2**31 - 1
FIRST_WINDOW = 65_535
_INITIAL_WINDOW_SIZE = 4
_HEAD = struct.Struct("!IBI")
"""Length and kind in one, flags, stream."""
_FRAME_HEADER = 9
_MESSAGE_HEADER = 5
_FIELDS = (
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "bench"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
)

Frame = tuple[int, int, int, bytes]
"""Kind, flags, stream, and what it carries."""


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(len(body) << 8 | kind, flags, stream) + body


PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + frame(SETTINGS, 0, 0, struct.pack("!HI", _INITIAL_WINDOW_SIZE, LARGEST_WINDOW))
    + frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", LARGEST_WINDOW - FIRST_WINDOW))
)
"""What a client says first."""


def fields(path: str) -> list[tuple[str, str]]:
    """What a call says of itself, for the encoder of a connection, which says it in full only once."""
    return [(":path", path), *_FIELDS]


def in_full(path: str) -> bytes:
    """The same, encoded without the table that both sides would have to keep: the same bytes for every call."""
    return hpack.Encoder().encode([NeverIndexedHeaderTuple(*field) for field in fields(path)])


def call(encoded: bytes, stream: int, message: bytes, *, last: bool) -> bytes:
    """Begins a gRPC call with a message, which is its last, or is followed by others or by waiting."""
    return frame(HEADERS, END_HEADERS, stream, encoded) + data(stream, message, last=last)


def data(stream: int, message: bytes, *, last: bool) -> bytes:
    """One more message of a call."""
    return frame(DATA, END_STREAM if last else 0, stream, struct.pack("!BI", 0, len(message)) + message)


def frames(came: bytes) -> tuple[list[Frame], bytes]:
    """The frames that are whole, and the bytes that wait for more."""
    found = []
    at, size = 0, len(came)
    while size - at >= _FRAME_HEADER:
        length_and_kind, flags, stream = _HEAD.unpack_from(came, at)
        start = at + _FRAME_HEADER
        end = start + (length_and_kind >> 8)
        if end > size:
            break
        found.append((length_and_kind & 255, flags, stream, came[start:end]))
        at = end
    return found, came[at:]


def messages(came: bytes) -> tuple[list[bytes], bytes]:
    """The gRPC messages of one call that are whole, and the bytes that wait for more."""
    found = []
    at, size = 0, len(came)
    while size - at >= _MESSAGE_HEADER:
        start = at + _MESSAGE_HEADER
        end = start + int.from_bytes(came[at + 1 : start], "big")
        if end > size:
            break
        found.append(came[start:end])
        at = end
    return found, came[at:]


def answer(kind: int, flags: int, body: bytes) -> bytes:
    """What must be said to a frame: nothing to most."""
    if kind not in (SETTINGS, PING) or flags & ACK:
        return b""
    return frame(kind, ACK, 0, body if kind == PING else b"")
