"""Judges what TCP's own packets and sockets showed. Pure."""

from dataclasses import dataclass

from heartline_lab.claims.parts import Part, ms


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a connection began."""

    packets: tuple[str, ...]
    """Flags of the first three, as "client SYN"."""
    payloads: tuple[int, ...]
    """Bytes that each of them carried."""
    ahead: tuple[int, ...]
    """By how much the SYN+ACK's, and then the ACK's acknowledgement exceeds the number that it answers."""
    fast_open_payload: int
    """Bytes in the SYN of a connection with TCP Fast Open."""
    fast_open_ahead: int
    """By how much its SYN+ACK's acknowledgement exceeds the SYN's number."""


def handshake(facts: Handshake) -> list[Part]:
    """Statement 4."""
    three = ("client SYN", "server SYN+ACK", "client ACK")
    carried = ", ".join(map(str, facts.payloads))
    ahead = " and ".join(f"seq + {one}" for one in facts.ahead)
    payload, beyond = facts.fast_open_payload, facts.fast_open_ahead
    return [
        Part("three packets begin a connection", ", ".join(facts.packets), facts.packets == three),
        Part("they carry no data", f"{carried} bytes", not any(facts.payloads)),
        Part("each acknowledges seq + 1", ahead, set(facts.ahead) == {1}),
        Part("a SYN never carries data", f"{payload} bytes in the SYN with TCP Fast Open", payload == 0, main=False),
        Part(
            "a SYN is always acknowledged with seq + 1",
            f"with TCP Fast Open with seq + {beyond}",
            beyond == 1,
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Closing:
    """The packets that ended connections, as "client FIN"; the ACK that a FIN and a RST carry as well is not named."""

    client_first: tuple[str, ...]
    """The client closed, and the server a while after."""
    server_first: tuple[str, ...]
    """The other way round."""
    at_once: tuple[str, ...]
    """The client closed, and the server as soon as it read that."""
    reset: tuple[str, ...]
    """The client closed with SO_LINGER 0."""


def closing(facts: Closing) -> list[Part]:
    """Statement 5."""
    client = ("client FIN", "server ACK", "server FIN", "client ACK")
    server = ("server FIN", "client ACK", "client FIN", "server ACK")
    return [
        Part(
            "closing takes four packets when the second side closes later",
            ", ".join(facts.client_first),
            facts.client_first == client,
        ),
        Part(
            "either side may begin", f"the server first: {', '.join(facts.server_first)}", facts.server_first == server
        ),
        Part(
            "it takes four also when the second side closes at once",
            f"{len(facts.at_once)}: {', '.join(facts.at_once)}",
            len(facts.at_once) == 4,
            main=False,
        ),
        Part(
            "there is no other way to close",
            f"a reset takes {len(facts.reset)}: {', '.join(facts.reset)}",
            len(facts.reset) == 4,
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class FiveTuples:
    """Many clients of one port."""

    clients: int
    tuples: int
    """Different five-tuples among them."""
    server_ports: int
    """Different ports on the server's side."""
    answered: float
    """Seconds until one more client had its answer, while all others waited for theirs."""
    udp_beside: bool
    """Whether a UDP socket could have the server's address and port at the same time."""
    shared_source: int
    """Connections that one client's address and port held at the same time, to different ports."""
    twice: str
    """The error of a second connection with a five-tuple that is in use; empty when there was none."""


def five_tuples(facts: FiveTuples) -> list[Part]:
    """Statement 8."""
    return [
        Part(
            "a connection is told apart by its five-tuple",
            f"{facts.clients} connections, {facts.tuples} five-tuples; the same one a second time: "
            f"{facts.twice or 'no error'}",
            facts.tuples == facts.clients and facts.twice != "",
        ),
        Part(
            "all of it counts, not one port, and the protocol too",
            f"one client port held {facts.shared_source} connections, to different ports; a UDP socket on the server's "
            f"port: {'allowed' if facts.udp_beside else 'refused'}",
            facts.shared_source > 1 and facts.udp_beside,
        ),
        Part("many clients on one port", f"server ports used: {facts.server_ports}", facts.server_ports == 1),
        Part(
            "the server goes on listening while it serves others",
            f"one more client was answered in {ms(facts.answered)}, while {facts.clients} waited",
            facts.answered < 1,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Sockets:
    """A TCP socket and a UDP socket that each sent two pieces to a peer."""

    tcp_protocol: int
    """What the kernel says that the socket speaks: 6 is TCP."""
    tcp_reads: tuple[int, ...]
    """Bytes of each read."""
    udp_protocol: int
    """17 is UDP."""
    udp_reads: tuple[int, ...]
    sent: tuple[int, ...]
    """Bytes of each piece."""


def sockets(facts: Sockets) -> list[Part]:
    """Statement 16."""
    sent = " and ".join(map(str, facts.sent))
    tcp, udp = (", ".join(map(str, reads)) for reads in (facts.tcp_reads, facts.udp_reads))
    return [
        Part(
            "a socket may use TCP",
            f"protocol {facts.tcp_protocol}; sent {sent} bytes, read {tcp}: a stream, without borders",
            facts.tcp_protocol == 6 and sum(facts.tcp_reads) == sum(facts.sent),
        ),
        Part(
            "a socket may use UDP",
            f"protocol {facts.udp_protocol}; sent {sent} bytes, read {udp}: datagrams, each for itself",
            facts.udp_protocol == 17 and facts.udp_reads == facts.sent,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Flow:
    """What TCP did when nobody read, and when packets were lost."""

    unread: int
    """Bytes that it took before it stopped, while nobody read."""
    window: int
    """Bytes that the receiver's window still offered then."""
    resumed: bool
    """Whether it went on when somebody read."""
    lost_share: float
    """The share of packets that were thrown away on their way."""
    sent: int
    """Bytes sent in spite of that."""
    intact: bool
    """Whether they arrived, all and in order."""
    retransmitted: int
    """Packets that TCP sent again."""
    reordered: int
    """Packets that came out of order, and that TCP put in order."""
    congestion: tuple[int, int]
    """The deepest fall of the sender's congestion window, in packets: from and to."""
    datagrams: tuple[int, int]
    """UDP with the same loss: sent, and arrived."""


def flow(facts: Flow) -> list[Part]:
    """Statement 19."""
    alone = not (facts.intact and facts.retransmitted)
    sent, arrived = facts.datagrams
    peak, trough = facts.congestion
    return [
        Part(
            "TCP does flow control",
            f"with nobody reading it stopped after {facts.unread:,} bytes, the receiver's window at {facts.window}; "
            f"with somebody reading it {'went on' if facts.resumed else 'did not go on'}",
            facts.resumed and facts.window < facts.unread,
        ),
        Part(
            "that is its job; loss and order are not its business",
            f"with {facts.lost_share:.0%} of packets lost, {facts.sent:,} bytes came "
            f"{'whole and in order' if facts.intact else 'damaged'}: {facts.retransmitted} packets sent again, "
            f"{facts.reordered} put in order; of {sent} UDP datagrams {arrived} came",
            alone,
        ),
        Part(
            "the receiver alone sets the pace",
            f"when packets were lost, the sender's own congestion window fell from {peak} to {trough} packets",
            trough >= peak,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Flags:
    """Which flags were seen set in captured packets."""

    usual: tuple[str, ...]
    """On connections as this kernel makes them."""
    ecn: tuple[str, ...]
    """In the handshake of one that offers Explicit Congestion Notification."""


SIX = {"SYN", "ACK", "PSH", "FIN", "RST", "URG"}


def flags(facts: Flags) -> list[Part]:
    """Statement 20."""
    seen = sorted(set(facts.usual) | set(facts.ecn))
    more = sorted(set(seen) - SIX)
    return [
        Part("these six are used", f"seen: {', '.join(facts.usual)}", set(facts.usual) >= SIX),
        Part(
            "there are six",
            f"seen: {len(seen)}; beside the six: {', '.join(more) or 'none'}, in the handshake that offers ECN",
            not more,
        ),
    ]
