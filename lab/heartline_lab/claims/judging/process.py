"""Judges how sockets, ports, processes and threads belong together. Pure."""

from dataclasses import dataclass

from heartline_lab.claims.parts import Part


@dataclass(frozen=True, slots=True)
class Threads:
    """By how much the threads of a server grew while it accepted connections and held them."""

    connections: int
    plain: int
    """A loop of accept() alone."""
    heartline: int
    """`heartline serve`."""
    threading: int
    """Python's ThreadingTCPServer."""


def threads(facts: Threads) -> list[Part]:
    """Statement 17."""
    many = facts.connections
    return [
        Part(
            "accepting makes a thread", f"{many} connections accepted: {facts.plain} threads more", facts.plain >= many
        ),
        Part(
            "each server has a thread for each connection",
            f"`heartline serve`: {facts.heartline} threads more for {many} connections; ThreadingTCPServer, which is "
            f"written so: {facts.threading}",
            min(facts.heartline, facts.threading) >= many,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Listeners:
    """Which processes answered at one address, protocol and port."""

    second: str
    """The error of a second process that listens there; empty when there was none."""
    attempts: int
    """Connections made to each of the following."""
    reuseport: int
    """Processes that answered, each with a socket of its own and SO_REUSEPORT."""
    forked: int
    """Processes that answered, with one socket that they inherited."""


def listeners(facts: Listeners) -> list[Part]:
    """Statement 18."""
    return [
        Part("a second process that asks for the same is refused", facts.second or "no error", facts.second != ""),
        Part(
            "exactly one process is named, whatever the sockets' options",
            f"with SO_REUSEPORT {facts.reuseport} processes answered {facts.attempts} connections",
            facts.reuseport == 1,
        ),
        Part(
            "exactly one process has the socket",
            f"after fork() {facts.forked} processes answered {facts.attempts} connections",
            facts.forked == 1,
        ),
    ]
