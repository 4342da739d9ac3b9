"""A store that fails holds up nobody: what needs it is refused for now, and everything else goes on."""

import asyncio

import pytest
from google.rpc import code_pb2
from heartline.v1.events_pb2 import START_EARLIEST, Position, Subscription
from heartline_service.faults import refusal
from heartline_service.hub import TRIM_INTERVAL
from heartline_service.presence.roster import RETRY_INTERVAL
from heartline_service.retention import Retention, by_pattern
from heartline_service.sessions.outbox import STORE_RETRY
from heartline_service.stores.base import NewMessage, PresenceRecord, StoreUnavailable
from service.fragile import FragileStore
from service.peer import Peer, house, until
from service.told import detail
from virtual_time import settle, virtual

TTL = 60.0
FROM_START = Subscription(channel="news", after=Position(), max_unacked=1)


@virtual
async def test_a_publish_is_refused_and_may_be_tried_again() -> None:
    async with house() as server:
        peer = await server.client("phone-7", "news")
        server.store.failing = True
        message = {"channel": "news", "messages": [{"id": "m1", "text": "one"}]}
        peer.say("p", publish=message)
        await settle()
        told = detail(peer.answer("p").rejected)
        assert (told.code, told.reason, told.field, told.retry) == ("UNAVAILABLE", "STORE_UNAVAILABLE", "", True)
        server.store.failing = False
        peer.say("again", publish=message)
        await settle()
        assert peer.answer("again").published.receipts[0].offset == 1
        assert peer.texts() == ["one"]


@virtual
async def test_a_unary_publish_is_refused_and_may_be_tried_again() -> None:
    async with house() as server:
        server.store.failing = True
        with pytest.raises(StoreUnavailable) as failed:
            await server.publish("news", "one")
        told = refusal(failed.value).status()
        assert told.code == code_pb2.UNAVAILABLE
        assert "no space left" not in told.message
        server.store.failing = False
        await server.publish("news", "one")
        assert (await server.store.head("news")).latest == 1


@virtual
async def test_heartbeats_go_on_in_both_directions() -> None:
    async with house() as server:
        peer = await server.client("phone-7", "news")
        peer.answering = True
        server.store.failing = True
        peer.say("b", heartbeat={"sequence": 1})
        await asyncio.sleep(600.0)
        assert peer.answer("b").HasField("heartbeat_ack")
        assert not peer.over
        assert (await server.hub.presence("phone-7"))[0].online


@virtual
async def test_a_reader_whose_events_are_in_memory_goes_on() -> None:
    async with house() as server:
        peer = await server.client("", FROM_START)
        await server.publish("news", "one", "two", "three")
        server.store.failing = True
        for offset in (1, 2):
            peer.ack("news", offset)
            await settle()
        assert peer.texts() == ["one", "two", "three"]


@virtual
async def test_a_reader_whose_events_only_the_store_has_goes_on_when_it_heals() -> None:
    async with house() as server:
        await server.publish("news", "one", "two")
        peer = await server.client("", "news")
        server.store.failing = True
        peer.say(unsubscribe={"channel": "news"})
        peer.say(subscribe={"subscription": Subscription(channel="news", start=START_EARLIEST)})
        await asyncio.sleep(10.0)
        assert not peer.texts()
        assert 2 <= server.store.reads <= 1 + 10.0 / STORE_RETRY
        server.store.failing = False
        await asyncio.sleep(STORE_RETRY)
        assert peer.texts() == ["one", "two"]


@virtual
async def test_an_ack_frees_credit_and_is_refused_for_the_store_and_the_next_one_heals_it() -> None:
    async with house() as server:
        peer = await server.client("phone-7", FROM_START)
        await server.publish("news", "one", "two")
        server.store.failing = True
        peer.ack("news", 1, id="a")
        await settle()
        assert peer.rejection("a") == ("STORE_UNAVAILABLE", "")
        assert peer.texts() == ["one", "two"]
        server.store.failing = False
        peer.ack("news", 2)
        await settle()
        assert await server.acked("phone-7") == {"news": 2}


@virtual
async def test_a_subscription_that_cannot_be_looked_up_is_refused_and_the_session_goes_on_with_the_others() -> None:
    async with house() as server:
        keeper = await server.client("", "news")
        server.store.failing = True
        peer: Peer = await server.client("", "news", "unknown", id="h")
        assert [one.channel for one in peer.all("subscribed")] == ["news"]
        assert peer.rejection("h") == ("STORE_UNAVAILABLE", "")
        server.store.failing = False
        peer.say("s", subscribe={"subscription": {"channel": "unknown"}})
        await settle()
        assert peer.answer("s").HasField("subscribed")
        assert not keeper.over


@virtual
async def test_a_goodbye_is_said_and_told_when_the_store_heals() -> None:
    async with house() as server:
        peer = await server.client("phone-7")
        server.store.failing = True
        peer.say(goodbye={})
        await settle()
        assert peer.over
        assert not (await server.hub.presence("phone-7"))[0].online
        server.store.failing = False
        await asyncio.sleep(2.0)
        assert (await server.presence_events())[-1] == ("phone-7", "false", "GOODBYE")


@virtual
async def test_retention_by_age_goes_on_when_it_heals() -> None:
    async with house(by_pattern([("news", Retention(max_age=30.0))])) as server:
        await server.publish("news", "one")
        server.store.failing = True
        await asyncio.sleep(60.0)
        server.store.failing = False
        assert (await server.store.head("news")).oldest == 1
        await asyncio.sleep(TRIM_INTERVAL)
        assert (await server.store.head("news")).oldest == 2


class OftenFull(FragileStore):
    """A store that fails to save these changes, once each."""

    def __init__(self) -> None:
        super().__init__()
        self.refuse: list[bool] = []

    async def save_presence(self, record: PresenceRecord, event: NewMessage | None, now: float) -> None:
        """See Store."""
        if record.online in self.refuse:
            self.refuse.remove(record.online)
            raise StoreUnavailable("no space left on device")
        await super().save_presence(record, event, now)


class TestPresence:
    @virtual
    async def test_presence_is_known_at_once_and_stored_when_the_store_heals(self) -> None:
        async with house() as server:
            server.store.failing = True
            await server.client("phone-7", passive=True)
            await until(30.0)
            assert (await server.hub.presence("phone-7"))[0].online
            server.store.failing = False
            await until(30.0 + RETRY_INTERVAL)
            stored = await server.store.presence("phone-7")
            assert stored is not None
            assert stored.online
            assert ("phone-7", "true", "CONNECTED") in await server.presence_events()

    @virtual
    async def test_of_each_client_the_newest_change_is_what_is_stored(self) -> None:
        async with house() as server:
            server.store.failing = True
            for number in range(3):
                peer = await server.client(f"phone-{number}", passive=True)
                peer.say(goodbye={})
                await until(10.0 * (number + 1))
            await server.client("phone-0", passive=True)
            server.store.failing = False
            await until(60.0)
            assert [one.online for one in await server.store.presences("", 10, None)] == [True, False, False]
            assert (await server.hub.presence("phone-1"))[0].reason == "GOODBYE"

    @virtual
    async def test_a_lease_that_is_extended_meanwhile_does_not_swallow_the_change_before_it(self) -> None:
        async with house() as server:
            server.store.failing = True
            server.hub.roster.check_in("phone-7", TTL, "")
            await until(0.5)
            server.hub.roster.check_in("phone-7", 10 * TTL, "")
            await until(5.0)
            server.store.failing = False
            await until(10.0)
            assert await server.presence_events() == [("phone-7", "true", "CHECKED_IN")]

    @virtual
    async def test_an_older_change_that_failed_does_not_undo_a_newer_one_that_was_stored(self) -> None:
        store = OftenFull()
        async with house(store=store) as server:
            store.refuse = [True]
            server.hub.roster.check_in("phone-7", TTL, "")
            server.hub.roster.check_out("phone-7")
            await until(10.0)
            stored = await store.presence("phone-7")
            assert stored is not None
            assert not stored.online
            assert await server.presence_events() == [("phone-7", "false", "CHECKED_OUT")]

    @virtual
    async def test_who_came_and_went_meanwhile_costs_no_memory_when_it_heals(self) -> None:
        async with house() as server:
            server.store.failing = True
            for number in range(10):
                server.hub.roster.check_in(f"phone-{number}", 1.0, "")
            await until(5.0)
            server.store.failing = False
            await until(10.0)
            assert not server.hub.roster._entries
