"""What is said of packets follows from them: each sum, each reason, each way in which a connection ends."""

import pytest
from heartline_lab.anatomy.findings import closing, five_tuple, flags
from heartline_lab.anatomy.http2 import PREFACE, parts
from heartline_lab.anatomy.names import message_name
from heartline_lab.anatomy.segment_words import segment_words
from hyperframe.frame import GoAwayFrame
from lab.anatomy_packets import Talk, frames


def tcp(talk: Talk, number: int) -> list[str]:
    """What TCP does in this packet."""
    return segment_words(talk.connection)[number - 1]


def end(talk: Talk) -> str:
    """How it was closed."""
    return closing(talk.connection, parts(talk.connection, message_name))


def opened() -> Talk:
    """A connection after its handshake."""
    talk = Talk()
    talk.open()
    return talk


def test_the_handshake_is_explained_in_relative_and_raw_numbers() -> None:
    talk = opened()
    assert segment_words(talk.connection) == [
        [
            "SYN: the client asks for a connection, and numbers its bytes from 4294967295 on, written as 0; takes up "
            "to 1460 bytes a packet"
        ],
        [
            "SYN: the server agrees, and numbers its own bytes from 1000 on, written as 0; takes up to 1460 bytes a "
            "packet",
            "ack = 0 + 1 = 1, because SYN counts as one (raw 4294967295 + 1 = 0)",
        ],
        [
            "ack = 0 + 1 = 1, because SYN counts as one (raw 1000 + 1 = 1001)",
            "the handshake is done: 3 packets, 0 bytes of data",
        ],
    ]


def test_data_in_the_handshakes_last_packet_would_be_told() -> None:
    talk = opened()
    del talk.packets[2:]
    talk.packet(True, "PSH ACK", b"early")
    assert tcp(talk, 3)[-1] == "the handshake is done: 3 packets, 5 bytes of data"


def test_an_acknowledgement_is_the_seq_plus_the_length() -> None:
    talk = opened()
    talk.say(True, bytes(82))
    assert tcp(talk, 5) == ["ack = 1 + 82 = 83: the seq of packet 4 plus its length, so all of it has arrived"]


def test_one_acknowledgement_may_answer_several_packets() -> None:
    talk = opened()
    talk.packet(True, "PSH ACK", bytes(10))
    talk.packet(True, "PSH ACK", bytes(20))
    talk.packet(False, "ACK")
    assert tcp(talk, 6) == ["ack = 1 + 10 + 20 = 31: packets 4 and 5 have arrived"]


def test_an_acknowledgement_may_answer_a_part_of_a_packet() -> None:
    talk = opened()
    talk.packet(True, "PSH ACK", bytes(10))
    talk.packet(False, "ACK", ack=5)
    assert tcp(talk, 5) == ["ack = 1 + 4 = 5"]


def test_an_acknowledgement_of_nothing_new_says_so() -> None:
    talk = opened()
    talk.packet(False, "ACK")
    assert tcp(talk, 4) == ["ack = 1 once more: nothing new has come"]


def test_what_is_sent_again_is_told() -> None:
    talk = opened()
    talk.packet(True, "PSH ACK", b"abc")
    talk.packet(True, "PSH ACK", b"abc", back=3)
    assert tcp(talk, 5) == ["bytes from 1 on were sent before and are sent again"]


def test_an_acknowledgement_counts_what_was_sent_twice_once() -> None:
    talk = opened()
    for back in (0, 3):
        talk.packet(True, "PSH ACK", b"abc", back=back)
    talk.packet(True, "PSH ACK", b"de")
    talk.packet(False, "ACK")
    assert tcp(talk, 7) == ["ack = 1 + 3 + 2 = 6: packets 4 and 6 have arrived"]


def test_a_fin_counts_as_one() -> None:
    talk = opened()
    talk.close()
    assert tcp(talk, 4) == ["FIN: the client has nothing more to send; FIN counts as one"]
    assert tcp(talk, 5) == ["ack = 1 + 1 = 2, because FIN counts as one (raw 0 + 1 = 1)"]


def test_a_close_in_four_packets_is_told_as_four() -> None:
    talk = opened()
    talk.close()
    assert end(talk) == (
        "the client closed first, in packet 4, without a GOAWAY before; "
        "client's FIN in 4, its ACK in 5, server's FIN in 6, its ACK in 7: 4 packets"
    )


def test_a_fin_that_is_also_an_ack_makes_it_three() -> None:
    talk = opened()
    talk.packet(False, "FIN ACK")
    talk.packet(True, "FIN ACK")
    talk.packet(False, "ACK")
    assert end(talk) == (
        "the server closed first, in packet 4, without a GOAWAY before; server's FIN in 4, its ACK in 5, "
        "client's FIN in 5, its ACK in 6: 3 packets, not 4, as 5 did two of these at once"
    )


def test_a_goaway_before_the_close_is_told() -> None:
    talk = opened()
    talk.say(True, PREFACE, frames(GoAwayFrame(last_stream_id=1)))
    talk.close()
    assert end(talk).startswith("the client closed first, in packet 6, with a GOAWAY before")


def test_a_reset_that_answers_late_data_names_it() -> None:
    talk = opened()
    talk.packet(True, "FIN ACK")
    talk.packet(False, "PSH ACK", b"late")
    talk.packet(True, "RST")
    assert tcp(talk, 6) == [
        "RST: the client has dropped the connection and takes nothing more; packet 5 came to a socket that was closed "
        "already"
    ]
    assert end(talk).endswith("; an RST from the client, packet 6, ended it at once")


def test_a_reset_out_of_the_blue_answers_nothing() -> None:
    talk = opened()
    talk.packet(False, "PSH ACK", b"data")
    talk.packet(True, "RST ACK")
    assert tcp(talk, 5)[-1] == "RST: the client has dropped the connection and takes nothing more"


@pytest.mark.parametrize(("count", "told"), [(3, "nobody closed it while it was captured"), (5, "the rest was not")])
def test_a_close_that_was_not_captured_is_not_made_up(count: int, told: str) -> None:
    talk = opened()
    talk.close()
    del talk.packets[count:]
    assert told in end(talk)


def test_each_of_the_six_flags_is_accounted_for() -> None:
    talk = opened()
    talk.say(True, b"data")
    talk.packet(True, "ACK", b"more")
    talk.close()
    assert flags(talk.connection) == [
        ("SYN", "1 (client), 2 (server)", "opened a direction, and counted as one in it"),
        ("ACK", "9 of 10 packets", "said how far the other side's bytes have arrived"),
        ("PSH", "4 (client)", "brought data, to be handed on at once; 1 with data lacked it"),
        ("FIN", "7 (client), 9 (server)", "closed a direction, and counted as one in it"),
        ("RST", "none seen", ""),
        ("URG", "none seen", ""),
    ]


def test_the_five_tuple_is_protocol_addresses_and_ports() -> None:
    assert five_tuple(opened().connection) == "TCP, client 127.0.0.1 port 40000, server 127.0.0.1 port 50051"
