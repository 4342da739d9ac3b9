"""The explanation as people read it, drawn from a conversation that is made by hand."""

from io import BytesIO

import dpkt
from heartline.cli.output import uncoloured
from heartline_lab.anatomy.account import account
from heartline_lab.anatomy.http2 import PREFACE, Part, parts
from heartline_lab.anatomy.page import WIDTH, comparison, page
from heartline_lab.anatomy.pcap import pcap
from heartline_lab.anatomy.picture import ladder
from heartline_lab.drawing.ladder import as_text
from hyperframe.frame import PingFrame
from lab.anatomy_packets import Talk, data, frames, message

PATH = "/heartline.v1.SessionService/Connect"


def name(path: str, from_client: bool, body: bytes) -> str:
    """The message's own words."""
    return body.decode()


def small() -> Talk:
    """One question and its answer."""
    talk = Talk()
    talk.open()
    talk.packet(
        True,
        "PSH ACK",
        PREFACE + talk.headers(True, 1, [(":method", "POST"), (":path", PATH)]) + data(1, message(b"ask me")),
    )
    talk.packet(False, "PSH ACK", talk.headers(False, 1, [(":status", "200")]) + data(1, message(b"it events")))
    talk.close()
    return talk


def seen(talk: Talk) -> list[Part]:
    """Its frames."""
    return parts(talk.connection, name)


def lines(talk: Talk) -> list[str]:
    """The page, without colours."""
    return uncoloured("\n".join(page("A title", talk.connection, seen(talk)))).splitlines()


def test_a_page_explains_draws_and_adds_up() -> None:
    text = "\n".join(lines(small()))
    assert text.startswith(EXPLAINED)
    assert as_text(ladder("A title", small().connection, seen(small())), WIDTH) in text
    assert text.endswith(ADDED_UP)


def test_no_line_is_wider_than_a_terminal() -> None:
    talk = small()
    talk.say(True, frames(*(PingFrame(opaque_data=b"12345678") for _ in range(20))))
    assert max(map(len, lines(talk))) <= WIDTH


def test_each_packet_counts_once_for_what_it_was_for() -> None:
    talk = small()
    total = account(talk.connection, seen(talk))
    assert total.purposes == {
        "open it": 3,
        "carry calls": 2,
        "are HTTP/2's own": 0,
        "only acknowledge": 0,
        "close it": 4,
    }
    assert total.packets == sum(total.purposes.values())


def test_pings_and_bare_acknowledgements_belong_to_the_connection() -> None:
    talk = Talk()
    talk.open()
    talk.say(True, PREFACE)
    talk.say(False, frames(PingFrame(opaque_data=b"12345678")))
    assert account(talk.connection, seen(talk)).purposes["are HTTP/2's own"] == 2
    assert account(talk.connection, seen(talk)).purposes["only acknowledge"] == 2


def test_bytes_are_those_of_messages_of_http2_and_of_headers() -> None:
    talk = small()
    total = account(talk.connection, seen(talk))
    assert total.messages == len("ask me") + len("it events")
    assert total.bytes - total.payload == 40 * total.packets + 2 * 4  # IP and TCP, and the option of each SYN


def test_each_call_is_counted_with_its_headers() -> None:
    talk = Talk()
    talk.open()
    talk.say(True, PREFACE)
    for stream in (1, 3, 5):
        talk.say(
            True, talk.headers(True, stream, [(":method", "POST"), (":path", PATH)]), data(stream, message(b"ask"))
        )
    calls = account(talk.connection, seen(talk)).calls
    assert [(one.stream, one.packets) for one in calls] == [(1, 1), (3, 1), (5, 1)]
    assert calls[1].headers < calls[0].headers
    assert any(line.split() == ["3", "1", str(calls[1].bytes), str(calls[1].headers)] for line in lines(talk))


def test_the_comparison_tells_only_of_what_was_captured() -> None:
    total = account(small().connection, seen(small()))
    short = f"On a connection of its own an answer takes 9 packets and {total.bytes} bytes."
    kept = f"On a kept connection the last question and its answer took 2 packets of {total.calls[0].bytes} bytes."
    session = f"In a session the event came in one packet of {total.sent[1].segment.size} bytes, unasked."
    assert list(comparison({"short": total})) == [short]
    assert list(comparison({"short": total, "kept": total, "session": total})) == [short, kept, session]


def test_a_ladder_colours_heartbeats_data_and_resets() -> None:
    talk = Talk()
    talk.open()
    talk.packet(True, "PSH ACK", PREFACE + talk.headers(True, 1, [(":method", "POST"), (":path", PATH)]))
    talk.packet(True, "PSH ACK", data(1, message(b"x heartbeat")))
    talk.packet(True, "PSH ACK", data(1, message(b"x hello")))
    talk.packet(True, "RST")
    steps = ladder("A title", talk.connection, seen(talk)).steps
    assert [step.kind for step in steps[3:]] == ["control", "heartbeat", "data", "fault"]
    assert [step.label for step in steps[3:]] == ["PREFACE, HEADERS", "DATA heartbeat", "DATA hello", "RST"]


def test_a_pcap_file_holds_each_packet_as_it_was() -> None:
    talk = small()
    read = dpkt.pcap.UniversalReader(BytesIO(pcap([talk.connection])))
    assert [(round(float(at), 3), raw) for at, raw in read] == [(round(one.at, 3), one.raw) for one in talk.packets]


EXPLAINED = """\
A title
five-tuple: TCP, client 127.0.0.1 port 40000, server 127.0.0.1 port 50051

  #        ms  from    flags      seq    ack  bytes     raw seq    raw ack
  1     0.000  client  SYN          0      -      0  4294967295          -
               SYN: the client asks for a connection, and numbers its bytes from 4294967295 on,
                 written as 0; takes up to 1460 bytes a packet
  2     1.000  server  SYN ACK      0      1      0        1000          0
               SYN: the server agrees, and numbers its own bytes from 1000 on, written as 0; takes
                 up to 1460 bytes a packet
               ack = 0 + 1 = 1, because SYN counts as one (raw 4294967295 + 1 = 0)
  3     2.000  client  ACK          1      1      0           0       1001
               ack = 0 + 1 = 1, because SYN counts as one (raw 1000 + 1 = 1001)
               the handshake is done: 3 packets, 0 bytes of data
  4     3.000  client  PSH ACK      1      1     82           0       1001
               PREFACE, 24 bytes: the words that open HTTP/2
               HEADERS, 38 bytes, stream 1: POST /heartline.v1.SessionService/Connect; 2 fields of
                 52 letters in 29 bytes
               DATA, 20 bytes, stream 1: ask me; 20 = 9 (HTTP/2) + 5 (gRPC) + 6
  5     4.000  server  PSH ACK      1     83     33        1001         82
               ack = 1 + 82 = 83: the seq of packet 4 plus its length, so all of it has arrived
               HEADERS, 10 bytes, stream 1: status 200; 1 field of 10 letters in 1 byte, as numbers
                 of a table that both sides keep
               DATA, 23 bytes, stream 1: it events; 23 = 9 (HTTP/2) + 5 (gRPC) + 9
  6     5.000  client  FIN ACK     83     34      0          82       1034
               ack = 1 + 33 = 34: the seq of packet 5 plus its length, so all of it has arrived
               FIN: the client has nothing more to send; FIN counts as one
  7     6.000  server  ACK         34     84      0        1034         83
               ack = 83 + 1 = 84, because FIN counts as one (raw 82 + 1 = 83)
  8     7.000  server  FIN ACK     34     84      0        1034         83
               FIN: the server has nothing more to send; FIN counts as one
  9     8.000  client  ACK         84     35      0          83       1035
               ack = 34 + 1 = 35, because FIN counts as one (raw 1034 + 1 = 1035)

SYN  1 (client), 2 (server)  opened a direction, and counted as one in it
ACK  8 of 9 packets          said how far the other side's bytes have arrived
PSH  4 (client), 5 (server)  brought data, to be handed on at once; none with data lacked it
FIN  6 (client), 8 (server)  closed a direction, and counted as one in it
RST  none seen
URG  none seen
Closing: the client closed first, in packet 6, without a GOAWAY before; client's FIN in 6, its ACK
in 7, server's FIN in 8, its ACK in 9: 4 packets."""

ADDED_UP = """\
packet  from    message                         bytes  packet's bytes
     4  client  ask me                              6             122
     5  server  it events                           9              73

9 packets and 483 bytes, for messages of 6 bytes from the client and 9 from the server.
2 of the packets carry calls. The other 7 belong to the connection: 3 open it, 4 close it.
Of the bytes 100 are HTTP/2's and gRPC's, 368 TCP's and IP's; the messages are 3%."""
