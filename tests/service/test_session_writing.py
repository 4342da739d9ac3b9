"""What a session writes: publishes and their limit in flight, and acks with what they store."""

import pytest
from heartline.v1.events_pb2 import Position, Subscription
from heartline_service.sessions.under_way import MAX_IN_FLIGHT
from service.peer import Peer, house
from virtual_time import settle, virtual


def receipts(peer: Peer, id: str) -> list[tuple[int, bool]]:
    """The offset of each receipt that answers the frame, and whether it is a duplicate."""
    return [(one.offset, one.duplicate) for one in peer.answer(id).published.receipts]


class TestPublish:
    @virtual
    async def test_it_is_answered_with_a_receipt_for_each_message(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.publish("news", "one", "two", id="p")
            await settle()
            assert receipts(peer, "p") == [(1, False), (2, False)]
            assert {one.epoch for one in peer.answer("p").published.receipts} == {server.store.epoch}

    @virtual
    async def test_who_has_no_name_may_publish_too(self) -> None:
        async with house() as server:
            peer = await server.client()
            peer.publish("news", "one", id="p")
            await settle()
            assert receipts(peer, "p") == [(1, False)]

    @virtual
    async def test_a_retry_with_the_same_id_adds_nothing(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            for id in ("first", "retry"):
                peer.say(id, publish={"channel": "news", "messages": [{"id": "m1", "text": "one"}]})
            await settle()
            assert receipts(peer, "first") == [(1, False)]
            assert receipts(peer, "retry") == [(1, True)]
            assert peer.texts() == ["one"]

    @virtual
    async def test_an_id_with_other_content_is_refused_with_the_whole_batch(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            peer.say(publish={"channel": "news", "messages": [{"id": "m1", "text": "one"}]})
            peer.say("p", publish={"channel": "news", "messages": [{"text": "new"}, {"id": "m1", "text": "other"}]})
            await settle()
            assert peer.rejection("p") == ("MESSAGE_ID_REUSED", "publish.messages[1].id")
            assert peer.texts() == ["one"]

    @virtual
    async def test_publishes_are_stored_in_the_order_of_their_frames(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            for number in range(MAX_IN_FLIGHT):
                peer.publish("news", str(number))
            await settle()
            assert peer.texts() == [str(number) for number in range(MAX_IN_FLIGHT)]

    @virtual
    async def test_frames_that_are_too_large_together_are_refused_too(self) -> None:
        async with house() as server:
            peer = await server.client()
            server.store.hang()
            for number in range(17):
                peer.publish("news", "x" * 1024 * 1000, id=str(number))
            await settle()
            assert peer.rejection("16") == ("TOO_MANY_IN_FLIGHT", "")
            server.store.go_on()
            await settle()
            assert len(peer.all("published")) == 16

    @virtual
    async def test_nobody_reads_an_event_before_the_store_has_it(self) -> None:
        async with house() as server:
            writer, reader = await server.client(), await server.client("", "news")
            server.store.hang()
            writer.publish("news", "one", id="p")
            await settle()
            assert not reader.texts()
            assert len(writer.frames) == 1
            server.store.go_on()
            await settle()
            assert reader.texts() == ["one"]
            assert receipts(writer, "p") == [(1, False)]

    @virtual
    async def test_one_beyond_the_limit_in_flight_is_refused_and_the_session_goes_on(self) -> None:
        async with house() as server:
            peer = await server.client()
            server.store.hang()
            for number in range(MAX_IN_FLIGHT + 1):
                peer.publish("news", str(number), id=str(number))
            await settle()
            assert peer.rejection(str(MAX_IN_FLIGHT)) == ("TOO_MANY_IN_FLIGHT", "")
            assert len(peer.all("rejected")) == 1
            server.store.go_on()
            await settle()
            assert len(peer.all("published")) == MAX_IN_FLIGHT
            peer.publish("news", "again", id="again")
            await settle()
            assert receipts(peer, "again") == [(MAX_IN_FLIGHT + 1, False)]

    @virtual
    async def test_the_limit_of_one_session_is_not_that_of_another(self) -> None:
        async with house() as server:
            busy, other = await server.client(), await server.client()
            server.store.hang()
            for number in range(MAX_IN_FLIGHT + 1):
                busy.publish("news", str(number))
            other.publish("news", "mine", id="p")
            server.store.go_on()
            await settle()
            assert other.answer("p").HasField("published")


class TestAcks:
    @virtual
    async def test_an_ack_is_stored_for_who_has_a_name_and_not_answered(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            await server.publish("news", "one", "two")
            peer.ack("news", 1, id="a")
            await settle()
            assert await server.acked("phone-7") == {"news": 1}
            assert peer.kinds() == ["welcome", "subscribed", "events"]

    @virtual
    async def test_it_never_goes_back(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            await server.publish("news", "one", "two")
            peer.ack("news", 2)
            await settle()
            peer.ack("news", 1)
            await settle()
            assert await server.acked("phone-7") == {"news": 2}

    @virtual
    async def test_it_does_not_go_back_either_when_two_come_at_once(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            await server.publish("news", "one", "two")
            peer.ack("news", 2)
            peer.ack("news", 1)
            await settle()
            assert await server.acked("phone-7") == {"news": 2}

    @virtual
    async def test_acks_of_several_sessions_of_a_client_merge_by_maximum(self) -> None:
        async with house() as server:
            one, other = await server.client("phone-7", "news"), await server.client("phone-7", "news")
            await server.publish("news", "one", "two", "three")
            one.ack("news", 3)
            other.ack("news", 2)
            await settle()
            assert await server.acked("phone-7") == {"news": 3}

    @virtual
    async def test_many_positions_go_in_one_frame(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news", "orders")
            await server.publish("news", "one")
            await server.publish("orders", "a", "b")
            positions = [Position(channel="news", offset=1), Position(channel="orders", offset=2)]
            peer.say(ack={"positions": positions})
            await settle()
            assert await server.acked("phone-7") == {"news": 1, "orders": 2}

    @virtual
    async def test_a_channel_may_be_acked_that_the_session_does_not_read(self) -> None:
        async with house() as server:
            await server.publish("news", "one", "two")
            peer = await server.client("phone-7")
            peer.ack("news", 2)
            await settle()
            assert await server.acked("phone-7") == {"news": 2}

    @pytest.mark.parametrize("read", [True, False])
    @virtual
    async def test_an_ack_beyond_the_log_is_refused_and_changes_nothing(self, read: bool) -> None:
        async with house() as server:
            await server.publish("news", "one")
            peer = await server.client("phone-7", *["news"] * read)
            before = await server.acked("phone-7")
            peer.ack("news", 2, id="a")
            await settle()
            assert peer.rejection("a") == ("ACK_BEYOND_LOG", "ack.positions[0].offset")
            assert await server.acked("phone-7") == before
            assert not peer.over

    @pytest.mark.parametrize("read", [True, False])
    @virtual
    async def test_an_ack_for_a_log_that_is_gone_is_refused_and_changes_nothing(self, read: bool) -> None:
        async with house() as server:
            await server.publish("news", "one")
            peer = await server.client("phone-7", *["news"] * read)
            before = await server.acked("phone-7")
            peer.ack("news", 1, id="a", epoch="before")
            await settle()
            assert peer.rejection("a") == ("EPOCH_MISMATCH", "ack.positions[0].epoch")
            assert await server.acked("phone-7") == before

    @pytest.mark.parametrize("read", [True, False], ids=["read", "not read"])
    @virtual
    async def test_a_frame_with_one_bad_position_frees_no_credit_and_stores_nothing(self, read: bool) -> None:
        async with house() as server:
            credited = Subscription(channel="news", after=Position(), max_unacked=1)
            peer = await server.client("phone-7", credited, *["orders"] * read)
            before = await server.acked("phone-7")
            await server.publish("news", "one", "two")
            good, bad = {"channel": "news", "offset": 1}, {"channel": "orders", "offset": 9}
            peer.say("a", ack={"positions": [good, bad]})
            await settle()
            assert peer.rejection("a") == ("ACK_BEYOND_LOG", "ack.positions[1].offset")
            assert peer.texts() == ["one"]
            assert await server.acked("phone-7") == before
            peer.say(ack={"positions": [good, {"channel": "orders"}]})
            await settle()
            assert peer.texts() == ["one", "two"]

    @virtual
    async def test_a_bad_ack_spoils_no_other_that_came_with_it(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            await server.publish("news", "one", "two")
            peer.ack("news", 1, id="good")
            peer.ack("orders", 9, id="bad")
            peer.ack("news", 2, id="good too")
            await settle()
            assert peer.rejection("bad") == ("ACK_BEYOND_LOG", "ack.positions[0].offset")
            assert len(peer.all("rejected")) == 1
            assert await server.acked("phone-7") == {"news": 2}

    @virtual
    async def test_the_ack_of_who_has_no_name_frees_credit_and_stores_nothing(self) -> None:
        async with house() as server:
            peer = await server.client()
            peer.say(subscribe={"subscription": {"channel": "news", "after": {}, "max_unacked": 1}})
            await server.publish("news", "one", "two")
            peer.ack("news", 1)
            await settle()
            assert peer.texts() == ["one", "two"]
            assert not await server.acked("")

    @virtual
    async def test_credit_does_not_wait_for_the_store(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.say(subscribe={"subscription": {"channel": "news", "after": {}, "max_unacked": 1}})
            await settle()
            await server.publish("news", "one", "two", "three")
            server.store.hang()
            peer.ack("news", 1)
            await settle()
            peer.ack("news", 2)
            await settle()
            assert peer.texts() == ["one", "two", "three"]
            server.store.go_on()
            await settle()
            assert await server.acked("phone-7") == {"news": 2}
