"""What crosses the loopback device on one port, as the kernel saw it.

Rules:
- Needs Linux, and root or CAP_NET_RAW. IPv4 alone.
- Each packet once: everything on loopback goes out and comes in, and a socket for one protocol is shown what comes in.
- The filter sits in the kernel before the first packet can come, so other traffic costs nothing.
- Loopback is no Ethernet: its packets carry up to 64 KiB, so what would be many segments elsewhere is one here, and
  nobody fills in TCP checksums. Times are the kernel's and never go back.
"""

import asyncio
import errno
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Self

from heartline.cli.exits import CommandError, Exit

from heartline_lab.anatomy.dissect import Packet
from heartline_lab.sockets import attach_filter

__all__ = ["Capture", "Packet"]

_ETH_P_IP = 0x0800
_SO_TIMESTAMPNS = 35
_SO_RCVBUFFORCE = 33
_SOL_PACKET = 263
_PACKET_STATISTICS = 6

_BUFFER = 64 * 2**20
"""Bytes that the kernel may hold for us while this process is busy; without CAP_NET_ADMIN it grants less."""
_LARGEST = 2**17
"""Bytes: more than any packet on loopback."""
_AT_ONCE = 64
"""How many packets are taken before others in this process get a turn."""


class Capture:
    """Packets to or from one TCP port on loopback while the block lasts. `packets` grows as they come."""

    def __init__(self, port: int) -> None:
        self.packets: list[Packet] = []
        self.lost = 0
        """How many packets the kernel had to throw away; known after the block."""
        self._port = port
        self._came = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Begins. Raises CommandError where packets may not be captured."""
        self._socket = _listening(self._port)
        asyncio.get_running_loop().add_reader(self._socket, self._take)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        with self._socket:
            while self._take():
                pass
            counts = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        _, self.lost = struct.unpack("@II", counts)

    async def until(self, done: Callable[[Sequence[Packet]], bool], within: float) -> None:
        """Waits until the packets so far satisfy `done`. Raises TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while not done(self.packets):
                self._came.clear()
                await self._came.wait()

    async def quiet(self, seconds: float) -> None:
        """Waits until no packet has come for this long."""
        while True:
            self._came.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._came.wait()
            except TimeoutError:
                return

    def _take(self) -> bool:
        """Takes some packets; false when there are none left."""
        for _ in range(_AT_ONCE):
            try:
                raw, ancillary, _, _ = self._socket.recvmsg(_LARGEST, 64)
            except BlockingIOError:
                return False
            at = _time(ancillary)
            if self.packets:
                at = max(at, self.packets[-1].at)
            self.packets.append(Packet(at, raw))
            self._came.set()
        return True


def check_rights() -> None:
    """Raises CommandError where packets may not be captured."""
    _tap().close()


def _tap() -> socket.socket:
    if not hasattr(socket, "AF_PACKET"):
        raise CommandError("packets can be captured on Linux only", Exit.UNAVAILABLE)
    try:
        # Protocol 0 hears nothing: the filter is there before bind names the protocol.
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError:
        raise CommandError("capturing packets needs root or CAP_NET_RAW: try it with sudo", Exit.UNAVAILABLE) from None


def _listening(port: int) -> socket.socket:
    tap = _tap()
    try:
        attach_filter(tap, filter_program(port))
        _widen(tap)
        tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        tap.setblocking(False)
        tap.bind(("lo", _ETH_P_IP))
    except BaseException:
        tap.close()
        raise
    return tap


def filter_program(port: int) -> list[tuple[int, int, int, int]]:
    """TCP over IPv4 with this port on either side, in classic BPF: (code, jump if true, jump if false, k)."""
    load_byte, load_half, load_half_at_x, load_header_length = 0x30, 0x28, 0x48, 0xB1
    jump_equal, jump_bits, done = 0x15, 0x45, 0x06
    return [
        (load_byte, 0, 0, 23),  # the protocol
        (jump_equal, 0, 8, socket.IPPROTO_TCP),
        (load_half, 0, 0, 20),  # a later fragment has no ports
        (jump_bits, 6, 0, 0x1FFF),
        (load_header_length, 0, 0, 14),
        (load_half_at_x, 0, 0, 14),
        (jump_equal, 2, 0, port),
        (load_half_at_x, 0, 0, 16),
        (jump_equal, 0, 1, port),
        (done, 0, 0, _LARGEST),
        (done, 0, 0, 0),
    ]


def _widen(tap: socket.socket) -> None:
    try:
        tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)


def _time(ancillary: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("@ll", data)
            return float(seconds + nanoseconds / 1e9)
    return time.time()
