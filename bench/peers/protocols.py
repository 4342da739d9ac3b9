"""What a subscriber and a publisher of each protocol say. Pure.

Rules: every subscriber asks for the one channel, and a mark tells when it has been given it. No event is acknowledged,
by none of them, as Heartline's sessions do not acknowledge each event either: NATS core, MQTT QoS 0, Redis pub/sub.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from bench import http2
from bench.peers.count import Marks, MarksInData, Reader

CHANNEL = b"bench"


@dataclass(frozen=True, slots=True)
class Protocol:
    """How to talk to one kind of server."""

    reader: Callable[[], Reader]
    subscribe: Callable[[int], bytes]
    """What a subscriber says, which is the only one with this number."""
    subscribed: bytes
    """A mark in the answer to that."""
    publisher: bytes
    """What a publisher says first."""
    publish: Callable[[int, int], bytes]
    """What it says for so many events at once; the first number tells apart what one publisher says."""


def nats(payload: bytes) -> Protocol:
    """NATS: https://docs.nats.io/reference/reference-protocols/nats-protocol."""
    hello = b'CONNECT {"verbose":false}\r\n'
    event = b"PUB %b %d\r\n%b\r\n" % (CHANNEL, len(payload), payload)
    return Protocol(
        Marks, lambda _: hello + b"SUB %b 1\r\nPING\r\n" % CHANNEL, b"PONG\r\n", hello, lambda _, n: event * n
    )


def redis(payload: bytes) -> Protocol:
    """Redis pub/sub, in RESP."""
    event = _resp(b"PUBLISH", CHANNEL, payload)
    return Protocol(Marks, lambda _: _resp(b"SUBSCRIBE", CHANNEL), b":1\r\n", b"", lambda _, n: event * n)


def _resp(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def mqtt(payload: bytes) -> Protocol:
    """MQTT 3.1.1 with QoS 0, clean sessions and no keep-alive."""
    topic = _text(CHANNEL)
    wish = _packet(0x82, struct.pack("!H", 1) + topic + b"\0")
    event = _packet(0x30, topic + payload)
    granted = _packet(0x90, struct.pack("!H", 1) + b"\0")
    return Protocol(
        Marks,
        lambda number: _connect(b"subscriber-%d" % number) + wish,
        granted,
        _connect(b"publisher"),
        lambda _, n: event * n,
    )


def _connect(client: bytes) -> bytes:
    return _packet(0x10, _text(b"MQTT") + struct.pack("!BBH", 4, 2, 0) + _text(client))


def _packet(first: int, body: bytes) -> bytes:
    length = len(body)
    size = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return bytes([first]) + size + body


def _text(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def grpc(
    connect: str, hello: Callable[[int], bytes], subscribed: bytes, publish: str, request: Callable[[int], bytes]
) -> Protocol:
    """GRPC: a stream that a first message opens, and a unary call whose request has so many events."""
    return Protocol(
        MarksInData,
        lambda number: http2.PREFACE + http2.call(http2.in_full(connect), 1, hello(number), last=False),
        subscribed,
        http2.PREFACE,
        lambda number, n: http2.call(http2.in_full(publish), 2 * number + 1, request(n), last=True),
    )
