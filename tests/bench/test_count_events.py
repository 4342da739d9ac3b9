"""The load counts events whole, however the bytes that bring them are cut."""

import pytest

from bench.http2 import ACK, DATA, END_HEADERS, HEADERS, PING, SETTINGS, frame
from bench.peers.count import Marks, MarksInData, Reader

PAYLOAD = bytes(range(100))
MARK = PAYLOAD[-16:]
NATS = b"MSG bench 1 100\r\n" + PAYLOAD + b"\r\n"
MQTT = b"\x30\x6b\x00\x05bench" + PAYLOAD
REDIS = b"*3\r\n$7\r\nmessage\r\n$5\r\nbench\r\n$100\r\n" + PAYLOAD + b"\r\n"
MESSAGE = b"\x00\x00\x00\x00\x69event" + PAYLOAD


def counting(reader: Reader) -> Reader:
    """A reader that counts events."""
    reader.look_for(MARK)
    return reader


def stream(*frames: bytes) -> bytes:
    """What a gRPC server sends: settings, its headers, and then these."""
    return frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, b"\x88") + b"".join(frames)


@pytest.mark.parametrize("event", [NATS, MQTT, REDIS], ids=["nats", "mqtt", "redis"])
def test_three_events_are_three_wherever_the_bytes_are_cut(event: bytes) -> None:
    said = event * 3
    for cut in range(len(said) + 1):
        reader = counting(Marks())
        assert reader.feed(said[:cut]) + reader.feed(said[cut:]) == 3


def test_events_that_come_byte_by_byte_are_counted() -> None:
    reader = counting(Marks())
    assert sum(reader.feed(bytes([byte])) for byte in NATS * 2) == 2


def test_an_event_without_its_last_byte_does_not_count() -> None:
    assert counting(Marks()).feed(MQTT[:-1]) == 0


def test_another_mark_is_looked_for_only_in_what_comes_then() -> None:
    reader = Marks(b"PONG\r\n")
    assert reader.feed(b"PONG\r\n") == 1
    reader.look_for(MARK)
    assert reader.feed(NATS) == 1


def test_grpc_events_are_counted_wherever_the_bytes_are_cut() -> None:
    said = stream(frame(DATA, 0, 1, MESSAGE), frame(PING, 0, 0, b"12345678"), frame(DATA, 0, 1, MESSAGE))
    for cut in range(len(said) + 1):
        reader = counting(MarksInData())
        assert reader.feed(said[:cut]) + reader.feed(said[cut:]) == 2


def test_a_grpc_event_that_two_frames_share_counts_once_wherever_it_is_cut() -> None:
    for cut in range(1, len(MESSAGE)):
        said = stream(frame(DATA, 0, 1, MESSAGE[:cut]), frame(DATA, 0, 1, MESSAGE[cut:]))
        assert counting(MarksInData()).feed(said) == 1


def test_what_must_be_answered_is_owed_until_it_is_sent() -> None:
    reader = MarksInData()
    reader.feed(stream(frame(SETTINGS, ACK, 0), frame(PING, 0, 0, b"12345678"), frame(PING, ACK, 0, b"87654321")))
    assert reader.owed == frame(SETTINGS, ACK, 0) + frame(PING, ACK, 0, b"12345678")
