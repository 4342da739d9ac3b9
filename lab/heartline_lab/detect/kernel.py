"""How patient this machine's kernel is with TCP connections: its live settings, and what follows from them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

NAMES = ("tcp_keepalive_time", "tcp_keepalive_intvl", "tcp_keepalive_probes", "tcp_retries2")
"""The settings below /proc/sys/net/ipv4 that are read."""

_FIRST_WAIT, _LONGEST_WAIT, _DOUBLINGS = 0.2, 120.0, 9
"""Linux's bounds on the wait between two retransmissions, in seconds, and how often the first one can be doubled."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """The settings, each by its own name."""

    tcp_keepalive_time: int
    tcp_keepalive_intvl: int
    tcp_keepalive_probes: int
    tcp_retries2: int

    @property
    def keepalive_seconds(self) -> int:
        """How long a silent peer is borne on a socket whose SO_KEEPALIVE is on, and untuned."""
        return self.tcp_keepalive_time + self.tcp_keepalive_intvl * self.tcp_keepalive_probes

    @property
    def unacknowledged_seconds(self) -> float:
        """How long data may go unacknowledged, about: longer on a slow path."""
        doublings = min(self.tcp_retries2, _DOUBLINGS)
        return ((2 << doublings) - 1) * _FIRST_WAIT + (self.tcp_retries2 - doublings) * _LONGEST_WAIT


def parse(texts: Mapping[str, str]) -> Kernel:
    """From what the kernel's files hold."""
    return Kernel(**{name: int(texts[name]) for name in NAMES})
