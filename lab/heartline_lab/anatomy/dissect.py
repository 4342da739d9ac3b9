"""Packets taken apart into TCP connections: who is who, sequence numbers, flags, payload. Pure.

Rules:
- A connection begins with the SYN that was captured; packets of one that began earlier are left out, since neither its
  sequence numbers nor its header compression could be followed.
- Relative numbers count from each side's own first one, as Wireshark has it: 0 is the SYN.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import dpkt

FLAGS = ("SYN", "ACK", "PSH", "FIN", "RST", "URG")
"""The six that steer a connection, in the order in which they tend to come."""

_BITS = {
    "SYN": dpkt.tcp.TH_SYN,
    "ACK": dpkt.tcp.TH_ACK,
    "PSH": dpkt.tcp.TH_PUSH,
    "FIN": dpkt.tcp.TH_FIN,
    "RST": dpkt.tcp.TH_RST,
    "URG": dpkt.tcp.TH_URG,
}
_WRAP = 2**32


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as it was captured."""

    at: float
    """Seconds since 1970."""
    raw: bytes
    """From its Ethernet header on."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One packet of a connection."""

    number: int
    """Its place in the connection, from 1."""
    at: float
    """Seconds since the connection's first packet."""
    from_client: bool
    flags: frozenset[str]
    seq: int
    """Relative; `raw_seq` is what the packet says."""
    raw_seq: int
    ack: int
    """Relative; 0 without ACK."""
    raw_ack: int
    payload: bytes
    size: int
    """Bytes of the packet without the Ethernet header: IP header, TCP header and payload."""
    largest: int
    """What a SYN says of the most payload that its sender takes in a packet (MSS); 0 in others."""

    @property
    def next_seq(self) -> int:
        """The relative number that follows this packet: a SYN and a FIN count as one byte each."""
        return self.seq + len(self.payload) + len(self.flags & {"SYN", "FIN"})

    def has(self, *flags: str) -> bool:
        """Whether it carries all these flags."""
        return self.flags.issuperset(flags)


@dataclass(slots=True)
class Connection:
    """One TCP connection from its SYN on; the client is who sent that."""

    client: tuple[str, int]
    server: tuple[str, int]
    began_at: float
    """Seconds since 1970."""
    segments: list[Segment] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)
    """The segments as they were captured, one each."""

    @property
    def ended(self) -> bool:
        """Whether one side has reset it, or both have sent a FIN that the other acknowledged."""
        return any(segment.has("RST") for segment in self.segments) or (self._closed(True) and self._closed(False))

    def fin(self, from_client: bool) -> Segment | None:
        """The packet with which this side closed."""
        return next((one for one in self.segments if one.has("FIN") and one.from_client is from_client), None)

    def _closed(self, from_client: bool) -> bool:
        fin = self.fin(from_client)
        answers = (one.ack for one in self.segments if one.from_client is not from_client)
        return fin is not None and any(ack >= fin.next_seq for ack in answers)


def connections(packets: Iterable[Packet]) -> list[Connection]:
    """The connections that began in these packets, in the order of their beginning."""
    begun: list[Connection] = []
    live: dict[frozenset[tuple[str, int]], _Numbering] = {}
    for packet in packets:
        ip = dpkt.ethernet.Ethernet(packet.raw).data
        if not isinstance(ip, dpkt.ip.IP) or not isinstance(ip.data, dpkt.tcp.TCP):
            continue
        tcp = ip.data
        source, target = (_dotted(ip.src), tcp.sport), (_dotted(ip.dst), tcp.dport)
        ends = frozenset((source, target))
        flags = frozenset(flag for flag, bit in _BITS.items() if tcp.flags & bit)
        if flags == {"SYN"} and (ends not in live or live[ends].connection.ended):
            live[ends] = _Numbering(Connection(source, target, packet.at))
            begun.append(live[ends].connection)
        if ends in live:
            live[ends].add(packet, source, flags, ip)
    return begun


def _dotted(address: bytes) -> str:
    """An IPv4 address as people write it."""
    return ".".join(map(str, address))


class _Numbering:
    """Turns what the packets of one connection say into relative numbers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._first: dict[bool, int] = {}

    def add(self, packet: Packet, source: tuple[str, int], flags: frozenset[str], ip: dpkt.ip.IP) -> None:
        tcp, connection = ip.data, self.connection
        mine = source == connection.client
        first = self._first.setdefault(mine, tcp.seq)
        acknowledged = self._first.get(not mine) if "ACK" in flags else None
        segment = Segment(
            number=len(connection.segments) + 1,
            at=packet.at - connection.began_at,
            from_client=mine,
            flags=flags,
            seq=(tcp.seq - first) % _WRAP,
            raw_seq=tcp.seq,
            ack=0 if acknowledged is None else (tcp.ack - acknowledged) % _WRAP,
            raw_ack=tcp.ack,
            payload=bytes(tcp.data),
            size=ip.len,
            largest=_largest(tcp.opts),
        )
        connection.packets.append(packet)
        connection.segments.append(segment)


def _largest(options: bytes) -> int:
    return next(
        (int.from_bytes(data) for kind, data in dpkt.tcp.parse_opts(options) if kind == dpkt.tcp.TCP_OPT_MSS), 0
    )


def streams(connection: Connection, from_client: bool) -> Sequence[tuple[Segment, bytes]]:
    """One side's bytes in order, each once, with the packet that brought them; what never came ends it."""
    wanted, brought = 1, []
    for segment in sorted((one for one in connection.segments if one.from_client is from_client), key=_seq):
        if segment.seq > wanted:
            break
        fresh = segment.payload[wanted - segment.seq :] if not segment.has("SYN") else b""
        if fresh:
            brought.append((segment, fresh))
            wanted += len(fresh)
    return brought


def _seq(segment: Segment) -> int:
    return segment.seq
