"""Polls without a socket, in virtual time: when they answer, and what they hold."""

import asyncio

import pytest
from heartline.v1.events_pb2 import GAP_REASON_EPOCH_CHANGED, GAP_REASON_TRIMMED, Batch, Position, Subscription
from heartline.v1.request_service_pb2 import PollResponse
from service.fragile import keeping
from service.peer import DRAIN, house
from service.poll import poll, texts
from virtual_time import START, settle, virtual

WAIT, TTL = 60.0, 60.0
LARGEST_ANSWER = 4 * 1024 * 1024


def after(channel: str, offset: int, epoch: str = "") -> Subscription:
    return Subscription(channel=channel, after=Position(offset=offset, epoch=epoch))


def elapsed() -> float:
    """Seconds since the start of the run."""
    return asyncio.get_running_loop().time() - START


class TestShortPoll:
    @virtual
    async def test_it_answers_at_once_with_the_place_to_ask_from_next(self) -> None:
        async with house() as server:
            await server.publish("news", "one")
            ((batch,), more) = await poll(server, "news")
            assert batch == Batch(
                channel="news",
                epoch=server.store.epoch,
                position=Position(channel="news", epoch=server.store.epoch, offset=1),
            )
            assert not more
            assert elapsed() == 0

    @virtual
    async def test_reading_from_each_position_to_the_next_gives_every_event_once(self) -> None:
        async with house() as server:
            ((batch,), _) = await poll(server, "news")
            seen: list[str] = []
            for number in range(5):
                await server.publish("news", f"{number}a", f"{number}b")
                ((batch,), _) = await poll(server, Subscription(channel="news", after=batch.position))
                seen += texts([batch])
            assert seen == [f"{number}{letter}" for number in range(5) for letter in "ab"]

    @virtual
    async def test_every_subscription_is_answered_in_its_order(self) -> None:
        async with house() as server:
            await server.publish("b", "one")
            batches, _ = await poll(server, after("c", 0), after("b", 0), after("a", 0))
            assert [(batch.channel, len(batch.events)) for batch in batches] == [("c", 0), ("b", 1), ("a", 0)]

    @virtual
    async def test_channels_share_the_count_of_events_and_more_is_told(self) -> None:
        async with house() as server:
            await server.publish("a", "1", "2", "3")
            await server.publish("b", "4", "5", "6")
            batches, more = await poll(server, after("a", 0), after("b", 0), max_events=4)
            assert texts(batches) == ["1", "2", "4", "5"]
            assert more
            assert [batch.position.offset for batch in batches] == [2, 2]

    @virtual
    async def test_what_one_channel_leaves_of_the_count_another_takes(self) -> None:
        async with house() as server:
            await server.publish("a", "1")
            await server.publish("b", "4", "5", "6")
            batches, more = await poll(server, after("a", 0), after("b", 0), after("c", 0), max_events=4)
            assert texts(batches) == ["1", "4", "5", "6"]
            assert not more

    @virtual
    async def test_an_answer_stays_under_4_mib_however_much_there_is(self) -> None:
        async with house() as server:
            names = [f"channel-{number:03}" for number in range(100)]
            for name in names:
                await server.publish(name, "x" * 600_000)
            batches, more = await poll(server, *[after(name, 0) for name in names])
            assert more
            assert any(batch.events for batch in batches)
            assert PollResponse(batches=batches).ByteSize() < LARGEST_ANSWER

    @virtual
    async def test_gaps_are_told(self) -> None:
        async with house(keeping(2)) as server:
            await server.publish("news", "1", "2", "3", "4")
            ((batch,), more) = await poll(server, after("news", 0))
            assert (batch.gap.reason, batch.gap.oldest_offset, batch.gap.latest_offset) == (GAP_REASON_TRIMMED, 3, 4)
            assert batch.position.offset == 2
            assert more
            ((batch,), _) = await poll(server, after("news", 4, epoch="before"))
            assert batch.gap.reason == GAP_REASON_EPOCH_CHANGED

    @virtual
    async def test_a_gap_that_has_no_room_in_an_answer_is_told_in_the_next(self) -> None:
        async with house() as server:
            await server.publish("a", "1")
            await server.publish("b", "2", "3")
            (_, batch), more = await poll(server, after("a", 0), after("b", 1, epoch="before"), max_events=1)
            assert not batch.HasField("gap")
            assert more
            ((batch,), _) = await poll(server, Subscription(channel="b", after=batch.position))
            assert batch.gap.reason == GAP_REASON_EPOCH_CHANGED
            assert batch.position.offset == 0

    @virtual
    async def test_a_named_client_goes_on_from_its_acks_and_gets_again_what_it_did_not_ack(self) -> None:
        async with house() as server:
            await poll(server, "news", client_id="phone-7")
            await server.publish("news", "one", "two")
            for _ in range(2):
                batches, _ = await poll(server, "news", client_id="phone-7")
                assert texts(batches) == ["one", "two"]
            await server.hub.ack("phone-7", [Position(channel="news", offset=1)])
            batches, _ = await poll(server, "news", client_id="phone-7")
            assert texts(batches) == ["two"]


class TestLongPoll:
    @virtual
    async def test_it_answers_at_once_when_there_is_something(self) -> None:
        async with house() as server:
            await server.publish("news", "one")
            batches, _ = await poll(server, after("news", 0), wait=WAIT)
            assert texts(batches) == ["one"]
            assert elapsed() == 0

    @virtual
    async def test_it_answers_as_soon_as_something_is_published_to_any_of_its_channels(self) -> None:
        async with house() as server:
            pending = asyncio.create_task(poll(server, "news", "orders", wait=WAIT))
            await asyncio.sleep(20.0)
            assert server.hub.pending_polls == 1
            await server.publish("orders", "one")
            batches, _ = await pending
            assert [texts([batch]) for batch in batches] == [[], ["one"]]
            assert elapsed() == 20.0
            assert server.hub.pending_polls == 0

    @virtual
    async def test_it_answers_with_nothing_when_its_wait_is_over(self) -> None:
        async with house() as server:
            await server.publish("news", "one")
            ((batch,), more) = await poll(server, "news", wait=WAIT)
            assert not batch.events
            assert batch.position.offset == 1
            assert not more
            assert elapsed() == WAIT

    @virtual
    async def test_a_wait_of_0_answers_at_once(self) -> None:
        async with house() as server:
            await poll(server, "news", wait=0.0)
            assert elapsed() == 0

    @virtual
    async def test_a_channel_that_is_trimmed_is_nothing_to_read(self) -> None:
        async with house() as server:
            await server.publish("news", "one")
            pending = asyncio.create_task(poll(server, "news", wait=WAIT))
            await asyncio.sleep(1.0)
            await server.store.trim(server.hub.clock.wall() + 1e9)
            await pending
            assert elapsed() == WAIT

    @virtual
    async def test_it_is_answered_at_once_when_the_server_drains(self) -> None:
        async with house() as server:
            pending = asyncio.create_task(poll(server, "news", wait=WAIT))
            await asyncio.sleep(1.0)
            await server.hub.drain()
            await pending
            assert elapsed() == 1.0

    @virtual
    async def test_it_does_not_begin_to_wait_when_the_server_drains_already(self) -> None:
        async with house() as server:
            server.store.hang()
            pending = asyncio.create_task(poll(server, "news", wait=WAIT))
            await settle()
            await server.hub.drain()
            server.store.go_on()
            await pending
            assert elapsed() < DRAIN

    @virtual
    async def test_many_that_wait_are_all_answered_and_leave_nothing_behind(self) -> None:
        async with house() as server:
            pending = [asyncio.create_task(poll(server, "news", wait=WAIT)) for _ in range(50)]
            await settle()
            channel = await server.hub.channels.get("news")
            assert len(channel.watchers) == 50
            await server.publish("news", "one")
            assert all(texts(batches) == ["one"] for batches, _ in await asyncio.gather(*pending))
            assert not channel.watchers

    @virtual
    async def test_who_gave_up_leaves_nothing_behind(self) -> None:
        async with house() as server:
            pending = asyncio.create_task(poll(server, "news", wait=WAIT))
            await settle()
            channel = await server.hub.channels.get("news")
            pending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pending
            assert not channel.watchers
            assert server.hub.pending_polls == 0
