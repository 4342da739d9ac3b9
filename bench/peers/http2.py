"""As much of an HTTP/2 client as gRPC calls need whose answers are only counted. Pure.

Rules:
- The windows are as large as HTTP/2 allows from the start, so nothing has to be given back while the load runs.
- Headers go out without the table that both sides would have to keep, so they are the same bytes for every call; those
  that come in are not read: a call that fails delivers nothing, and that is noticed.
- The other side's SETTINGS and PINGs are answered; how much it lets us send is not kept account of, as a request is
  small and its effect is awaited before the next.
"""

import struct

import hpack
from hpack import NeverIndexedHeaderTuple

from bench.peers.count import Marks

_LARGEST_WINDOW = 2**31 - 1
_FIRST_WINDOW = 65_535
_INITIAL_WINDOW_SIZE = 4
_HEADER = 9
_DATA, _HEADERS, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 4, 6, 8
_ACK = _END_STREAM = 1
_END_HEADERS = 4


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    """One frame."""
    return len(body).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + body


PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + frame(_SETTINGS, 0, 0, struct.pack("!HI", _INITIAL_WINDOW_SIZE, _LARGEST_WINDOW))
    + frame(_WINDOW_UPDATE, 0, 0, struct.pack("!I", _LARGEST_WINDOW - _FIRST_WINDOW))
)
"""What a client says first."""


def call(path: str, stream: int, message: bytes, *, last: bool) -> bytes:
    """Begins a gRPC call with a message, which is its last, or is followed by waiting."""
    said = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "127.0.0.1", "te": "trailers"}
    said["content-type"] = "application/grpc"
    headers = hpack.Encoder().encode([NeverIndexedHeaderTuple(*pair) for pair in said.items()])
    body = struct.pack("!BI", 0, len(message)) + message
    return frame(_HEADERS, _END_HEADERS, stream, headers) + frame(_DATA, _END_STREAM if last else 0, stream, body)


class Http2Reader:
    """Counts a mark in what DATA frames carry."""

    def __init__(self) -> None:
        self.owed = b""
        self._marks = Marks()
        self._unread = b""

    def look_for(self, mark: bytes) -> None:
        """Counts this mark from now on."""
        self._marks.look_for(mark)

    def feed(self, data: bytes) -> int:
        """How many marks became whole with these bytes."""
        if self._unread:
            data = self._unread + data
        found = at = 0
        while len(data) - at >= _HEADER:
            end = at + _HEADER + int.from_bytes(data[at : at + 3], "big")
            if end > len(data):
                break
            kind = data[at + 3]
            if kind == _DATA:
                found += self._marks.feed(data[at + _HEADER : end])
            elif kind in (_SETTINGS, _PING) and not data[at + 4] & _ACK:
                self.owed += frame(kind, _ACK, 0, data[at + _HEADER : end] if kind == _PING else b"")
            at = end
        self._unread = data[at:]
        return found
