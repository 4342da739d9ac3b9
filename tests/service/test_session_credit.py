"""How much a session is sent at once: credit, batches, and whose turn it is."""

import asyncio

import pytest
from heartline.v1.events_pb2 import Position, Subscription
from heartline_service.reading.channels import BATCH_BYTES
from heartline_service.reading.log import TAIL_BYTES
from heartline_service.sessions.outbox import MAX_WAITING
from service.news import EARLIEST, after, numbers, with_news
from service.peer import house
from virtual_time import settle, virtual


class TestCredit:
    @virtual
    async def test_the_server_holds_at_the_limit_and_goes_on_by_acks(self) -> None:
        async with house() as server:
            peer = await server.client("", after(0, max_unacked=3))
            await with_news(server, 10)
            assert peer.texts() == numbers(1, 3)
            peer.ack("news", 1)
            await settle()
            assert peer.texts() == numbers(1, 4)
            peer.ack("news", 4)
            await settle()
            assert peer.texts() == numbers(1, 7)

    @virtual
    async def test_the_limit_holds_for_events_that_only_the_store_has(self) -> None:
        async with house() as server:
            await with_news(server, 10)
            peer = await server.client("", after(0, max_unacked=3))
            assert peer.texts() == numbers(1, 3)
            peer.ack("news", 2)
            await settle()
            assert peer.texts() == numbers(1, 5)

    @virtual
    async def test_heartbeats_are_answered_meanwhile(self) -> None:
        async with house() as server:
            peer = await server.client("", after(0, max_unacked=1))
            await with_news(server, 2)
            peer.say("b", heartbeat={"sequence": 1})
            await settle()
            assert peer.answer("b").heartbeat_ack.events_sent == 1

    @virtual
    async def test_one_channel_that_holds_does_not_hold_another(self) -> None:
        async with house() as server:
            peer = await server.client("", after(0, max_unacked=1), "orders")
            await with_news(server, 2)
            await server.publish("orders", "a", "b")
            assert (peer.texts("news"), peer.texts("orders")) == (["1"], ["a", "b"])

    @virtual
    async def test_an_ack_of_what_was_acked_already_frees_nothing(self) -> None:
        async with house() as server:
            peer = await server.client("", after(0, max_unacked=2))
            await with_news(server, 9)
            peer.ack("news", 2)
            peer.ack("news", 2)
            peer.ack("news", 1)
            await settle()
            assert peer.texts() == numbers(1, 4)

    @virtual
    async def test_an_ack_of_what_was_not_sent_yet_gives_no_more_credit_than_there_is(self) -> None:
        async with house() as server:
            peer = await server.client("", after(0, max_unacked=2))
            await with_news(server, 9)
            peer.ack("news", 9)
            await settle()
            assert peer.texts() == numbers(1, 4)

    @virtual
    async def test_without_a_limit_everything_is_sent(self) -> None:
        async with house() as server:
            peer = await server.client("", after(0))
            await with_news(server, 300)
            assert peer.texts() == numbers(1, 300)


class TestBatches:
    @virtual
    async def test_what_came_while_the_client_was_slow_comes_in_one_frame(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            peer.block()
            await with_news(server, 50)
            peer.unblock()
            await settle()
            assert [len(batch.events) for batch in peer.batches()] == [1, 49]

    @virtual
    async def test_every_batch_carries_the_cursor_after_it(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            await with_news(server, 3)
            for batch in peer.batches():
                (event,) = batch.events
                assert batch.epoch == server.store.epoch
                assert batch.position == Position(channel="news", epoch=server.store.epoch, offset=event.offset)

    @pytest.mark.parametrize("early", [True, False], ids=["from memory", "from the store"])
    @pytest.mark.parametrize("size", [1_100, 65_000, 87_000, 131_000])
    @virtual
    async def test_none_is_over_256_kib(self, size: int, early: bool) -> None:
        async with house() as server:
            name = "n" * 255
            wish = Subscription(channel=name, after=Position())
            texts = ["x" * size] * (TAIL_BYTES // size)
            if early:
                peer = await server.client("", wish)
                peer.block()
                await server.publish(name, *texts)
                peer.unblock()
                await settle()
            else:
                await server.publish(name, *texts)
                peer = await server.client("", wish)
            assert len(peer.texts()) == len(texts)
            assert max(batch.ByteSize() for batch in peer.batches()) <= BATCH_BYTES

    @virtual
    async def test_a_larger_event_comes_alone(self) -> None:
        async with house() as server:
            await server.publish("news", "small", "x" * 2 * BATCH_BYTES, "small")
            peer = await server.client("", EARLIEST)
            assert [len(batch.events) for batch in peer.batches()] == [1, 1, 1]

    @virtual
    async def test_sessions_at_the_same_cursor_share_the_bytes(self) -> None:
        async with house() as server:
            readers = [await server.client("", "news") for _ in range(5)]
            await server.publish("news", "hello")
            frames = [reader.raw[-1] for reader in readers]
            assert all(frame is frames[0] for frame in frames)

    @virtual
    async def test_sessions_with_and_without_credit_share_them_too(self) -> None:
        async with house() as server:
            one, other = await server.client("", "news"), await server.client("phone-7", after(0, max_unacked=100))
            await server.publish("news", "hello")
            assert one.raw[-1] is other.raw[-1]

    @virtual
    async def test_busy_channels_take_turns(self) -> None:
        async with house() as server:
            peer = await server.client("", "news", "orders")
            peer.block()
            peer.say(heartbeat={"sequence": 1})
            await settle()
            await server.publish("news", *["x" * BATCH_BYTES] * 3)
            await server.publish("orders", *["x" * BATCH_BYTES] * 3)
            peer.unblock()
            await settle()
            assert [batch.channel for batch in peer.batches()] == ["news", "orders"] * 3

    @virtual
    async def test_answers_go_before_events(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            peer.block()
            await with_news(server, 2)
            peer.say("b", heartbeat={"sequence": 1})
            peer.unblock()
            await settle()
            assert peer.kinds()[2:] == ["events", "heartbeat_ack", "events"]

    @virtual
    async def test_a_client_that_reads_nothing_costs_one_frame_however_much_is_published(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            peer.block()
            for _ in range(20):
                await server.publish("news", "x" * BATCH_BYTES)
            feed = peer.session.outbox.feeds["news"]
            assert feed.cursor.offset == 1
            assert feed.loaded is None

    @virtual
    async def test_a_client_that_asks_and_reads_no_answer_is_heard_no_further_until_it_reads(self) -> None:
        async with house() as server:
            peer = await server.client()
            peer.block()
            for sequence in range(MAX_WAITING + 1):
                peer.say(heartbeat={"sequence": sequence})
            await settle()
            outbox = peer.session.outbox
            waiting = asyncio.create_task(outbox.room())
            await settle()
            assert not waiting.done()
            peer.unblock()
            await waiting
            await settle()
            assert len(peer.all("heartbeat_ack")) == MAX_WAITING + 1
