"""The HTTP/2 frames in a TCP connection, and the gRPC messages in these. Pure.

Rules:
- A frame may span packets, and a packet may hold many; a frame belongs to the packet in which it ends.
- Header compression is a dialogue: it can be followed only from the connection's first byte.
- gRPC messages are taken as they are, without gRPC's own compression, which Heartline does not use.
"""

import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import hpack
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame

from heartline_lab.anatomy.dissect import Connection, streams

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER = 9
"""Bytes before the body of each frame."""
PREFIX = struct.Struct("!BI")
"""Before each gRPC message: whether it is compressed, and its length."""

Name = Callable[[str, bool, bytes], str]
"""What a message is called, from its call's path, whether the client sent it, and its bytes."""


@dataclass(frozen=True, slots=True)
class Message:
    """A gRPC message."""

    name: str
    size: int
    """Bytes, without gRPC's prefix of five."""


@dataclass(frozen=True, slots=True)
class Part:
    """A frame, or the preface before a client's first."""

    number: int
    """Of the packet in which it ends."""
    begun: int
    """Of the packet in which it begins."""
    from_client: bool
    size: int
    """Bytes, its header of nine included."""
    frame: Frame | None
    """None is the preface."""
    headers: tuple[tuple[str, str], ...] = ()
    messages: tuple[Message, ...] = ()
    """Those that end in this frame."""

    @property
    def stream(self) -> int:
        """The call that it belongs to; 0 is the connection itself."""
        return 0 if self.frame is None else int(self.frame.stream_id)


def parts(connection: Connection, name: Name) -> list[Part]:
    """What both sides said, in the order in which it was complete."""
    paths: dict[int, str] = {}
    # The client goes first: its headers tell what the server's messages are.
    both = [part for from_client in (True, False) for part in _Side(connection, from_client, name, paths).parts()]
    return sorted(both, key=lambda part: part.number)


class _Side:
    """What one side sent."""

    def __init__(self, connection: Connection, from_client: bool, name: Name, paths: dict[int, str]) -> None:
        self._streams = streams(connection, from_client)
        self._from_client = from_client
        self._name = name
        self._paths = paths
        self._decoder = hpack.Decoder()
        self._block = b""
        self._unfinished: defaultdict[int, bytes] = defaultdict(bytes)

    def parts(self) -> Iterator[Part]:
        """Each frame that is there as a whole."""
        data, begun = b"", 0
        preface = self._from_client
        for segment, fresh in self._streams:
            begun = begun if data else segment.number
            data += fresh
            while size := _whole(data, preface):
                yield self._part(segment.number, begun, None if preface else data[:size], size)
                data, begun, preface = data[size:], segment.number, False

    def _part(self, number: int, begun: int, raw: bytes | None, size: int) -> Part:
        if raw is None:
            return Part(number, begun, self._from_client, size, None)
        frame, _ = Frame.parse_frame_header(memoryview(raw[:HEADER]))
        frame.parse_body(memoryview(raw[HEADER:]))
        headers = self._headers(frame) if isinstance(frame, HeadersFrame | ContinuationFrame) else ()
        messages = tuple(self._messages(frame)) if isinstance(frame, DataFrame) else ()
        return Part(number, begun, self._from_client, size, frame, headers, messages)

    def _headers(self, frame: HeadersFrame | ContinuationFrame) -> tuple[tuple[str, str], ...]:
        self._block += frame.data
        if "END_HEADERS" not in frame.flags:
            return ()
        block, self._block = self._block, b""
        headers = tuple((str(name), str(value)) for name, value in self._decoder.decode(block))
        if self._from_client:
            self._paths[frame.stream_id] = dict(headers).get(":path", "")
        return headers

    def _messages(self, frame: DataFrame) -> Iterator[Message]:
        data = self._unfinished[frame.stream_id] + frame.data
        while len(data) >= PREFIX.size and len(data) >= (size := PREFIX.size + PREFIX.unpack_from(data)[1]):
            body, data = data[PREFIX.size : size], data[size:]
            yield Message(self._name(self._paths.get(frame.stream_id, ""), self._from_client, body), len(body))
        self._unfinished[frame.stream_id] = data


def _whole(data: bytes, preface: bool) -> int:
    """How many bytes the first frame takes; 0 while it is not there as a whole."""
    if preface:
        size = len(PREFACE)
    elif len(data) >= HEADER:
        size = HEADER + int.from_bytes(data[:3])
    else:
        return 0
    return size if len(data) >= size else 0
