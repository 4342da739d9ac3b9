"""Connections of a few packets, captured, as names such as "client SYN"."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from socket import socket

from heartline_lab.anatomy.capture import Capture
from heartline_lab.anatomy.dissect import FLAGS, Connection, Segment, connections
from heartline_lab.claims.measuring.networks import Network
from heartline_lab.claims.measuring.sockets import listening

GUARD = 10.0
"""Seconds within which packets must have come."""


@dataclass(slots=True)
class Tap:
    """A listening socket, and what is captured on its port."""

    listener: socket
    capture: Capture

    async def until(self, done: Callable[[Connection], bool]) -> Connection:
        """The first connection, when `done` says so of it. Raises TimeoutError."""
        await self.capture.until(lambda packets: any(map(done, connections(packets)[:1])), GUARD)
        return connections(self.capture.packets)[0]


@asynccontextmanager
async def tapped(network: Network | None = None) -> AsyncIterator[Tap]:
    """Listens on a free port, and captures what happens there, in this network or in another."""
    with ExitStack() as inside:
        if network is not None:
            inside.enter_context(network.entered())
        listener = listening()
        capture = Capture(listener.getsockname()[1])
        # Only making its socket happens in there: it begins without waiting for anything.
        await capture.__aenter__()
    try:
        with listener:
            yield Tap(listener, capture)
    finally:
        await capture.__aexit__()


def named(segments: Sequence[Segment]) -> tuple[str, ...]:
    """Who sent each, and its flags; the ACK that nearly every packet carries is named where nothing else is."""
    return tuple(f"{'client' if one.from_client else 'server'} {_flags(one)}" for one in segments)


def _flags(segment: Segment) -> str:
    quiet = {"ACK"} if segment.flags & {"FIN", "RST"} else set()
    return "+".join(flag for flag in FLAGS if flag in segment.flags - quiet)
