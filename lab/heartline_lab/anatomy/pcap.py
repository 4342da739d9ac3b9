"""Packets in the file format of Wireshark and tcpdump. Pure."""

from collections.abc import Iterable
from io import BytesIO

import dpkt

from heartline_lab.anatomy.dissect import Connection

_WHOLE = 2**18
"""More than any packet: none is cut."""


def pcap(connections: Iterable[Connection]) -> bytes:
    """The packets of these connections as a pcap file."""
    file = BytesIO()
    writer = dpkt.pcap.Writer(file, snaplen=_WHOLE)
    for connection in connections:
        for packet in connection.packets:
            writer.writepkt(packet.raw, packet.at)
    return file.getvalue()
