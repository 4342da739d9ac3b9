"""Plain sockets, and what the kernel tells of them.

Rules:
- On loopback a connection is there, and a packet has arrived, when the call returns; so nothing here waits long.
- Packets are lost where the kernel hands them to a socket: a filter on that throws them away before TCP has seen them.
  It touches no other socket, and needs root on some kernels alone.
"""

import asyncio
import os
import socket
import struct
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from heartline_lab.claims.measuring.networks import Network
from heartline_lab.sockets import attach_filter, end_with_reset

HOST = "127.0.0.1"

_CONGESTION_WINDOW, _TOTAL_RETRANS = 80, 100
_SEGMENTS_OUT, _SEGMENTS_IN, _REORDERED, _SEND_WINDOW = 136, 140, 224, 228
"""Offsets in Linux's struct tcp_info."""

_STATES = ["", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT"]
_STATES += ["LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV"]
"""As the kernel numbers them."""

_SO_DETACH_FILTER = 27
_LOAD, _MODULO, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x94, 0x35, 0x06
_RANDOM = 0xFFFFF000 + 56
"""Where classic BPF reads a random number: SKF_AD_OFF + SKF_AD_RANDOM."""
_ALL_OF_IT = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Info:
    """What TCP_INFO says of a connection."""

    state: str
    congestion_window: int
    """Packets that may be under way at a time."""
    retransmitted: int
    segments_out: int
    segments_in: int
    reordered: int
    """Packets that came out of order."""
    window: int
    """Bytes that the peer's last window offered."""


def info(of: socket.socket) -> Info:
    """Asks the kernel."""
    raw = of.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    at = [_CONGESTION_WINDOW, _TOTAL_RETRANS, _SEGMENTS_OUT, _SEGMENTS_IN, _REORDERED, _SEND_WINDOW]
    return Info(_STATES[raw[0]], *(struct.unpack_from("@I", raw, offset)[0] for offset in at))


def timers(of: socket.socket) -> int:
    """How many timers the kernel has armed for a connection of this thread's network: 0 or 1."""
    inode = os.fstat(of.fileno()).st_ino
    for line in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[9]) == inode:
            return int(fields[5].split(":")[0] != "00")
    raise LookupError("the kernel does not list this connection")


def listening(host: str = HOST) -> socket.socket:
    """A socket that listens on a free port."""
    return socket.create_server((host, 0), backlog=256)


def connected(listener: socket.socket, network: Network | None = None) -> tuple[socket.socket, socket.socket]:
    """A client's socket and the server's, joined; the client may be in another network."""
    with network.entered() if network else nullcontext():
        client = socket.create_connection(listener.getsockname(), timeout=5)
    server, _ = listener.accept()
    for one in (client, server):
        one.setblocking(False)
    return client, server


def reset(one: socket.socket) -> None:
    """Closes it with RST."""
    end_with_reset(one)
    one.close()


async def noticed(one: socket.socket, within: float) -> float | None:
    """Seconds until a read finds the end or an error; None when nothing came within so many."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(within):
            while await loop.sock_recv(one, 65536):
                pass
    except TimeoutError as error:
        # ETIMEDOUT, by which the kernel gives a connection up, is a TimeoutError too.
        if error.errno is None:
            return None
    except OSError:
        pass
    return loop.time() - began


async def arrives(sender: socket.socket, receiver: socket.socket, within: float) -> float | None:
    """Sends a byte; seconds until it is there, or None when it was not within so many."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await loop.sock_sendall(sender, b"!")
    try:
        async with asyncio.timeout(within):
            await loop.sock_recv(receiver, 1)
    except TimeoutError:
        return None
    return loop.time() - began


def lose(receiver: socket.socket, percent: int) -> None:
    """From now on this share of the packets to a socket is lost, by chance."""
    program = [
        (_LOAD, 0, 0, _RANDOM),
        (_MODULO, 0, 0, 100),
        (_JUMP_IF_AT_LEAST, 1, 0, percent),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, _ALL_OF_IT),
    ]
    attach_filter(receiver, program)


def lose_nothing(receiver: socket.socket) -> None:
    """Ends what `lose` began."""
    receiver.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
