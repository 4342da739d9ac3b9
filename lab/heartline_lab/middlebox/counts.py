"""What the middlebox counts: connections, bytes and segments each way, and how the bytes grew. Pure but for TCP_INFO.

Rules:
- All is counted on the client's side of the box. Bytes are payload: up, what came from the client, even if it got no
  further; down, what was handed on to it.
- Segments are packets of TCP, whatever they carry: the handshake's three, bare acknowledgements, data, FIN and reset.
  docs/middlebox.md says what the kernel does not tell.
"""

import socket
import struct
from dataclasses import dataclass

SAMPLES = 2048
"""How many samples a timeline keeps at most."""

_INFO = struct.Struct("@B135xII")
"""Of struct tcp_info in linux/tcp.h: tcpi_state, tcpi_segs_out, tcpi_segs_in."""
_CLOSED = 7
_RESETS = {1, 3, 4, 5, 8}
"""The states in which Linux tells the peer of an abort: ESTABLISHED, SYN_RECV, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What went one way."""

    bytes: int = 0
    segments: int = 0

    def __add__(self, other: "Flow") -> "Flow":
        return Flow(self.bytes + other.bytes, self.segments + other.segments)


@dataclass(frozen=True, slots=True)
class Record:
    """One connection. Times are seconds since the box opened."""

    opened_at: float
    closed_at: float | None
    """When it ended or was forgotten."""
    up: Flow
    down: Flow


@dataclass(frozen=True, slots=True)
class Totals:
    """All connections that there were; `open` of them still are."""

    connections: int = 0
    open: int = 0
    up: Flow = Flow()
    down: Flow = Flow()


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What the kernel tells of a connection that it accepted."""

    closed: bool
    resettable: bool
    """Whether an abort would send a reset."""
    segments_in: int
    """From the SYN on."""
    segments_out: int
    """From the SYN+ACK on, which Linux does not count, so it is added here."""


def tcp_info(accepted: socket.socket) -> TcpInfo:
    """Asks the kernel. Raises OSError."""
    raw = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    state, out, into = _INFO.unpack(raw)
    return TcpInfo(state == _CLOSED, state in _RESETS, into, out + 1)


class Timeline:
    """How the bytes of all connections grew: (seconds since the box opened, bytes up, bytes down), oldest first.

    Samples stand a period apart, at least; when there are too many, the period grows and those in between go.
    """

    def __init__(self) -> None:
        self.samples: list[tuple[float, int, int]] = [(0.0, 0, 0)]
        self._period = 0.02

    def add(self, at: float, up: int, down: int) -> None:
        """Counts bytes that came at that time."""
        _, last_up, last_down = self.samples[-1]
        sample = (at, last_up + up, last_down + down)
        if len(self.samples) > 1 and at - self.samples[-2][0] < self._period:
            self.samples[-1] = sample
            return
        self.samples.append(sample)
        if len(self.samples) > SAMPLES:
            self._thin()

    def _thin(self) -> None:
        first, *between, last = self.samples
        self._period = 2 * (last[0] - first[0]) / SAMPLES
        self.samples = [first]
        for sample in between:
            if sample[0] - self.samples[-1][0] >= self._period:
                self.samples.append(sample)
        self.samples.append(last)
