"""Nodes that share a store, in virtual time, and what a test does to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from heartline.v1.events_pb2 import Event
from heartline_service.presence.membership import BEAT_INTERVAL, NODE_LEASE
from service.peer import GRACE, House, Peer
from service.shared_memory import Shared, SharedMemoryStore
from virtual_time import settle, wall_clock

LOST = NODE_LEASE + GRACE
"""Seconds after which the clients of a node that died are gone."""
LATE = 2 * BEAT_INTERVAL


class Nodes:
    """Nodes that share a store."""

    def __init__(self) -> None:
        self.shared = Shared(wall_clock)
        self.houses: list[House] = []

    async def start(self) -> House:
        """One more."""
        house = House(SharedMemoryStore(self.shared))  # type: ignore[arg-type]
        await house.hub.start()
        self.houses.append(house)
        return house

    async def told(self) -> list[tuple[str, str, str]]:
        """What "$presence" told: client, whether online, and why."""
        await settle()
        stored = await self.shared.logs.read("$presence", 0, 1000, 2**20)
        told = [Event.FromString(one.body).attributes for one in stored]
        return [(one["client_id"], one["online"], one["reason"]) for one in told]


@asynccontextmanager
async def nodes(count: int = 2) -> AsyncIterator[Any]:
    """So many nodes, and what they share, with time enough gone that each may tell what has run out."""
    made = Nodes()
    houses = [await made.start() for _ in range(count)]
    await asyncio.sleep(LOST + LATE)
    yield (made, *houses)
    made.shared.away = False
    for house in made.houses:
        house.store.cut_off = False  # type: ignore[attr-defined]
        await house.hub.stop()


def cut_off(house: House, *, cut: bool = True) -> None:
    """Nothing goes from a node to the store any more."""
    house.store.cut_off = cut  # type: ignore[attr-defined]


async def here(house: House, client_id: str = "phone-7") -> Peer:
    """A client with a session that stays without heartbeats."""
    return await house.client(client_id, passive=True)


async def online(house: House, client_id: str = "phone-7") -> bool:
    """What a node says of a client."""
    return (await house.hub.presence(client_id))[0].online
