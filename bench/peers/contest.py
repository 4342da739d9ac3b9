"""Who is compared: Heartline, bare gRPC, and the peers that this machine has.

Rules: all of them bring the same payloads, from the same publisher's hand to the same subscribers.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass

from heartline.v1.events_pb2 import Position

from bench import floor_server, messages, servers
from bench.messages import CHANNEL, PAYLOAD, STAND_IN_EPOCH, stand_in
from bench.peers import protocols
from bench.peers.audience import Audience, audience
from bench.peers.programs import PEERS
from bench.peers.protocols import Protocol
from bench.plan import Plan
from bench.push import learn
from bench.script import CONNECT, PUBLISH
from bench.servers import Server

HEARTLINE = "Heartline"
FLOOR = "bare grpc.aio"
TUNED = "bare grpc.aio, tuned"
"""On Heartline's event loop and threads."""
MARK = PAYLOAD[-16:]
"""What ends each event, and occurs nowhere else."""
_POSITION = Position(channel=CHANNEL, epoch=STAND_IN_EPOCH).SerializeToString().removesuffix(STAND_IN_EPOCH.encode())
"""What tells, once, that a session is subscribed: the beginning of a position, up to its epoch."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to compare."""

    name: str
    serving: Callable[[], AbstractAsyncContextManager[Server]]
    protocol: Protocol

    @contextmanager
    def audience(self, server: Server, count: int) -> Iterator[Audience]:
        """So many subscribers of its server."""
        with audience(server, self.protocol, MARK) as listening:
            listening.join(count)
            yield listening


async def contestants(plan: Plan, *bursts: int) -> list[Contestant]:
    """Heartline, the floor, and the peers, for bursts of so many events; those that are missing are told."""
    requests = {events: messages.publish([""] * events) for events in bursts}
    role = stand_in(*requests.values())
    async with plan.server(role) as server:
        script = await learn(server, *requests.values())
    spoken = protocols.grpc(
        CONNECT,
        lambda number: messages.hello(f"subscriber-{number}"),
        _POSITION,
        PUBLISH,
        lambda events: requests[events],
    )
    for peer in PEERS:
        if peer.path is None:
            print(f"bench: without {peer.name}: to have it compared, {peer.remedy}", file=sys.stderr)
    return [
        Contestant(HEARTLINE, lambda: plan.server(role), spoken),
        Contestant(FLOOR, lambda: plan.floor(script), spoken),
        Contestant(TUNED, lambda: servers.floor(script, floor_server.TUNED), spoken),
        *(Contestant(peer.name, peer.serving, peer.protocol(PAYLOAD)) for peer in PEERS if peer.path),
    ]
