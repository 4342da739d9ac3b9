"""How sessions go when the server is about to stop."""

import asyncio
import random
from bisect import bisect

import pytest
from heartline.v1.session_service_pb2 import GOODBYE_REASON_SHUTDOWN
from service.peer import DRAIN, GRACE, Peer, house
from virtual_time import START, settle, virtual


def leaving(peer: Peer) -> tuple[int, bool]:
    """Why the server says that it ends the session, and whether to come back."""
    told = peer.the("goodbye")
    assert peer.kinds()[-1] == "goodbye"
    return told.reason, told.retry


class TestDrain:
    @virtual
    async def test_each_session_is_asked_to_go_elsewhere_and_ended_when_the_time_is_over(self) -> None:
        async with house() as server:
            peers = [await server.client(name, "news") for name in ("phone-7", "")]
            await server.hub.drain()
            assert asyncio.get_running_loop().time() == START + DRAIN
            for peer in peers:
                assert peer.times("drain") == [START]
                assert 0 <= peer.the("drain").reconnect_after.ToTimedelta().total_seconds() <= DRAIN / 2
                assert leaving(peer) == (GOODBYE_REASON_SHUTDOWN, True)
                assert peer.over

    @virtual
    async def test_reconnects_are_spread(self) -> None:
        async with house() as server:
            numbers = iter([0.0, 0.25, 0.5, 0.75, *[0.0] * 4])
            server.hub._random = lambda: next(numbers)
            peers = [await server.client() for _ in range(4)]
            await server.hub.drain()
            after = [peer.the("drain").reconnect_after.ToTimedelta().total_seconds() for peer in peers]
            assert after == [0.0, 1.25 / 4 * DRAIN / 2, 2.5 / 4 * DRAIN / 2, 3.75 / 4 * DRAIN / 2]

    @virtual
    async def test_of_a_thousand_reconnects_no_tenth_of_a_second_gets_more_than_twice_its_share(self) -> None:
        async with house() as server:
            server.hub._random = random.Random(7).random
            peers = [await server.client() for _ in range(1000)]
            await server.hub.drain()
            after = sorted(peer.the("drain").reconnect_after.ToTimedelta().total_seconds() for peer in peers)
            most = max(bisect(after, at + 0.1) - number for number, at in enumerate(after))
            assert most <= 2 * 1000 * 0.1 / (DRAIN / 2)

    @virtual
    async def test_the_returns_of_those_who_stayed_to_the_end_are_spread_too(self) -> None:
        async with house() as server:
            peers = [await server.client() for _ in range(4)]
            await server.hub.drain()
            after = [peer.the("goodbye").after.ToTimedelta().total_seconds() for peer in peers]
            assert after == [0.5 / 4 * DRAIN / 2, 1.5 / 4 * DRAIN / 2, 2.5 / 4 * DRAIN / 2, 3.5 / 4 * DRAIN / 2]

    @virtual
    async def test_it_is_over_as_soon_as_everybody_has_gone(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            draining = asyncio.create_task(server.hub.drain())
            await asyncio.sleep(1.0)
            peer.say(goodbye={"returning": True})
            await draining
            assert asyncio.get_running_loop().time() == START + 1.0
            assert peer.over

    @virtual
    async def test_it_takes_no_time_when_nobody_is_there(self) -> None:
        async with house() as server:
            await server.hub.drain()
            assert asyncio.get_running_loop().time() == START

    @virtual
    async def test_sessions_go_on_meanwhile(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            draining = asyncio.create_task(server.hub.drain())
            await settle()
            peer.publish("news", "still here", id="p")
            await settle()
            assert peer.answer("p").HasField("published")
            assert peer.texts() == ["still here"]
            await draining

    @virtual
    async def test_a_hello_that_comes_meanwhile_is_refused(self) -> None:
        async with house() as server:
            peer = server.peer()
            draining = asyncio.create_task(server.hub.drain())
            await settle()
            peer.hello("phone-7")
            await settle()
            assert peer.fault is not None
            assert peer.fault.reason == "DRAINING"
            assert not await server.presence_events()
            await draining

    @pytest.mark.parametrize("words", [{"returning": True}, None], ids=["returning", "lost"])
    @virtual
    async def test_presence_waits_for_the_time_to_reconnect_and_the_grace_after_it(
        self, words: dict[str, bool] | None
    ) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            draining = asyncio.create_task(server.hub.drain())
            await settle()
            if words:
                peer.say(goodbye=words)
            else:
                peer.cut()
            await draining
            patience = 0.5 * DRAIN / 2 + GRACE
            await asyncio.sleep(patience - 0.001)
            assert len(await server.presence_events()) == 1
            await asyncio.sleep(0.002)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "SERVER_RESTARTED")]

    @virtual
    async def test_presence_of_who_stayed_to_the_end_waits_for_its_time_to_return_and_the_grace_after_it(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            await server.hub.drain()
            patience = peer.the("goodbye").after.ToTimedelta().total_seconds() + GRACE
            assert patience == 0.5 * DRAIN / 2 + GRACE
            await asyncio.sleep(patience - 0.001)
            assert len(await server.presence_events()) == 1
            await asyncio.sleep(0.002)
            assert len(await server.presence_events()) == 2

    @virtual
    async def test_who_reads_nothing_holds_it_up_for_no_more_than_a_second(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            peer.block()
            await server.publish("news", "one")
            await server.hub.drain()
            assert asyncio.get_running_loop().time() == START + DRAIN + 1.0
            assert peer.over
