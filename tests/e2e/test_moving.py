"""Sessions that move between two real nodes.

A thousand leave one that is told to stop, evenly, and none waits beyond its time. What spreads them is what the server
asks of each; so the windows are counted on that. When a client then really calls is up to its machine too: on a busy
one several timers fire late and together (real calls, of a mean of 50 in a window: at most 59 on two quiet cores, 182
with a busy loop on each, where what was asked has 51). So of that it is asked that nobody calls before its time, and
that all are back within LATE after it.
"""

import asyncio
from bisect import bisect
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import grpc.aio
import pytest
from e2e.process import Serving
from e2e.raw import OWN_CONNECTION, RawSession, calling, session
from e2e.test_nodes import told_of
from heartline.v1.session_service_pb2 import GOODBYE_REASON_REPLACED, ClientGoodbye
from redis_servers import one_redis

SESSIONS, CONNECTIONS = 1000, 10
DRAIN_TIMEOUT = 4.0
SPREAD = DRAIN_TIMEOUT / 2
"""Seconds over which the server spreads the returns."""
WINDOW = 0.1
LATE = 10.0
"""Seconds that a busy machine may take for the call itself. None of it is waited for on purpose."""


class Move(NamedTuple):
    """How one session moved: what was asked of it, how long it waited, and how long until it was welcome again."""

    asked: float
    waited: float
    took: float


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Serving]]:
    """Two nodes on one Redis."""
    flags = ("--drain-timeout", f"{DRAIN_TIMEOUT}s")
    with (
        one_redis(tmp_path) as redis,
        Serving(*flags, store=redis.url) as one,
        Serving(*flags, store=redis.url) as other,
    ):
        yield [one.ready(), other.ready()]


async def connections(stack: AsyncExitStack, address: str) -> list[grpc.aio.Channel]:
    """Connections that stand, so that no session waits for one."""
    made = [
        await stack.enter_async_context(grpc.aio.insecure_channel(address, options=OWN_CONNECTION))
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(channel.channel_ready() for channel in made))
    return made


async def move(old: RawSession, other: grpc.aio.Channel, client_id: str) -> Move:
    """Does what the drain frame asks, as every client has to."""
    asked = (await old.next("drain")).drain.reconnect_after.ToNanoseconds() / 1e9
    heard_at = monotonic()
    await asyncio.sleep(asked)
    successor, called_at = RawSession(other), monotonic()
    await successor.open(client_id=client_id, passive=True)
    took = monotonic() - heard_at
    await old.send(goodbye=ClientGoodbye(returning=True))
    await old.next("goodbye")
    return Move(asked, called_at - heard_at, took)


@pytest.mark.needs("redis")
async def test_of_a_thousand_sessions_no_tenth_of_a_second_gets_more_than_twice_its_share_and_none_waits_longer(
    two: list[Serving],
) -> None:
    names = [f"phone-{number}" for number in range(SESSIONS)]
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        here, there = [await connections(stack, node.address) for node in two]
        leaving = [RawSession(here[number % CONNECTIONS]) for number in range(SESSIONS)]
        await asyncio.gather(
            *(one.open(client_id=name, passive=True) for one, name in zip(leaving, names, strict=True))
        )
        moving = [
            asyncio.create_task(move(one, there[number % CONNECTIONS], names[number]))
            for number, one in enumerate(leaving)
        ]
        two[0].terminate()
        moves = await asyncio.gather(*moving)
        assert await two[0].ended() == 0
        asked = sorted(one.asked for one in moves)
        assert (
            max(bisect(asked, at + WINDOW) - number for number, at in enumerate(asked))
            <= 2 * SESSIONS * WINDOW / SPREAD
        )
        assert asked[-1] <= SPREAD
        assert [one for one in moves if not one.asked <= one.waited + 1e-3] == []
        assert [one for one in moves if one.took > one.asked + LATE] == []
        assert sorted(await told_of(two[1].address)) == sorted((name, "true") for name in names)


@pytest.mark.needs("redis")
async def test_a_session_that_follows_one_at_another_node_ends_that_one(two: list[Serving]) -> None:
    one, other = (node.address for node in two)
    async with session(one, client_id="phone-7", passive=True) as old, calling(other) as calls:
        # What the other node goes by is who holds the client, so that has to be stored.
        await calls.until("$presence", 1)
        async with session(other, client_id="phone-7", passive=True, replaces=old.welcome.session_id):
            assert (await old.next("goodbye")).goodbye.reason == GOODBYE_REASON_REPLACED
            assert await told_of(other) == [("phone-7", "true")]
