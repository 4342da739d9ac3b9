"""Judges what a real Heartline server and its clients knew of each other, and when. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from heartline_lab.claims.judging.faults import SLACK
from heartline_lab.claims.parts import Part, ms, s


@dataclass(frozen=True, slots=True)
class Looks:
    """A client that is online by short calls alone."""

    ttl: float
    """Seconds that each check-in holds."""
    looks: int
    """How often others looked while it renewed, for several times that long."""
    online: int
    """How often it was online then."""
    offline_after: float
    """Seconds from its last check-in until it was called offline."""
    timeout: float
    """Seconds that it waits for an answer."""
    unreachable: str
    """What it was told, and after how many seconds, when nothing got through."""
    unreachable_after: float
    stopped: str
    """What it was told when the network was whole and the server's process stopped."""


def looks(facts: Looks) -> list[Part]:
    """Statement 7."""
    return [
        Part(
            "over short connections a client looks online as long as it keeps asking",
            f"online in {facts.online} of {facts.looks} looks while it renewed a lease of {facts.ttl:g} s",
            facts.online == facts.looks > 0,
        ),
        Part(
            "the server calls it offline after silence",
            f"{s(facts.offline_after)} after its last call",
            facts.ttl <= facts.offline_after < facts.ttl + SLACK,
        ),
        Part(
            "after no answer the client gives up",
            f"{facts.unreachable} after {s(facts.unreachable_after)}, with {facts.timeout:g} s to wait",
            facts.unreachable == "DEADLINE_EXCEEDED",
        ),
        Part(
            "and the network is what is broken then",
            f"with the network whole and the server's process stopped: {facts.stopped}",
            facts.stopped != facts.unreachable,
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class News:
    """How events reached a client: with the request that brought each, and how late, in seconds."""

    interval: float
    """Between short polls."""
    polled: Sequence[float]
    waited: int
    """Of these, the events whose request was made after they were published."""
    held: Sequence[float]
    """By long polls."""
    held_back: int
    """Of these, the events whose request was made before they were published."""
    pushed: Sequence[float]
    """Those that came over one call, which lasted."""
    events: int
    """How many there were."""


def news(facts: News) -> list[Part]:
    """Statement 9."""
    return [
        Part(
            "over short connections news waits for the next request",
            f"{facts.waited} of {facts.events} events; {ms(middle(facts.polled))} late in the middle, "
            f"{ms(max(facts.polled))} at most, with a poll every {facts.interval:g} s",
            facts.waited > facts.events / 2,
        ),
        Part(
            "over a long one it is pushed",
            f"{len(facts.pushed)} of {facts.events} events, by one call; {ms(middle(facts.pushed))} late in the "
            f"middle, {ms(max(facts.pushed))} at most",
            len(facts.pushed) == facts.events,
        ),
        Part(
            "no short call brings news at once",
            f"long poll: for {facts.held_back} of {facts.events} events the request waited, not the news; "
            f"{ms(middle(facts.held))} late in the middle, {ms(max(facts.held))} at most",
            facts.held_back == 0,
            main=False,
        ),
    ]


def middle(values: Sequence[float]) -> float:
    """The median, the upper one of two."""
    return sorted(values)[len(values) // 2]


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """How heartbeats are answered, and what an unanswered one leads to."""

    answers: Sequence[float]
    """Seconds from each heartbeat to its answer."""
    bound: float
    """Heartline's interval + timeout, in seconds."""
    noticed_after: float | None
    """Seconds from the fault to the notice; None: it was not noticed."""
    logged: Sequence[str]
    """What the log said after the fault, by the states that it named."""
    told: Sequence[str]
    """The states that the user's callback was given."""
    online_after: float | None
    """Seconds from the fault's end to the next session."""


AT_ONCE = 0.05
"""Seconds: an answer this fast waited for nothing else."""


def heartbeats(facts: Heartbeats) -> list[Part]:
    """Statement 13."""
    noticed = "never" if facts.noticed_after is None else s(facts.noticed_after)
    again = "no" if facts.online_after is None else f"yes, {s(facts.online_after)} after the fault's end"
    return [
        Part(
            "a receiver answers a heartbeat at once",
            f"{len(facts.answers)} heartbeats, answered in {ms(middle(facts.answers))} in the middle",
            middle(facts.answers) < AT_ONCE,
        ),
        Part(
            f"no answer in time means broken (interval + timeout: {facts.bound:g} s)",
            f"nothing got through: noticed after {noticed}",
            facts.noticed_after is not None and facts.noticed_after <= facts.bound + SLACK,
        ),
        Part("reconnect", again, facts.online_after is not None),
        Part("log", f"logged: {', '.join(facts.logged)}", {"waiting", "online"} <= set(facts.logged)),
        Part("tell the user", f"callback: {', '.join(facts.told)}", {"waiting", "online"} <= set(facts.told)),
    ]


@dataclass(frozen=True, slots=True)
class Status:
    """Data that a heartbeat brought."""

    told: str
    """What the client had to say."""
    seen: str
    """What others saw of it."""
    seen_after: float
    """Seconds until then, by no other frame than heartbeats."""
    interval: float
    bare: int
    """Bytes of a heartbeat's frame without it, and with it."""
    carrying: int


def status(facts: Status) -> list[Part]:
    """Statement 15."""
    return [
        Part(
            "a heartbeat can carry useful data",
            f"told {facts.told!r}, others saw {facts.seen!r} after {s(facts.seen_after)}, with a heartbeat every "
            f"{facts.interval:g} s of silence",
            facts.seen == facts.told,
        ),
        Part(
            "it is still small then",
            f"{facts.carrying} bytes instead of {facts.bare}",
            facts.carrying < 1000,
        ),
    ]
