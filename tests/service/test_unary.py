"""The unary calls over a real socket, as a first user with generated stubs meets them."""

import asyncio
import time

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from heartline.v1.admin_service_pb2 import GetServerRequest
from heartline.v1.events_pb2 import GAP_REASON_TRIMMED, START_EARLIEST, Batch, Message, Position, Subscription
from heartline.v1.request_service_pb2 import AckRequest, CheckInRequest, PollRequest, PublishRequest
from heartline_service.retention import Retention, by_pattern
from heartline_service.server import Server
from service.stubs import GUARD, admin, poll, publish, requests

LONG_WAIT = Duration(seconds=60)
FROM_START = Subscription(channel="news", start=START_EARLIEST)


async def pending_polls(channel: grpc.aio.Channel, count: int) -> None:
    """Waits until so many long polls are pending."""
    async with asyncio.timeout(GUARD):
        while (await admin(channel).GetServer(GetServerRequest())).pending_polls != count:
            pass


def texts(batch: Batch) -> list[str]:
    return [event.text for event in batch.events]


class TestPublish:
    async def test_each_message_gets_a_receipt(self, channel: grpc.aio.Channel) -> None:
        receipts = await publish(channel, "one", "two")
        assert [(one.offset, one.duplicate) for one in receipts] == [(1, False), (2, False)]
        assert len({one.epoch for one in receipts}) == 1
        assert receipts[0].epoch

    async def test_a_retry_with_the_same_id_gives_the_first_receipt_again(self, channel: grpc.aio.Channel) -> None:
        request = PublishRequest(channel="news", messages=[Message(id="m1", text="one")])
        first = (await requests(channel).Publish(request)).receipts[0]
        again = (await requests(channel).Publish(request)).receipts[0]
        assert (again.epoch, again.offset, again.duplicate) == (first.epoch, first.offset, True)

    async def test_the_same_id_on_another_channel_is_another_message(self, channel: grpc.aio.Channel) -> None:
        for name in ("news", "orders"):
            request = PublishRequest(channel=name, messages=[Message(id="m1", text="one")])
            assert not (await requests(channel).Publish(request)).receipts[0].duplicate

    async def test_an_event_is_what_was_published_with_its_place_and_time(self, channel: grpc.aio.Channel) -> None:
        message = Message(id="m1", binary=b"\x00\xff", attributes={"content-type": "bytes"})
        before = time.time()
        await requests(channel).Publish(PublishRequest(channel="news", messages=[message]))
        (event,) = (await poll(channel, FROM_START)).batches[0].events
        assert (event.id, event.binary, dict(event.attributes)) == (
            message.id,
            message.binary,
            {"content-type": "bytes"},
        )
        assert event.offset == 1
        assert before - 0.001 <= event.publish_time.ToMicroseconds() / 1e6 <= time.time()


class TestPoll:
    async def test_a_short_poll_asks_to_wait_a_moment_unless_more_is_there(self, channel: grpc.aio.Channel) -> None:
        await publish(channel, "one", "two")
        answer = await poll(channel, FROM_START, max_events=1)
        assert texts(answer.batches[0]) == ["one"]
        assert answer.poll_after == Duration()
        answer = await poll(channel, Subscription(channel="news", after=answer.batches[0].position))
        assert texts(answer.batches[0]) == ["two"]
        assert answer.poll_after == Duration(seconds=1)

    async def test_a_long_poll_is_answered_when_something_is_published(self, channel: grpc.aio.Channel) -> None:
        pending = asyncio.create_task(poll(channel, Subscription(channel="news"), wait=LONG_WAIT))
        await pending_polls(channel, 1)
        await publish(channel, "one")
        answer = await pending
        assert texts(answer.batches[0]) == ["one"]
        assert answer.poll_after == Duration()

    async def test_a_long_poll_is_answered_when_its_wait_is_over(self, channel: grpc.aio.Channel) -> None:
        answer = await poll(channel, Subscription(channel="news"), wait=Duration(nanos=50_000_000))
        assert not answer.batches[0].events
        assert answer.batches[0].position.channel == "news"

    async def test_a_long_poll_of_a_minute_is_answered_at_once_when_the_server_stops(
        self, server: Server, channel: grpc.aio.Channel
    ) -> None:
        pending = [asyncio.create_task(poll(channel, Subscription(channel="news"), wait=LONG_WAIT)) for _ in range(20)]
        await pending_polls(channel, 20)
        await server.stop()
        for answer in await asyncio.gather(*pending):
            assert not answer.batches[0].events

    async def test_a_long_poll_that_the_client_gives_up_is_forgotten(self, channel: grpc.aio.Channel) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await requests(channel).Poll(
                PollRequest(subscriptions=[Subscription(channel="news")], wait=LONG_WAIT), timeout=0.1
            )
        assert failed.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        await pending_polls(channel, 0)

    async def test_trimmed_events_are_told(self, serve: object) -> None:
        kept = by_pattern([("news", Retention(max_events=2))])
        server = await serve(retain=kept)  # type: ignore[operator]
        async with grpc.aio.insecure_channel(server.address) as channel:
            await publish(channel, "1", "2", "3", "4")
            answer = await poll(channel, Subscription(channel="news", after=Position()))
            gap = answer.batches[0].gap
            assert (gap.reason, gap.oldest_offset, gap.latest_offset) == (GAP_REASON_TRIMMED, 3, 4)
            assert answer.poll_after == Duration()
            answer = await poll(channel, Subscription(channel="news", after=answer.batches[0].position))
            assert texts(answer.batches[0]) == ["3", "4"]

    async def test_presence_can_be_polled(self, channel: grpc.aio.Channel) -> None:
        await requests(channel).CheckIn(CheckInRequest(client_id="phone-7"))
        answer = await poll(channel, Subscription(channel="$presence", start=START_EARLIEST), wait=LONG_WAIT)
        (event,) = answer.batches[0].events
        assert event.text == "phone-7 is online: checked in"
        assert dict(event.attributes) == {
            "client_id": "phone-7",
            "online": "true",
            "reason": "CHECKED_IN",
            "status": "",
        }


class TestAck:
    async def test_an_ack_is_where_the_client_goes_on(self, channel: grpc.aio.Channel) -> None:
        mine = Subscription(channel="news")
        await poll(channel, mine, client_id="phone-7")
        await publish(channel, "one", "two")
        answer = await poll(channel, mine, client_id="phone-7")
        assert texts(answer.batches[0]) == ["one", "two"]
        ack = AckRequest(client_id="phone-7", positions=[answer.batches[0].position])
        stored = await requests(channel).Ack(ack)
        assert list(stored.positions) == [answer.batches[0].position]
        assert not (await poll(channel, mine, client_id="phone-7")).batches[0].events

    async def test_an_older_position_changes_nothing_and_the_stored_one_is_told(
        self, channel: grpc.aio.Channel
    ) -> None:
        await publish(channel, "one", "two")
        for offset, stored in ((2, 2), (1, 2)):
            ack = AckRequest(client_id="phone-7", positions=[Position(channel="news", offset=offset)])
            assert (await requests(channel).Ack(ack)).positions[0].offset == stored
