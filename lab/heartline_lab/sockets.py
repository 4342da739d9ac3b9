"""What Linux does for a socket beyond what Python has words for."""

import ctypes
import socket
import struct
from collections.abc import Sequence

_SO_ATTACH_FILTER = 26
_AT_ONCE = struct.pack("@ii", 1, 0)


def attach_filter(to: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    """Lets a classic BPF program choose what the socket is handed: (code, jump if true, jump if false, k) each."""
    steps = ctypes.create_string_buffer(b"".join(struct.pack("@HBBI", *step) for step in program))
    to.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(steps)))


def keep_alive(one: socket.socket, idle: int, interval: int, probes: int) -> None:
    """Tunes SO_KEEPALIVE: seconds, seconds, and how many unanswered probes mean the end."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, probes)


def end_with_reset(one: socket.socket) -> None:
    """Whatever closes it, sends RST instead of FIN."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
