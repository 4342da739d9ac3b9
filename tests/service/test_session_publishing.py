"""What a session publishes, and how much of it may be in flight."""

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
    async def test_a_subscription_asked_for_before_does_not_miss_it(self) -> None:
        async with house() as server:
            peer = await server.client()
            server.store.hang_reads()
            peer.say(subscribe={"subscription": {"channel": "news"}})
            peer.publish("news", "one")
            peer.publish("news", "two")
            await settle()
            server.store.go_on()
            await settle()
            assert peer.texts() == ["one", "two"]

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
