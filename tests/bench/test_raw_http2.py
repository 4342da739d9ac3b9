"""The load speaks HTTP/2 and gRPC as a server expects it, and reads them however the bytes are cut."""

import struct

import hpack
import pytest

from bench import http2
from bench.http2 import ACK, DATA, END_HEADERS, END_STREAM, FIRST_WINDOW, HEADERS, LARGEST_WINDOW, PING, SETTINGS, frame


def test_frames_are_found_wherever_the_bytes_are_cut() -> None:
    sent = [(DATA, END_STREAM, 3, b"x" * 70_000), (SETTINGS, ACK, 0, b""), (PING, 0, 0, b"12345678")]
    said = b"".join(frame(*one) for one in sent)
    for cut in (*range(20), *range(len(said) - 40, len(said) + 1)):
        first, rest = http2.frames(said[:cut])
        second, rest = http2.frames(rest + said[cut:])
        assert (first + second, rest) == (sent, b"")


@pytest.mark.parametrize("size", [1, 4, 7, 100])
def test_messages_are_found_however_the_bytes_are_cut(size: int) -> None:
    """Several messages come in a frame of HTTP/2, and one comes in several frames."""
    sent = b"\0\0\0\0\3abc" + b"\0\0\0\0\0" + b"\0\0\0\0\5hello"
    heard: list[bytes] = []
    rest = b""
    for at in range(0, len(sent), size):
        found, rest = http2.messages(rest + sent[at : at + size])
        heard += found
    assert (heard, rest) == ([b"abc", b"", b"hello"], b"")


def test_settings_and_pings_are_answered_and_their_answers_are_not() -> None:
    assert http2.answer(SETTINGS, 0, b"\0\3\0\0\0\1") == frame(SETTINGS, ACK, 0)
    assert http2.answer(PING, 0, b"12345678") == frame(PING, ACK, 0, b"12345678")
    assert {http2.answer(kind, ACK, b"12345678") for kind in (SETTINGS, PING)} == {b""}


def test_a_call_says_its_fields_and_then_its_message() -> None:
    said, rest = http2.frames(http2.call(b"fields", 1, b"hello", last=True))
    message = struct.pack("!BI", 0, 5) + b"hello"
    assert (said, rest) == ([(HEADERS, END_HEADERS, 1, b"fields"), (DATA, END_STREAM, 1, message)], b"")


def test_fields_said_in_full_leave_nothing_in_the_table_of_the_other_side() -> None:
    decoder = hpack.Decoder()
    read = decoder.decode(http2.in_full("/a.B/C"))
    assert [(str(name), str(value)) for name, value in read] == [
        (":path", "/a.B/C"),
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "bench"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    assert not decoder.header_table.dynamic_entries


def test_the_windows_are_the_largest_from_the_start() -> None:
    (settings, window), _ = http2.frames(http2.PREFACE.split(b"SM\r\n\r\n")[1])
    assert struct.unpack("!HI", settings[3]) == (4, LARGEST_WINDOW)
    assert struct.unpack("!I", window[3])[0] + FIRST_WINDOW == LARGEST_WINDOW
