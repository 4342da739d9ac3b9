"""Packets become connections: who began, whose numbers count from where, and each byte once, in its place."""

from heartline_lab.anatomy.dissect import Packet, connections, streams
from lab.anatomy_packets import CLIENT, FIRST, SERVER, Talk


def bytes_of(talk: Talk, from_client: bool = True) -> bytes:
    """What one side said."""
    return b"".join(fresh for _, fresh in streams(talk.connection, from_client))


def test_the_client_is_who_sent_the_first_syn() -> None:
    talk = Talk()
    talk.open()
    assert talk.connection.client == ("127.0.0.1", CLIENT)
    assert talk.connection.server == ("127.0.0.1", SERVER)
    assert [one.from_client for one in talk.connection.segments] == [True, False, True]


def test_a_connection_that_began_earlier_is_left_out() -> None:
    talk = Talk()
    talk.open()
    assert connections(talk.packets[1:]) == []


def test_what_is_no_tcp_is_left_out() -> None:
    assert connections([Packet(0.0, bytes(14) + b"no packet of any kind")]) == []


def test_connections_are_told_apart_by_their_ports() -> None:
    one, other = Talk(40000), Talk(40001)
    one.open()
    other.open()
    mixed = [packet for both in zip(one.packets, other.packets, strict=True) for packet in both]
    assert [found.client[1] for found in connections(mixed)] == [40000, 40001]


def test_the_same_ports_can_serve_again_after_a_close() -> None:
    talk = Talk()
    for _ in range(2):
        talk.open()
        talk.close()
    assert [len(found.segments) for found in connections(talk.packets)] == [7, 7]


def test_numbers_count_from_each_sides_own_first_past_the_end_of_32_bits() -> None:
    talk = Talk()
    talk.open()
    talk.say(True, b"12345")
    first, *_, said, answer = talk.connection.segments
    assert (first.raw_seq, said.raw_seq, answer.raw_ack) == (FIRST[True], 0, 5)
    assert (first.seq, said.seq, answer.ack) == (0, 1, 6)


def test_a_syn_and_a_fin_count_as_one_byte() -> None:
    talk = Talk()
    talk.open()
    talk.close()
    assert [one.next_seq - one.seq for one in talk.connection.segments] == [1, 1, 0, 1, 0, 1, 0]


def test_a_syn_tells_the_largest_payload() -> None:
    talk = Talk()
    talk.open()
    assert [one.largest for one in talk.connection.segments] == [1460, 1460, 0]


def test_bytes_that_were_sent_twice_count_once() -> None:
    talk = Talk()
    talk.open()
    talk.packet(True, "PSH ACK", b"abc")
    talk.packet(True, "PSH ACK", b"bcde", back=2)
    assert bytes_of(talk) == b"abcde"


def test_bytes_that_overtook_others_come_in_their_place() -> None:
    talk = Talk()
    talk.open()
    talk.packet(True, "PSH ACK", b"abc")
    talk.packet(True, "PSH ACK", b"def")
    talk.packets[-2:] = reversed(talk.packets[-2:])
    assert bytes_of(talk) == b"abcdef"


def test_a_hole_ends_what_can_be_read() -> None:
    talk = Talk()
    talk.open()
    for said in (b"abc", b"def", b"ghi"):
        talk.packet(False, "PSH ACK", said)
    del talk.packets[-2]
    assert bytes_of(talk, from_client=False) == b"abc"


def test_a_connection_has_ended_when_both_fins_are_acknowledged() -> None:
    talk = Talk()
    talk.open()
    talk.close()
    ended = [connections(talk.packets[:count])[0].ended for count in range(3, 8)]
    assert ended == [False, False, False, False, True]


def test_a_reset_ends_a_connection_at_once() -> None:
    talk = Talk()
    talk.open()
    talk.packet(False, "RST")
    assert talk.connection.ended
