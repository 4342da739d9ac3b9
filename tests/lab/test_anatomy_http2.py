"""Frames and messages are found in a connection's bytes, however these were cut into packets."""

from heartline.v1.request_service_pb2 import PollRequest
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse, Heartbeat, Welcome
from heartline_lab.anatomy.frame_words import kind
from heartline_lab.anatomy.http2 import PREFACE, Message, Part, parts
from heartline_lab.anatomy.names import message_name
from hyperframe.frame import ContinuationFrame, HeadersFrame, PingFrame, SettingsFrame
from lab.anatomy_packets import Talk, data, frames, message

SESSION = "/heartline.v1.SessionService/Connect"
POLL = "/heartline.v1.RequestService/Poll"
FIELDS = [(":method", "POST"), (":path", POLL), ("user-agent", "a client with a name of some length")]


def opened() -> Talk:
    """A connection whose client has said the preface."""
    talk = Talk()
    talk.open()
    talk.say(True, PREFACE)
    return talk


def found(talk: Talk) -> list[Part]:
    """All that follows the preface; messages are called by their call's path and their sender."""

    def name(path: str, from_client: bool, body: bytes) -> str:
        return f"{path} {'asks' if from_client else 'answers'} {body.decode()}"

    preface, *rest = parts(talk.connection, name)
    assert kind(preface) == "PREFACE"
    return rest


def test_the_client_begins_with_a_preface_that_is_no_frame() -> None:
    talk = opened()
    [preface] = parts(talk.connection, message_name)
    assert (preface.size, preface.frame, preface.number) == (24, None, 4)


def test_one_packet_may_hold_many_frames() -> None:
    talk = opened()
    talk.say(False, frames(SettingsFrame(settings={4: 1}), PingFrame(opaque_data=b"12345678")))
    assert [(kind(one), one.size, one.number) for one in found(talk)] == [("SETTINGS", 15, 6), ("PING", 17, 6)]


def test_a_frame_in_several_packets_belongs_to_the_last() -> None:
    talk = opened()
    ping = PingFrame(opaque_data=b"12345678").serialize()
    for piece in (ping[:4], ping[4:12], ping[12:] + ping):
        talk.say(True, piece)
    assert [(one.begun, one.number) for one in found(talk)] == [(6, 10), (10, 10)]


def test_what_both_sides_said_is_in_the_order_of_the_packets() -> None:
    talk = opened()
    for from_client in (False, True, False):
        talk.say(from_client, frames(SettingsFrame()))
    assert [one.from_client for one in found(talk)] == [False, True, False]


def test_header_compression_is_followed_from_call_to_call() -> None:
    talk = opened()
    for stream in (1, 3):
        talk.say(True, talk.headers(True, stream, FIELDS))
    first, second = found(talk)
    assert list(first.headers) == list(second.headers) == FIELDS
    assert second.size < first.size / 4


def test_a_block_of_headers_that_is_continued_is_read_as_one() -> None:
    talk = opened()
    block = talk.headers(True, 1, FIELDS)[9:]
    talk.say(True, frames(HeadersFrame(1, block[:20]), ContinuationFrame(1, block[20:], flags=["END_HEADERS"])))
    begun, ended = found(talk)
    assert (begun.headers, list(ended.headers)) == ((), FIELDS)


def test_messages_are_those_of_their_call() -> None:
    talk = opened()
    talk.say(True, talk.headers(True, 1, FIELDS), data(1, message(b"what?")))
    talk.say(False, talk.headers(False, 1, [(":status", "200")]), data(1, message(b"that") + message(b"and this")))
    asked, answered = (one for one in found(talk) if one.messages)
    assert asked.messages == (Message(f"{POLL} asks what?", 5),)
    assert answered.messages == (Message(f"{POLL} answers that", 4), Message(f"{POLL} answers and this", 8))


def test_a_message_in_several_frames_belongs_to_the_last() -> None:
    talk = opened()
    talk.say(True, talk.headers(True, 1, FIELDS))
    whole = message(b"what?")
    for piece in (whole[:2], whole[2:7], whole[7:]):
        talk.say(True, data(1, piece))
    assert [len(one.messages) for one in found(talk)] == [0, 0, 0, 1]


def test_a_message_is_named_by_its_type() -> None:
    assert message_name(POLL, True, PollRequest().SerializeToString()) == "PollRequest"
    assert message_name(POLL, False, b"") == "PollResponse"


def test_a_sessions_frame_is_named_by_what_it_holds() -> None:
    beat = ConnectRequest(heartbeat=Heartbeat(sequence=1)).SerializeToString()
    welcome = ConnectResponse(welcome=Welcome()).SerializeToString()
    assert message_name(SESSION, True, beat) == "ConnectRequest heartbeat"
    assert message_name(SESSION, False, welcome) == "ConnectResponse welcome"


def test_a_message_of_another_service_stays_nameless() -> None:
    assert message_name("/grpc.health.v1.Health/Nothing", True, b"") == "a message"
