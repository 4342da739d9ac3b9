"""Two nodes on one Redis, behind HAProxy and behind nginx: to clients they are one server that does not go away."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import grpc.aio
import heartline
import pytest
from e2e.process import GUARD, ROOT, Serving
from e2e.proxies import HEALTH_CHECK, Running, haproxy, nginx
from e2e.raw import RawSession, calling, seconds, session, texts
from heartline.events import Start
from heartline.v1.events_pb2 import Position
from heartline_service.presence.membership import NODE_LEASE
from redis_servers import one_redis

PROXIES = [
    pytest.param(haproxy, id="haproxy", marks=pytest.mark.needs("redis", "haproxy")),
    pytest.param(nginx, id="nginx", marks=pytest.mark.needs("redis", "nginx")),
]
IDLE = 2
"""Seconds after which a proxy ends what is idle. Their own defaults are 50 and 60; ours, 15, is to them as 0.5 to 2."""
BEAT = 0.5
GRACE = 1.0
LISTENERS, PUBLISHERS, EACH = 20, 4, 50
QUICK: dict[str, Any] = {"transport": "stream", "heartbeat_interval": BEAT, "heartbeat_timeout": BEAT}


@dataclass
class Site:
    """Two nodes and what stands before them."""

    nodes: list[Serving]
    proxy: Running
    store: str
    flags: tuple[str, ...]

    def replace(self, node: Serving) -> Serving:
        """Starts a node anew in the place of one that has ended."""
        address = node.address
        again = Serving(*self.flags, store=self.store, listen=address)
        self.nodes[self.nodes.index(node)] = again
        return again


@pytest.fixture(params=PROXIES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Two nodes behind each kind of proxy."""
    flags = ("--grace", f"{GRACE}s", "--drain-timeout", "2s")
    with ExitStack() as stack:
        redis = stack.enter_context(one_redis(tmp_path / "redis"))
        nodes = [stack.enter_context(Serving(*flags, store=redis.url)) for _ in range(2)]
        proxy = stack.enter_context(request.param(tmp_path, [node.ready().address for node in nodes], IDLE))
        made = Site(nodes, proxy, redis.url, flags)
        yield made
        for node in made.nodes:
            node.kill()


class Listener:
    """A client of the library that keeps all it hears."""

    def __init__(self, line: heartline.Line) -> None:
        self.heard: list[str] = []
        self._orders = line.subscribe("orders", start=Start.EARLIEST)

    async def run(self, count: int) -> None:
        """Listens until it has heard so many."""
        async for event in self._orders:
            assert not isinstance(event, heartline.Gap), event
            self.heard.append(str(event.data))
            if len(self.heard) >= count:
                return


async def told_of(address: str) -> list[tuple[str, str]]:
    """What "$presence" told: each client, and whether it came."""
    async with calling(address) as calls:
        events = await calls.read_all("$presence")
    return [(event.attributes["client_id"], event.attributes["online"]) for event in events]


async def test_an_idle_session_outlives_the_proxys_time_out(site: Site) -> None:
    async with asyncio.timeout(GUARD), grpc.aio.insecure_channel(site.proxy.address) as channel:
        await channel.channel_ready()
        peer = RawSession(channel)
        await peer.open(client_id="phone-7", heartbeat_interval=seconds(BEAT), heartbeat_timeout=seconds(BEAT))
        for _ in range(round(2.5 * IDLE / BEAT)):
            beat = (await peer.next("heartbeat")).heartbeat
            await peer.send(heartbeat_ack={"sequence": beat.sequence})
        peer.call.cancel()


@pytest.mark.needs("redis", "haproxy")
async def test_haproxy_asks_for_health_and_sends_no_calls_to_a_node_that_drains(tmp_path: Path) -> None:
    assert HEALTH_CHECK in (ROOT / "docs/redis.md").read_text()
    with ExitStack() as stack:
        redis = stack.enter_context(one_redis(tmp_path / "redis"))
        one, two = [stack.enter_context(Serving("--drain-timeout", "60s", store=redis.url)).ready() for _ in range(2)]
        proxy = stack.enter_context(haproxy(tmp_path, [one.address, two.address]))
        async with asyncio.timeout(GUARD), session(one.address) as staying:
            one.terminate()
            await staying.next("drain")
            await proxy.found_down(0)
            for number in range(10):
                async with calling(proxy.address) as calls:
                    await calls.publish("orders", str(number))


async def test_what_is_published_through_one_node_is_received_through_the_other(site: Site) -> None:
    one, two = (node.address for node in site.nodes)
    async with calling(one) as calls, session(two, subscriptions=[{"channel": "orders"}]) as peer:
        await peer.next("subscribed")
        await calls.publish("orders", "hello")
        assert texts(await peer.events(1)) == ["hello"]


Step = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """No step."""


async def run_load(site: Site, enough: int, meanwhile: Step, at_last: Step = nothing) -> list[Listener]:
    """Publishes and listens through the proxy, does something when so many messages were answered, and at last."""
    total, answered, reached = PUBLISHERS * EACH, 0, asyncio.Event()
    async with AsyncExitStack() as stack:

        async def connect(**settings: Any) -> heartline.Line:
            return await stack.enter_async_context(heartline.connect(site.proxy.address, **QUICK, **settings))

        async def publish(number: int) -> None:
            nonlocal answered
            line = await connect()
            for count in range(EACH):
                await line.publish("orders", f"{number}-{count}")
                answered += 1
                if answered >= enough:
                    reached.set()

        listeners = [Listener(await connect(client_id=f"phone-{n}")) for n in range(LISTENERS)]
        listening = [asyncio.create_task(listener.run(total)) for listener in listeners]
        publishing = [asyncio.create_task(publish(number)) for number in range(PUBLISHERS)]
        await reached.wait()
        await meanwhile()
        await asyncio.gather(*publishing, *listening)
        await at_last()
        assert not [one for one in await told_of(site.nodes[1].address) if one[1] == "false" and "phone" in one[0]]
    return listeners


async def check_all_was_heard(site: Site, listeners: list[Listener]) -> None:
    """Each listener has heard the log: all that was answered, once, and each publisher's in its order."""
    async with calling(site.nodes[1].address) as calls:
        stored = texts(await calls.read_all("orders"))
    for number in range(PUBLISHERS):
        own = [text for text in stored if text.startswith(f"{number}-")]
        assert own == [f"{number}-{count}" for count in range(EACH)]
    assert [listener.heard for listener in listeners] == [stored] * LISTENERS


async def test_a_node_killed_under_load_costs_no_event_and_its_clients_are_here_or_gone_within_lease_and_grace(
    site: Site,
) -> None:
    """One of them does not return. When it is gone, so would be whoever else had not been found at the other node."""
    one, two = site.nodes
    killed_at = 0.0

    async def kill() -> None:
        nonlocal killed_at
        one.kill()
        killed_at = monotonic()

    async def gone() -> None:
        while ("lost", "false") not in await told_of(two.address):
            await calls.until("$presence", 1, after=Position(channel="$presence", offset=LISTENERS + 1))

    async with asyncio.timeout(60), calling(two.address) as calls:
        async with session(one.address, client_id="lost"):
            listeners = await run_load(site, PUBLISHERS * EACH // 4, kill, gone)
        assert monotonic() - killed_at < NODE_LEASE + GRACE + 10.0
        await check_all_was_heard(site, listeners)


async def test_a_rolling_restart_costs_no_event_and_nobodys_presence(site: Site) -> None:
    async def roll() -> None:
        for number, node in enumerate(tuple(site.nodes)):
            node.terminate()
            assert await node.ended() == 0
            await asyncio.to_thread(site.replace(node).ready)
            await site.proxy.found_up_again(number)

    async with asyncio.timeout(60):
        listeners = await run_load(site, PUBLISHERS * EACH // 4, roll)
        await check_all_was_heard(site, listeners)
