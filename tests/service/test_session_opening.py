"""How a session begins: hello and its deadline, welcome, what it replaces, and several sessions of one client."""

import asyncio
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from heartline.v1.session_service_pb2 import GOODBYE_REASON_REPLACED
from service.peer import GRACE, INTERVAL, TIMEOUT, Peer, house
from virtual_time import START, settle, virtual

HELLO_TIMEOUT = 10.0


def fault_of(peer: Peer) -> tuple[str, str]:
    """The reason and the field of the fault that ended the call."""
    assert peer.fault is not None
    return peer.fault.reason, peer.fault.field


class TestHello:
    @virtual
    async def test_who_says_nothing_is_ended_after_ten_seconds(self) -> None:
        async with house() as server:
            peer = server.peer()
            await asyncio.sleep(HELLO_TIMEOUT - 0.001)
            assert not peer.over
            await asyncio.sleep(0.001)
            await settle()
            assert fault_of(peer) == ("HELLO_TIMEOUT", "")
            assert not peer.frames

    @virtual
    async def test_a_hello_at_the_last_moment_is_in_time(self) -> None:
        async with house() as server:
            peer = server.peer()
            await asyncio.sleep(HELLO_TIMEOUT - 0.001)
            peer.hello("phone-7")
            await asyncio.sleep(INTERVAL - 0.001)
            assert peer.kinds() == ["welcome"]

    @virtual
    async def test_a_welcome_tells_the_rules_in_force(self) -> None:
        async with house() as server:
            peer = server.peer()
            peer.hello("phone-7", id="h")
            await settle()
            welcome = peer.answer("h").welcome
            assert welcome.session_id == peer.session.id
            assert welcome.server_name == "test"
            assert welcome.heartbeat_interval == Duration(seconds=int(INTERVAL))
            assert welcome.heartbeat_timeout == Duration(seconds=int(TIMEOUT))

    @virtual
    async def test_a_hello_may_ask_for_other_times(self) -> None:
        async with house() as server:
            tenth, minute = Duration(nanos=100_000_000), Duration(seconds=60)
            peer = await server.client(heartbeat_interval=minute, heartbeat_timeout=tenth)
            assert (peer.welcome.heartbeat_interval, peer.welcome.heartbeat_timeout) == (minute, tenth)

    @virtual
    async def test_sessions_have_names_of_their_own(self) -> None:
        async with house() as server:
            names = {(await server.client()).session_id for _ in range(20)}
            assert len(names) == 20

    @virtual
    async def test_a_second_hello_is_refused_and_changes_nothing(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            peer.hello("phone-8", "orders", id="again")
            await settle()
            assert peer.rejection("again") == ("HELLO_REPEATED", "")
            assert peer.session.client_id == "phone-7"
            assert list(peer.session.outbox.feeds) == ["news"]
            assert await server.presence_events() == [("phone-7", "true", "CONNECTED")]

    @pytest.mark.parametrize("kind", ["subscribe", "publish", "ack", "heartbeat", "heartbeat_ack", "goodbye"])
    @virtual
    async def test_any_other_frame_before_it_ends_the_call(self, kind: str) -> None:
        async with house() as server:
            peer = server.peer()
            frame: dict[str, Any] = {kind: {}}
            peer.say(**frame)
            assert fault_of(peer) == ("HELLO_EXPECTED", "")

    @virtual
    async def test_a_stream_that_ends_before_it_is_told_so(self) -> None:
        async with house() as server:
            peer = server.peer()
            peer.session.half_closed()
            assert fault_of(peer) == ("HELLO_EXPECTED", "")

    @virtual
    async def test_a_bad_one_ends_the_call_and_changes_nothing(self) -> None:
        async with house() as server:
            peer = server.peer()
            peer.hello("phone-7", "news", "news")
            await settle()
            assert fault_of(peer) == ("INVALID_SUBSCRIPTIONS", "hello.subscriptions")
            assert not peer.frames
            assert not server.hub.sessions
            assert not await server.presence_events()

    @virtual
    async def test_a_server_that_is_not_ready_yet_says_so(self) -> None:
        async with house() as server:
            server.hub.ready = False
            peer = server.peer()
            peer.hello("phone-7")
            assert fault_of(peer) == ("STARTING", "")

    @virtual
    async def test_what_comes_after_the_end_is_ignored(self) -> None:
        async with house() as server:
            peer = server.peer()
            peer.say(goodbye={})
            peer.hello("phone-7")
            peer.session.half_closed()
            peer.session.lost()
            await settle()
            assert not peer.frames
            assert not await server.presence_events()


class TestReplaces:
    @virtual
    async def test_the_session_before_ends_at_once_and_presence_does_not_flicker(self) -> None:
        async with house() as server:
            old = await server.client("phone-7", "news")
            new = await server.client("phone-7", "news", replaces=old.session_id)
            assert old.over
            told = old.the("goodbye")
            assert (told.reason, told.retry) == (GOODBYE_REASON_REPLACED, False)
            assert list(server.hub.sessions) == [new.session_id]
            await asyncio.sleep(GRACE)
            assert await server.presence_events() == [("phone-7", "true", "CONNECTED")]

    @virtual
    async def test_the_new_session_is_welcomed_before_the_old_one_ends(self) -> None:
        async with house() as server:
            old = await server.client("phone-7")
            old.block()
            new = await server.client("phone-7", replaces=old.session_id)
            assert new.welcome
            assert not old.over
            await asyncio.sleep(1.1)
            assert old.over

    @virtual
    async def test_one_that_is_gone_is_no_error(self) -> None:
        async with house() as server:
            assert (await server.client("phone-7", replaces="0123456789abcdef")).welcome

    @virtual
    async def test_that_of_another_client_is_refused_and_stays(self) -> None:
        async with house() as server:
            old = await server.client("phone-7")
            for thief in ("phone-8", ""):
                peer = server.peer()
                peer.hello(thief, replaces=old.session_id)
                await settle()
                assert fault_of(peer) == ("SESSION_OF_ANOTHER_CLIENT", "hello.replaces")
            assert not old.over
            assert await server.presence_events() == [("phone-7", "true", "CONNECTED")]


class TestSeveralSessions:
    @virtual
    async def test_of_one_client_each_gets_every_event(self) -> None:
        async with house() as server:
            one, other = await server.client("phone-7", "news"), await server.client("phone-7", "news")
            await server.publish("news", "hello")
            assert one.texts() == other.texts() == ["hello"]

    @virtual
    async def test_of_one_client_count_as_first_in_and_last_out(self) -> None:
        async with house() as server:
            one, other = await server.client("phone-7"), await server.client("phone-7")
            assert (await server.hub.presence("phone-7"))[1] == 2
            one.say(goodbye={})
            await settle()
            assert await server.presence_events() == [("phone-7", "true", "CONNECTED")]
            other.say(goodbye={})
            await settle()
            assert (await server.presence_events())[1:] == [("phone-7", "false", "GOODBYE")]

    @virtual
    async def test_of_nobody_in_particular_have_no_presence(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            peer.say(goodbye={})
            await settle()
            assert peer.times("goodbye") == [START]
            assert not await server.presence_events()
