"""What a session acknowledges, and what of it is stored."""

import pytest
from heartline.v1.events_pb2 import Position, Subscription
from service.peer import house
from virtual_time import settle, virtual


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
