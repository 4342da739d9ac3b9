"""Conversations made by hand: packets as loopback would show them, without a socket."""

from collections.abc import Iterable

import dpkt
from heartline_lab.anatomy.dissect import Connection, Packet, connections
from hpack import Encoder
from hyperframe.frame import DataFrame, Frame, HeadersFrame

CLIENT, SERVER = 40000, 50051
FIRST = {True: 2**32 - 1, False: 1000}
"""The raw sequence numbers with which client and server begin: the client's first byte is number 0 again."""
_BITS = {
    "FIN": dpkt.tcp.TH_FIN,
    "SYN": dpkt.tcp.TH_SYN,
    "RST": dpkt.tcp.TH_RST,
    "PSH": dpkt.tcp.TH_PUSH,
    "ACK": dpkt.tcp.TH_ACK,
}
_MSS = bytes([dpkt.tcp.TCP_OPT_MSS, 4]) + (1460).to_bytes(2)


class Talk:
    """One connection; each method is a packet, a millisecond after the one before. Numbers are kept by themselves."""

    def __init__(self, port: int = CLIENT) -> None:
        self.packets: list[Packet] = []
        self._port = port
        self._next = dict(FIRST)
        self._encoders = {True: Encoder(), False: Encoder()}

    @property
    def connection(self) -> Connection:
        """The one connection that these packets are."""
        [connection] = connections(self.packets)
        return connection

    def open(self) -> None:
        """The handshake."""
        self.packet(True, "SYN", options=_MSS)
        self.packet(False, "SYN ACK", options=_MSS)
        self.packet(True, "ACK")

    def say(self, from_client: bool, *said: bytes) -> None:
        """Some data, which the other side acknowledges in a packet of its own."""
        self.packet(from_client, "PSH ACK", b"".join(said))
        self.packet(not from_client, "ACK")

    def close(self) -> None:
        """The client closes first, and each step is a packet."""
        for from_client in (True, False):
            self.packet(from_client, "FIN ACK")
            self.packet(not from_client, "ACK")

    def packet(
        self,
        from_client: bool,
        flags: str,
        data: bytes = b"",
        *,
        back: int = 0,
        ack: int | None = None,
        options: bytes = b"",
    ) -> None:
        """One packet; `back` bytes earlier than it is due, and with another (relative) acknowledgement than is due."""
        acked = self._next[not from_client] if ack is None else FIRST[not from_client] + ack
        tcp = dpkt.tcp.TCP(
            sport=self._port if from_client else SERVER,
            dport=SERVER if from_client else self._port,
            seq=(self._next[from_client] - back) % 2**32,
            ack=acked % 2**32 if "ACK" in flags else 0,
            flags=sum(_BITS[flag] for flag in flags.split()),
            opts=options,
            data=data,
        )
        tcp.off = (20 + len(options)) // 4
        ip = dpkt.ip.IP(src=b"\x7f\0\0\1", dst=b"\x7f\0\0\1", p=dpkt.ip.IP_PROTO_TCP, data=tcp)
        ip.len = len(ip)
        raw = bytes(dpkt.ethernet.Ethernet(data=ip, type=dpkt.ethernet.ETH_TYPE_IP))
        self.packets.append(Packet(1.7e9 + len(self.packets) / 1000, raw))
        self._next[from_client] += len(data) + ("SYN" in flags) + ("FIN" in flags) - back

    def headers(self, from_client: bool, stream: int, fields: Iterable[tuple[str, str]], flags: str = "") -> bytes:
        """A HEADERS frame, compressed with what this side said before."""
        block = self._encoders[from_client].encode(list(fields))
        return HeadersFrame(stream, block, flags=["END_HEADERS", *flags.split()]).serialize()


def message(body: bytes) -> bytes:
    """A gRPC message."""
    return b"\0" + len(body).to_bytes(4) + body


def data(stream: int, body: bytes, flags: str = "") -> bytes:
    """A DATA frame."""
    return DataFrame(stream, body, flags=flags.split()).serialize()


def frames(*some: Frame) -> bytes:
    """Any frames."""
    return b"".join(frame.serialize() for frame in some)
