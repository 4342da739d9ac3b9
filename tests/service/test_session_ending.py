"""How a session ends: goodbyes of both sides, an operator, and a lost connection."""

import asyncio

import pytest
from heartline.v1.session_service_pb2 import GOODBYE_REASON_CLIENT_GOODBYE, GOODBYE_REASON_ENDED_BY_OPERATOR
from heartline_service.faults import Fault
from heartline_service.sessions.frames import GOODBYE_TIMEOUT
from service.peer import GRACE, Peer, house
from virtual_time import settle, virtual


def leaving(peer: Peer) -> tuple[int, bool]:
    """Why the server says that it ends the session, and whether to come back."""
    told = peer.the("goodbye")
    assert peer.kinds()[-1] == "goodbye"
    return told.reason, told.retry


class TestGoodbye:
    @virtual
    async def test_it_is_answered_and_ends_the_session_without_a_grace(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            peer.say("bye", goodbye={})
            await settle()
            assert peer.answer("bye").goodbye.reason == GOODBYE_REASON_CLIENT_GOODBYE
            assert leaving(peer) == (GOODBYE_REASON_CLIENT_GOODBYE, False)
            assert peer.over
            assert peer.fault is None
            assert await server.presence_events() == [("phone-7", "true", "CONNECTED"), ("phone-7", "false", "GOODBYE")]

    @virtual
    async def test_who_says_that_it_returns_has_the_grace(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.say(goodbye={"returning": True})
            await settle()
            assert peer.over
            await asyncio.sleep(GRACE - 0.001)
            assert await server.presence_events() == [("phone-7", "true", "CONNECTED")]
            await asyncio.sleep(0.002)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "CONNECTION_LOST")]

    @virtual
    async def test_who_says_that_it_returns_and_does_is_not_missed(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.say(goodbye={"returning": True})
            await asyncio.sleep(GRACE - 0.001)
            await server.client("phone-7")
            await asyncio.sleep(GRACE)
            assert await server.presence_events() == [("phone-7", "true", "CONNECTED")]

    @virtual
    async def test_a_lease_outlives_it(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            await server.hub.check_in("phone-7", 60.0, "")
            peer.say(goodbye={})
            await settle()
            assert (await server.hub.presence("phone-7"))[0].online

    @virtual
    async def test_one_that_checks_out_ends_the_lease_too(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            await server.hub.check_in("phone-7", 60.0, "")
            peer.say(goodbye={"check_out": True})
            await settle()
            assert (await server.presence_events())[1:] == [("phone-7", "false", "GOODBYE")]
            assert (await server.hub.presence("phone-7"))[0].lease_until == 0

    @virtual
    async def test_one_that_checks_out_leaves_the_other_sessions(self) -> None:
        async with house() as server:
            peer, other = await server.client("phone-7"), await server.client("phone-7")
            peer.say(goodbye={"check_out": True})
            await settle()
            assert not other.over
            assert (await server.hub.presence("phone-7"))[0].online

    @virtual
    async def test_what_was_asked_for_before_is_answered_before(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            server.store.hang()
            peer.publish("orders", "one", id="p")
            peer.ack("news", 0)
            peer.say("bye", goodbye={})
            await settle()
            assert not peer.over
            peer.say("b", heartbeat={"sequence": 1})
            await settle()
            assert peer.answer("b").HasField("heartbeat_ack")
            server.store.go_on()
            await settle()
            assert peer.kinds()[-2:] == ["published", "goodbye"]
            assert peer.over

    @virtual
    async def test_it_does_not_wait_for_ever_for_a_store_that_hangs(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            server.store.hang()
            peer.publish("news", "one")
            peer.say("bye", goodbye={})
            await asyncio.sleep(GOODBYE_TIMEOUT - 0.001)
            assert not peer.over
            await asyncio.sleep(0.002)
            assert peer.over
            assert peer.answer("bye").HasField("goodbye")
            server.store.go_on()
            await settle()
            assert (await server.store.head("news")).latest == 1

    @virtual
    async def test_two_at_once_do_no_harm(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.say("bye", goodbye={})
            peer.say("again", goodbye={"returning": True})
            await settle()
            assert peer.over
            assert peer.answer("bye").HasField("goodbye")

    @virtual
    async def test_nothing_comes_after_it(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            peer.say(goodbye={})
            await settle()
            frames = len(peer.frames)
            await server.publish("news", "one")
            peer.say(heartbeat={"sequence": 1})
            await asyncio.sleep(100)
            assert len(peer.frames) == frames

    @virtual
    async def test_who_reads_nothing_is_not_waited_for_longer_than_a_second(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.block()
            peer.say(goodbye={})
            await asyncio.sleep(0.999)
            assert not peer.over
            await asyncio.sleep(0.002)
            assert peer.over


class TestOperator:
    @virtual
    async def test_an_operator_ends_a_session_for_good(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            server.hub.end_session(peer.session_id)
            await settle()
            assert leaving(peer) == (GOODBYE_REASON_ENDED_BY_OPERATOR, False)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "ENDED_BY_OPERATOR")]

    @virtual
    async def test_a_session_that_is_over_cannot_be_ended(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            server.hub.end_session(peer.session_id)
            with pytest.raises(Fault) as refused:
                server.hub.end_session(peer.session_id)
            assert refused.value.reason == "SESSION_NOT_FOUND"


class TestLostConnection:
    @virtual
    async def test_it_ends_the_session_and_leaves_the_grace(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            peer.cut()
            assert peer.over
            await asyncio.sleep(GRACE - 0.001)
            assert len(await server.presence_events()) == 1
            await asyncio.sleep(0.002)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "CONNECTION_LOST")]

    @virtual
    async def test_it_shows_at_a_write_too(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            peer.broken = True
            assert not peer.over
            await server.publish("news", "one")
            assert peer.over
            assert not server.hub.sessions

    @virtual
    async def test_it_shows_at_the_write_of_a_goodbye_too(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            peer.broken = True
            server.hub.end_session(peer.session_id)
            await settle()
            assert peer.over

    @virtual
    async def test_an_unfinished_publish_is_stored_all_the_same(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            server.store.hang()
            peer.publish("news", "one")
            await settle()
            peer.cut()
            server.store.go_on()
            await settle()
            assert (await server.store.head("news")).latest == 1
