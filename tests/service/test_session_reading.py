"""What a session reads: where it starts, and what it adds and takes away."""

import asyncio

from heartline.v1.events_pb2 import Message, Position
from heartline_service.stores.base import NewMessage
from heartline_service.stores.memory import MemoryStore
from service.fragile import keeping
from service.news import ACKED, EARLIEST, LATEST, after, numbers, with_news
from service.peer import Peer, house
from virtual_time import settle, virtual


def cursor(peer: Peer) -> int:
    """The newest position that the client was given."""
    return peer.positions("news")[-1].offset


class TestStart:
    @virtual
    async def test_after_a_position_come_the_events_after_it(self) -> None:
        async with house() as server:
            await with_news(server, 5)
            peer = await server.client("", after(3))
            assert peer.texts() == numbers(4, 5)

    @virtual
    async def test_after_a_position_with_its_epoch_just_the_same(self) -> None:
        async with house() as server:
            await with_news(server, 5)
            peer = await server.client("", after(3, epoch=server.store.epoch))
            assert peer.texts() == numbers(4, 5)

    @virtual
    async def test_earliest_is_everything_that_is_kept(self) -> None:
        async with house(keeping(3)) as server:
            await with_news(server, 5)
            peer = await server.client("", EARLIEST)
            assert peer.texts() == numbers(3, 5)
            assert not any(batch.HasField("gap") for batch in peer.batches())

    @virtual
    async def test_latest_is_only_what_comes_from_now_on(self) -> None:
        async with house() as server:
            await with_news(server, 5)
            peer = await server.client("", LATEST)
            assert cursor(peer) == 5
            assert not peer.batches()
            await server.publish("news", "6")
            assert peer.texts() == ["6"]

    @virtual
    async def test_unspecified_is_latest_for_who_has_no_name(self) -> None:
        async with house() as server:
            await with_news(server, 5)
            assert cursor(await server.client("", "news")) == 5

    @virtual
    async def test_unspecified_is_acked_for_who_has_a_name(self) -> None:
        async with house() as server:
            await with_news(server, 5)
            await server.hub.ack("phone-7", [Position(channel="news", offset=2)])
            peer = await server.client("phone-7", "news")
            assert peer.texts() == numbers(3, 5)

    @virtual
    async def test_the_first_use_of_acked_is_latest_and_stored_at_once(self) -> None:
        async with house() as server:
            await with_news(server, 5)
            crashed = await server.client("phone-7", ACKED)
            assert cursor(crashed) == 5
            crashed.cut()
            await server.publish("news", "6")
            assert (await server.client("phone-7", ACKED)).texts() == ["6"]

    @virtual
    async def test_of_two_first_uses_at_once_the_earlier_start_stays(self) -> None:
        async with house() as server:
            await server.client("", "news")
            server.store.hang()
            peers = [server.peer(), server.peer()]
            for number, peer in enumerate(peers, 1):
                peer.hello("phone-7", ACKED)
                await settle()
                body = Message(text=str(number)).SerializeToString()
                await MemoryStore.append(server.store, "news", [NewMessage("", body)], 0.0)
            server.store.go_on()
            await settle()
            assert await server.acked("phone-7") == {"news": 0}
            assert [peer.texts() for peer in peers] == [["1", "2"], ["1", "2"]]

    @virtual
    async def test_a_channel_that_was_never_published_to_starts_at_0_and_is_not_made_by_reading(self) -> None:
        async with house() as server:
            for subscription in (EARLIEST, LATEST, after(0)):
                peer = await server.client("", subscription)
                assert [position.offset for position in peer.positions("news")] == [0]
            assert not await server.store.channels("", 10)

    @virtual
    async def test_subscribed_comes_first_with_the_position_that_was_asked_for(self) -> None:
        async with house() as server:
            await with_news(server, 5)
            peer = await server.client("", after(3))
            assert peer.kinds() == ["welcome", "subscribed", "events"]
            assert peer.the("subscribed").channel == "news"
            assert peer.the("subscribed").position == Position(channel="news", epoch=server.store.epoch, offset=3)

    @virtual
    async def test_every_subscription_of_a_hello_is_answered_in_its_order(self) -> None:
        async with house() as server:
            names = [f"channel-{number}" for number in range(100)]
            peer = await server.client("phone-7", *names)
            assert [one.channel for one in peer.all("subscribed")] == names

    @virtual
    async def test_who_reads_many_channels_from_its_hello_on_may_publish_at_once(self) -> None:
        async with house() as server:
            peer = server.peer()
            peer.hello("phone-7", *[f"channel-{number}" for number in range(100)])
            peer.publish("news", "hello", id="p")
            await settle()
            assert peer.answer("p").published.receipts[0].offset == 1


class TestChangesOfMind:
    @virtual
    async def test_a_channel_can_be_added(self) -> None:
        async with house() as server:
            await with_news(server, 2)
            peer = await server.client()
            peer.say("s", subscribe={"subscription": EARLIEST})
            await settle()
            assert peer.answer("s").subscribed.channel == "news"
            assert peer.texts() == numbers(1, 2)

    @virtual
    async def test_a_channel_is_not_added_twice(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            peer.say("s", subscribe={"subscription": EARLIEST})
            await settle()
            assert peer.rejection("s") == ("ALREADY_SUBSCRIBED", "subscribe.subscription.channel")

    @virtual
    async def test_more_than_a_hundred_are_refused(self) -> None:
        async with house() as server:
            peer = await server.client("", *[f"channel-{number}" for number in range(100)])
            peer.say("s", subscribe={"subscription": EARLIEST})
            await settle()
            assert peer.rejection("s")[0] == "INVALID_SUBSCRIPTIONS"
            peer.say(unsubscribe={"channel": "channel-0"})
            await settle()
            peer.say("again", subscribe={"subscription": EARLIEST})
            await settle()
            assert peer.answer("again").HasField("subscribed")

    @virtual
    async def test_a_hundred_is_the_most_also_when_they_are_asked_for_all_at_once(self) -> None:
        async with house() as server:
            peer = await server.client("", *[f"channel-{number}" for number in range(99)])
            for number in range(3):
                peer.say(f"s{number}", subscribe={"subscription": {"channel": f"more-{number}"}})
            await settle()
            assert len(peer.session.outbox.feeds) == 100
            assert peer.answer("s0").HasField("subscribed")
            assert peer.rejection("s1")[0] == peer.rejection("s2")[0] == "INVALID_SUBSCRIPTIONS"

    @virtual
    async def test_a_channel_can_be_taken_away(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            await with_news(server, 2)
            peer.say("u", unsubscribe={"channel": "news"})
            await settle()
            assert peer.answer("u").unsubscribed.position == Position(
                channel="news", epoch=server.store.epoch, offset=2
            )
            await server.publish("news", "3")
            assert peer.texts() == numbers(1, 2)

    @virtual
    async def test_a_channel_that_is_not_read_cannot_be_taken_away(self) -> None:
        async with house() as server:
            peer = await server.client()
            peer.say("u", unsubscribe={"channel": "news"})
            await settle()
            assert peer.rejection("u") == ("NOT_SUBSCRIBED", "unsubscribe.channel")

    @virtual
    async def test_frames_are_done_in_their_order(self) -> None:
        async with house() as server:
            await with_news(server, 1)
            peer = await server.client()
            for number in range(3):
                peer.say(f"s{number}", subscribe={"subscription": LATEST})
                peer.say(f"u{number}", unsubscribe={"channel": "news"})
            await settle()
            assert peer.kinds()[1:] == ["subscribed", "unsubscribed"] * 3

    @virtual
    async def test_unsubscribed_tells_the_place_after_what_was_sent_and_not_after_what_was_read_ahead(self) -> None:
        async with house() as server:
            await with_news(server, 5)
            peer = await server.client("", "other")
            peer.block()
            await server.publish("other", "in the way")
            peer.say(subscribe={"subscription": after(2)})
            await settle()
            peer.say("u", unsubscribe={"channel": "news"})
            await settle()
            peer.unblock()
            await settle()
            assert peer.texts("news") == []
            assert peer.answer("u").unsubscribed.position.offset == 2


@virtual
async def test_nothing_of_a_session_stays_in_a_channel_when_it_is_over() -> None:
    async with house() as server:
        peers = [await server.client("phone-7", "news", "orders") for _ in range(4)]
        channel = await server.hub.channels.get("news")
        assert len(channel.watchers) == 4
        peers[0].say(goodbye={})
        peers[1].cut()
        server.hub.end_session(peers[2].session_id)
        peers[3].block()
        await server.publish("news", "hello")
        peers[3].cut()
        await asyncio.sleep(2)
        assert not channel.watchers
        assert not server.hub.sessions
