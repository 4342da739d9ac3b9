"""The faults (rows), the detectors (columns) and the sides: what each is, and what it takes to measure it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["client", "server"]
SIDES: tuple[Side, Side] = ("client", "server")

Kernel = Literal["tells", "answers", "proxied", "silent"]
"""What the kernel at the other end of the connection does after the fault: it says FIN or RST; it acknowledges although
the program does nothing; it is a proxy's, which lives; or nothing of it arrives or gets through."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to lose a peer."""

    name: str
    title: str
    what: str
    kernel: Kernel

    @property
    def hits_network(self) -> bool:
        """Both programs live on, and each side is to notice; otherwise one of them is hit, and the other is to."""
        return self.kernel == "silent"


@dataclass(frozen=True, slots=True)
class Detector:
    """One way to notice it."""

    name: str
    title: str
    what: str
    judges_tcp: bool
    """It judges by what a kernel acknowledges, so a relay, whose own kernel does, must not stand in for a network."""


@dataclass(frozen=True, slots=True)
class Run:
    """One server and one client, and one fault. `victim` is the end that is hit, None for the network."""

    fault: Fault
    victim: Side | None

    @property
    def watchers(self) -> tuple[Side, ...]:
        """Who is to notice."""
        return tuple(side for side in SIDES if side != self.victim)


FAULTS: tuple[Fault, ...] = (
    Fault("close", "clean close (FIN)", "the program ends, and its kernel closes its connections with FIN", "tells"),
    Fault("crash", "crash (RST)", "the program ends, and its kernel resets its connections with RST", "tells"),
    Fault("power", "power off, cable out", "nothing arrives any more, in either direction", "silent"),
    Fault(
        "forgot",
        "middlebox forgot",
        "a middlebox drops, both ways and in silence, what belongs to the connections that there were; new ones work",
        "silent",
    ),
    Fault("stop", "stopped (SIGSTOP)", "the program is stopped; its kernel goes on", "answers"),
    Fault(
        "hang",
        "event loop hangs",
        "the program's event loop is blocked; its other threads and its kernel go on",
        "answers",
    ),
    Fault(
        "proxy",
        "dead behind a proxy",
        "the program is stopped, behind HAProxy, which terminates HTTP/2 (and TCP, for the raw sockets)",
        "proxied",
    ),
    Fault("lost-up", "lost to the server", "what the client sends is lost; what the server sends arrives", "silent"),
    Fault("lost-down", "lost to the client", "what the server sends is lost; what the client sends arrives", "silent"),
)

DETECTORS: tuple[Detector, ...] = (
    Detector("read", "TCP reads", "a TCP socket that only reads", judges_tcp=False),
    Detector("write", "TCP writes", "a TCP socket that only writes, once an interval", judges_tcp=True),
    Detector(
        "keepalive-system",
        "keepalive, system",
        "SO_KEEPALIVE as this machine is set, on a socket that reads",
        judges_tcp=True,
    ),
    Detector(
        "keepalive-tuned",
        "keepalive, tuned",
        "SO_KEEPALIVE: TCP_KEEPIDLE the interval, then probes each second for the timeout",
        judges_tcp=True,
    ),
    Detector(
        "user-timeout",
        "user timeout",
        "TCP_USER_TIMEOUT the timeout, on a socket that writes once an interval",
        judges_tcp=True,
    ),
    Detector("grpc-keepalive", "gRPC PING", "gRPC's keepalive, with all that it needs to act", judges_tcp=False),
    Detector("heartbeat", "Heartline heartbeat", "a Heartline session", judges_tcp=False),
    Detector(
        "lease",
        "check-in lease",
        "a CheckIn once an interval, answered within the timeout; its lease lasts for both together",
        judges_tcp=False,
    ),
)


def runs(faults: Sequence[Fault]) -> Iterator[Run]:
    """What must be run to fill the rows of these faults, on both sides."""
    for fault in faults:
        if fault.hits_network:
            yield Run(fault, None)
        else:
            yield from (Run(fault, victim) for victim in SIDES)
