"""What is said of frames follows from them: what each layer adds, what compression spared, which PING was answered."""

import pytest
from heartline_lab.anatomy.frame_words import frame_words
from heartline_lab.anatomy.http2 import PREFACE, parts
from hyperframe.frame import (
    ContinuationFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from lab.anatomy_packets import Talk, data, frames, message

PATH = "/heartline.v1.RequestService/Poll"


def http2(talk: Talk, number: int) -> list[str]:
    """What the payload of this packet says; every message is a greeting."""
    found = parts(talk.connection, lambda path, from_client, body: "Greeting")
    return frame_words(talk.connection, found)[number - 1]


def calling() -> Talk:
    """A connection whose client, in packet 4, has said the preface and begun a call."""
    talk = Talk()
    talk.open()
    talk.say(True, PREFACE, talk.headers(True, 1, [(":method", "POST"), (":path", PATH)]))
    return talk


def test_a_data_frame_is_taken_apart_into_what_each_layer_adds() -> None:
    talk = calling()
    talk.say(True, data(1, message(b"hello"), "END_STREAM"))
    assert http2(talk, 6) == [
        "DATA, 19 bytes, stream 1: Greeting; 19 = 9 (HTTP/2) + 5 (gRPC) + 5; "
        "END_STREAM: the client has said all in this call"
    ]


def test_a_message_in_two_frames_is_told_where_it_ends() -> None:
    talk = calling()
    talk.say(True, data(1, message(b"hello")[:7]), data(1, b"llo"), data(1, b"", "END_STREAM"))
    assert http2(talk, 6) == [
        "DATA, 16 bytes, stream 1: a part of a message",
        "DATA, 12 bytes, stream 1: Greeting of 5 bytes",
        "DATA, 9 bytes, stream 1: nothing; END_STREAM: the client has said all in this call",
    ]


def test_headers_tell_the_call_and_what_compression_spared() -> None:
    talk = calling()
    talk.say(True, talk.headers(True, 3, [(":method", "POST"), (":path", PATH)]))
    assert http2(talk, 6) == [
        f"HEADERS, 11 bytes, stream 3: POST {PATH}; 2 fields of 49 letters in 2 bytes, "
        "as numbers of a table that both sides keep"
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ([("grpc-status", "0")], "grpc-status 0, which is OK; 1 field of 12 letters in "),
        ([(":status", "200"), ("grpc-status", "5")], "status 200, grpc-status 5; 2 fields of 22 letters in "),
        ([("server", "x")], "others; 1 field of 7 letters in "),
    ],
)
def test_an_answers_headers_tell_the_status(fields: list[tuple[str, str]], told: str) -> None:
    talk = calling()
    talk.say(False, talk.headers(False, 1, fields, "END_STREAM"))
    [line] = http2(talk, 6)
    assert line.partition("stream 1: ")[2].startswith(told)
    assert line.endswith("; END_STREAM: the server has said all in this call")


def test_headers_in_two_frames_are_told_where_they_end() -> None:
    talk = calling()
    block = talk.headers(True, 3, [(":method", "POST"), (":path", PATH)])[9:]
    talk.say(True, frames(HeadersFrame(3, block[:1]), ContinuationFrame(3, block[1:], flags=["END_HEADERS"])))
    begun, ended = http2(talk, 6)
    assert begun == "HEADERS, 10 bytes, stream 3: the rest follows"
    assert ended.startswith(f"CONTINUATION, 10 bytes, stream 3: POST {PATH}; 2 fields")


def test_a_ping_is_told_with_its_answer_and_the_time_between() -> None:
    talk = calling()
    talk.say(False, frames(PingFrame(opaque_data=b"12345678")))
    talk.say(True, frames(PingFrame(opaque_data=b"12345678", flags=["ACK"])))
    assert http2(talk, 6) == ["PING, 17 bytes: the client is to send these 8 bytes back at once"]
    assert http2(talk, 8) == ["PING ACK, 17 bytes: the 8 bytes of packet 6 come back after 2.000 ms"]


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (SettingsFrame(settings={2: 0, 4: 9}), "SETTINGS, 21 bytes: ENABLE_PUSH 0, INITIAL_WINDOW_SIZE 9"),
        (SettingsFrame(flags=["ACK"]), "SETTINGS ACK, 9 bytes: the server keeps to the other's settings"),
        (
            WindowUpdateFrame(0, window_increment=7),
            "WINDOW_UPDATE, 13 bytes: the client may send 7 bytes more on all streams together",
        ),
        (
            WindowUpdateFrame(1, window_increment=7),
            "WINDOW_UPDATE, 13 bytes, stream 1: the client may send 7 bytes more on stream 1",
        ),
        (RstStreamFrame(1, error_code=8), "RST_STREAM, 13 bytes, stream 1: ends this stream alone, error 8"),
        (ExtensionFrame(99, 0), "a frame of type 99, 9 bytes"),
        (GoAwayFrame(last_stream_id=1), "GOAWAY, 17 bytes: no new streams after 1, error 0"),
    ],
)
def test_each_kind_of_frame_says_what_it_does(frame: Frame, told: str) -> None:
    talk = calling()
    talk.say(False, frames(frame))
    assert http2(talk, 6) == [told]


def test_a_setting_that_no_standard_names_keeps_its_number() -> None:
    talk = calling()
    talk.say(False, b"\0\0\6\4\0\0\0\0\0" + b"\xfe\3\0\0\0\1")
    assert http2(talk, 6) == ["SETTINGS, 15 bytes: 0xfe03 1"]


def test_a_frame_in_two_packets_is_told_in_both() -> None:
    talk = calling()
    ping = PingFrame(opaque_data=b"12345678").serialize()
    talk.packet(True, "PSH ACK", ping[:5])
    talk.packet(True, "PSH ACK", ping[5:])
    assert http2(talk, 6) == ["a part of a frame that ends in packet 7"]
    assert http2(talk, 7)[0].startswith("PING, 17 bytes, begun in packet 6: ")
