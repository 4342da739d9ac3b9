"""Judges what became of connections that a side, a fault or silence ended, or did not. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from heartline_lab.claims.parts import Part, ms, s

SLACK = 0.5
"""Seconds more than its bound that something may take on a busy machine, where others have to hear of it."""


def when(seconds: float | None, unit: Callable[[float], str] = s) -> str:
    """When something was noticed."""
    return "never noticed" if seconds is None else f"noticed after {unit(seconds)}"


@dataclass(frozen=True, slots=True)
class LongConnection:
    """One that was left alone, and those that came to an end. Seconds; None: not within the watch."""

    idle: float
    """How long nothing was said on it."""
    timers: int
    """Timers that the kernel had armed for it at the end of that."""
    answered: bool
    """Whether it still worked after that."""
    closed_after: float | None
    """From the other side's close to its notice; likewise the next two."""
    reset_after: float | None
    patience: float
    """The silence after which a middlebox ends a connection."""
    cut_after: float | None
    outage: float
    """How long nothing got through, in either direction."""
    delivered_after: float | None
    """From the outage's end to the arrival of what was sent during it."""


def long_connection(facts: LongConnection) -> list[Part]:
    """Statement 2."""
    survived = facts.delivered_after is not None
    arrived = f"arrived {s(facts.delivered_after)} after its end" if facts.delivered_after is not None else "was lost"
    return [
        Part(
            "a long connection lasts by itself",
            f"{s(facts.idle)} of silence, timers that the kernel runs for it: {facts.timers}; then it "
            f"{'worked' if facts.answered else 'did not work'}",
            facts.answered and facts.timers == 0,
        ),
        Part("a side's close ends it", when(facts.closed_after, ms), facts.closed_after is not None),
        Part("a fault ends it: a reset", when(facts.reset_after, ms), facts.reset_after is not None),
        Part(
            "a middlebox that dislikes silence ends it",
            f"`heartline middlebox` set to reset what is idle for {facts.patience:g} s: {when(facts.cut_after)}",
            facts.cut_after is not None,
        ),
        Part(
            "every fault ends it",
            f"nothing got through for {s(facts.outage)}; what was sent meanwhile {arrived}",
            not survived,
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Firewall:
    """Connections through a Linux firewall that forgets those that are idle."""

    patience: float
    """Seconds of silence that it bears, as set for the test."""
    default: int
    """Seconds, as Linux has it."""
    silence: float
    """How long nothing was said on the first connection."""
    idle_arrived: bool
    """Whether what was said then arrived."""
    idle_told: bool
    """Whether either end was told anything: FIN, RST, or an error."""
    beat: float
    """Seconds between the heartbeats on the second."""
    kept_arrived: bool
    slow_beat: float
    """And on the third."""
    slow_arrived: bool


def firewall(facts: Firewall) -> list[Part]:
    """Statement 3."""
    fates = {True: "arrived", False: "did not arrive"}
    told = "and one end was told" if facts.idle_told else "and neither end was told"
    return [
        Part(
            "a firewall drops idle connections",
            f"netfilter, patience set to {facts.patience:g} s (Linux has {facts.default:,} s): after "
            f"{s(facts.silence)} of silence a byte {fates[facts.idle_arrived]}",
            not facts.idle_arrived,
        ),
        Part("it does so in silence", f"no answer, {told}", not facts.idle_told),
        Part(
            "heartbeats keep them",
            f"with one every {facts.beat:g} s a byte {fates[facts.kept_arrived]} after as long",
            facts.kept_arrived,
        ),
        Part(
            "any heartbeat does",
            f"with one every {facts.slow_beat:g} s a byte {fates[facts.slow_arrived]}",
            facts.slow_arrived,
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Silence:
    """What a server noticed of clients that went, in seconds; None: nothing within the watch."""

    closed_after: float | None
    """From a clean close to the end that a read found."""
    closed_state: str
    """The server's TCP state then."""
    watched: float
    """How long the server was watched after the cable was pulled."""
    segments: int
    """Packets that reached it in that time."""
    noticed_after: float | None
    """When a server that only reads noticed."""
    timers: int
    """Timers that the kernel had armed for its connection at the end: what could still tell it."""
    bound: float
    """Heartline's interval + timeout."""
    heartbeat_after: float | None
    """When `heartline serve` told that the client is offline."""
    user_timeout: float
    """What TCP_USER_TIMEOUT was set to on a server that writes."""
    writer_after: float | None
    """When that one noticed."""


def silence(facts: Silence) -> list[Part]:
    """Statement 11."""
    return [
        Part(
            "a clean close sends FIN",
            f"{when(facts.closed_after, ms)}; the server's side was in {facts.closed_state} then",
            facts.closed_after is not None and facts.closed_state == "CLOSE_WAIT",
        ),
        Part(
            "power or network loss sends nothing",
            f"cable pulled: {facts.segments} packets came in {s(facts.watched)}",
            facts.segments == 0,
        ),
        Part(
            "without a heartbeat a server that reads cannot know",
            f"{when(facts.noticed_after)} in {s(facts.watched)}, timers that the kernel runs for it: {facts.timers}",
            facts.noticed_after is None and facts.timers == 0,
        ),
        Part(
            f"with a heartbeat it knows, within interval + timeout ({facts.bound:g} s)",
            f"`heartline serve`: {when(facts.heartbeat_after)}",
            facts.heartbeat_after is not None and facts.heartbeat_after <= facts.bound + SLACK,
        ),
        Part(
            "nothing but a heartbeat tells it",
            f"a server that writes, with TCP_USER_TIMEOUT at {facts.user_timeout:g} s: {when(facts.writer_after)}",
            facts.writer_after is None,
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Keepalive:
    """SO_KEEPALIVE as it is by default, and tuned."""

    idle: int
    """Live sysctl values: seconds, seconds, probes."""
    interval: int
    probes: int
    tuned: tuple[int, int, int]
    """The same three, as set on sockets for the test."""
    cable_after: float | None
    """Seconds until a tuned socket noticed a pulled cable, and packets dropped on the way; None: never."""
    firewall_after: float | None
    connections: int
    """Idle connections with tuned keepalive whose cost was measured."""
    packets: float
    """A connection and second, both ways."""
    cpu_us: float
    """Of the process that holds them, a connection and second."""


TWO_HOURS = 7200
KEEPALIVE_PACKET = 52
"""Bytes of a probe, and of its answer, over IPv4 with timestamps, without what Ethernet adds."""


COSTS = 10
"""Microseconds of a process, a connection and second: a thousand connections would take a hundredth of a core."""


def keepalive(facts: Keepalive) -> list[Part]:
    """Statement 12."""
    whole = facts.idle + facts.interval * facts.probes
    tuned = "{} s, then {} s apart, {} probes".format(*facts.tuned)
    return [
        Part(
            "SO_KEEPALIVE waits two hours by default",
            f"this kernel: {facts.idle:,} s, then {facts.probes} probes {facts.interval} s apart",
            facts.idle == TWO_HOURS,
        ),
        Part(
            "it misses power-off and a pulled cable",
            f"tuned to {tuned}: {when(facts.cable_after)}; left as it is, it would take {whole:,} s",
            facts.cable_after is None,
        ),
        Part(
            "it misses a firewall that drops in silence",
            f"tuned to {tuned}: {when(facts.firewall_after)}",
            facts.firewall_after is None,
        ),
        Part(
            "tuned shorter it costs traffic",
            f"{facts.packets:.2f} packets a connection and second, {facts.packets * KEEPALIVE_PACKET:.0f} bytes "
            f"({facts.connections} connections)",
            facts.packets > 0,
            main=False,
        ),
        Part(
            "and it costs the program CPU",
            f"{facts.cpu_us:.1f} us a connection and second: the kernel asks and answers by itself",
            facts.cpu_us >= COSTS,
            main=False,
        ),
    ]
