"""Redis goes away under a server, and comes back: sessions stay, publishes fail fast, and everything is resumed."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import grpc
import pytest
from e2e.process import GUARD, Start
from e2e.raw import Calls, RawSession, calling, session, texts
from e2e.test_drain import _reason
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from heartline.v1.events_pb2 import START_EARLIEST, Message, Subscription
from heartline.v1.presence_pb2 import PRESENCE_REASON_CONNECTED
from heartline.v1.request_service_pb2 import GetPresenceRequest
from heartline_service.stores.redis.client import ANSWER_TIMEOUT
from redis_servers import RedisServer, one_redis
from stores.kinds import messages
from stores.test_redis_nodes import node

pytestmark = pytest.mark.needs("redis")

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
AT_ONCE = ANSWER_TIMEOUT * 0.8
"""Seconds: without waiting for Redis."""
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


async def refusal(calls: Calls) -> tuple[str, float]:
    """Why a publish is refused, and how long that took."""
    begun = monotonic()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await calls.publish("orders", "lost")
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    assert status is not None
    return _reason(status), monotonic() - begun


async def answers_a_heartbeat(peer: RawSession, sequence: int) -> None:
    """Beats, and waits for the answer."""
    await peer.send(heartbeat={"sequence": sequence})
    assert (await peer.next("heartbeat_ack")).heartbeat_ack.sequence == sequence


async def test_sessions_stay_publishes_fail_fast_health_says_so_and_all_goes_on_when_it_is_back(
    start: Start, tmp_path: Path
) -> None:
    with RedisServer(tmp_path, *DURABLE) as redis:
        server = start(store=redis.ready().url)
        reader = Subscription(channel="orders", start=START_EARLIEST)
        async with (
            asyncio.timeout(GUARD),
            calling(server.address) as calls,
            session(server.address, client_id="phone-7", subscriptions=[reader]) as peer,
        ):
            stub: Any = health_pb2_grpc.HealthStub(calls.channel)
            watch = stub.Watch(health_pb2.HealthCheckRequest())
            assert (await watch.read()).status == SERVING
            await calls.publish("orders", "before")
            assert texts(await peer.events(1)) == ["before"]
            redis.kill()
            reason, took = await refusal(calls)
            assert reason == "STORE_UNAVAILABLE"
            assert took < AT_ONCE
            assert (await watch.read()).status == NOT_SERVING
            await answers_a_heartbeat(peer, 1)
            with redis.again() as back:
                back.ready()
                assert (await watch.read()).status == SERVING
                await calls.publish("orders", "after")
                assert texts(await peer.events(1)) == ["after"]
                await answers_a_heartbeat(peer, 2)
                assert texts(await calls.read_all("orders")) == ["before", "after"]
                found = (await calls.requests.GetPresence(GetPresenceRequest(client_id="phone-7"))).presence
                assert (found.online, found.reason) == (True, PRESENCE_REASON_CONNECTED)


async def test_a_redis_that_hangs_is_as_one_that_is_away(start: Start, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        server = start(store=redis.ready().url)
        async with asyncio.timeout(GUARD), calling(server.address) as calls, session(server.address) as peer:
            await calls.publish("orders", "before")
            redis.stop()
            assert (await refusal(calls))[0] == "STORE_UNAVAILABLE"
            first = asyncio.create_task(refusal(calls))
            others = await asyncio.gather(*(refusal(calls) for _ in range(20)))
            assert sorted(took < AT_ONCE for _, took in others)[1:] == [True] * 19
            await answers_a_heartbeat(peer, 1)
            redis.go_on()
            await first
            await calls.until_published("orders", "after")


async def test_a_node_left_with_a_redis_that_became_a_replica_refuses_to_publish_and_is_told_what_others_publish(
    start: Start, tmp_path: Path
) -> None:
    at_once = ("--repl-diskless-sync-delay", "0")
    with one_redis(tmp_path / "old", *at_once) as old, one_redis(tmp_path / "new", *at_once) as new:
        server = start(store=old.url)
        async with (
            asyncio.timeout(GUARD),
            calling(server.address) as calls,
            session(server.address, subscriptions=[{"channel": "orders"}]) as peer,
        ):
            await peer.next("subscribed")
            await calls.publish("orders", "before")
            new.ask("REPLICAOF", "127.0.0.1", old.port)
            await new.out.line("sync: Finished with success")
            stub: Any = health_pb2_grpc.HealthStub(calls.channel)
            watch = stub.Watch(health_pb2.HealthCheckRequest())
            assert (await watch.read()).status == SERVING
            new.ask("REPLICAOF", "NO", "ONE")
            old.ask("REPLICAOF", "127.0.0.1", new.port)
            reason, took = await refusal(calls)
            assert reason == "STORE_UNAVAILABLE"
            assert took < AT_ONCE
            assert (await watch.read()).status == NOT_SERVING
            await old.out.line("accepted a Partial Resynchronization")
            async with node(new.url) as elsewhere:
                await elsewhere.store.append("orders", messages(Message(text="elsewhere").SerializeToString()), 1.0)
            assert texts(await peer.events(2)) == ["before", "elsewhere"]
            assert texts(await calls.read_all("orders")) == ["before", "elsewhere"]
            await answers_a_heartbeat(peer, 1)
            old.ask("REPLICAOF", "NO", "ONE")
            assert (await watch.read()).status == SERVING
            await calls.publish("orders", "after")
            assert texts(await peer.events(1)) == ["after"]


async def test_a_redis_that_is_full_refuses_to_publish_and_the_rest_goes_on(start: Start, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        server = start(store=redis.ready().url)
        async with asyncio.timeout(GUARD), calling(server.address) as calls:
            await calls.publish("orders", "before")
            redis.ask("CONFIG", "SET", "maxmemory", "1")
            assert (await refusal(calls))[0] == "STORE_UNAVAILABLE"
            await server.err.line("publishing fails where it needs this: the Redis at 127.0.0.1:")
            stub: Any = health_pb2_grpc.HealthStub(calls.channel)
            assert (await stub.Check(health_pb2.HealthCheckRequest())).status == SERVING
            async with session(
                server.address, subscriptions=[Subscription(channel="orders", start=START_EARLIEST)]
            ) as new:
                assert texts(await new.events(1)) == ["before"]
            redis.ask("CONFIG", "SET", "maxmemory", "0")
            await calls.publish("orders", "after")


async def test_a_redis_that_comes_back_empty_is_told_to_all_who_read(start: Start, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        server = start(store=redis.ready().url)
        async with (
            asyncio.timeout(GUARD),
            calling(server.address) as calls,
            session(server.address, subscriptions=[Subscription(channel="orders", start=START_EARLIEST)]) as peer,
        ):
            await calls.publish("orders", "before")
            await peer.events(1)
            redis.kill()
            with redis.again() as back:
                back.ready()
                while not (batch := (await peer.next("events")).events).HasField("gap"):
                    pass
                assert (batch.gap.oldest_offset, batch.gap.latest_offset) == (1, 0)
                await calls.until_published("orders", "after")
                assert texts(await peer.events(1)) == ["after"]


async def test_a_redis_killed_under_load_has_every_answered_publish_in_order_and_once(
    start: Start, tmp_path: Path
) -> None:
    """With appendfsync always. Who was not answered publishes again, and is heard once."""
    publishers, each = 8, 40
    with RedisServer(tmp_path, *DURABLE) as redis:
        server = start(store=redis.ready().url)
        answered: dict[int, str] = {}
        enough = asyncio.Event()

        async def publish(number: int) -> None:
            async with calling(server.address) as calls:
                for count in range(each):
                    text = f"{number}-{count}"
                    receipt = await calls.until_published("orders", text)
                    answered[receipt.offset] = text
                    if len(answered) >= publishers * each // 4:
                        enough.set()

        async with asyncio.timeout(60), calling(server.address) as calls:
            publishing = [asyncio.create_task(publish(number)) for number in range(publishers)]
            await enough.wait()
            redis.kill()
            with redis.again() as back:
                back.ready()
                await asyncio.gather(*publishing)
                events = await calls.read_all("orders")
    assert [event.offset for event in events] == list(range(1, publishers * each + 1))
    assert {event.offset: event.text for event in events} == answered
