"""Who counts as online by its polls and check-ins, in virtual time."""

import asyncio

from heartline.v1.events_pb2 import START_EARLIEST, Position, Subscription
from service.peer import house
from service.poll import poll
from virtual_time import settle, virtual

WAIT, TTL = 60.0, 60.0


class TestPresence:
    @virtual
    async def test_a_client_is_online_while_its_poll_is_pending_and_for_the_default_lease_after_it(self) -> None:
        async with house() as server:
            await poll(server, "news", client_id="phone-7", wait=WAIT)
            await asyncio.sleep(TTL - 0.001)
            assert await server.presence_events() == [("phone-7", "true", "POLLED")]
            await asyncio.sleep(0.002)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "LEASE_EXPIRED")]

    @virtual
    async def test_a_poll_that_was_given_up_counts_until_then(self) -> None:
        async with house() as server:
            pending = asyncio.create_task(poll(server, "news", client_id="phone-7", wait=WAIT))
            await asyncio.sleep(30.0)
            pending.cancel()
            await asyncio.sleep(TTL - 0.001)
            assert len(await server.presence_events()) == 1
            await asyncio.sleep(0.002)
            assert len(await server.presence_events()) == 2

    @virtual
    async def test_a_check_out_takes_it_offline_under_a_pending_poll_whose_end_renews_nothing(self) -> None:
        async with house() as server:
            pending = asyncio.create_task(poll(server, "news", client_id="phone-7", wait=WAIT))
            await settle()
            server.hub.roster.check_out("phone-7")
            await settle()
            assert (await server.presence_events())[1:] == [("phone-7", "false", "CHECKED_OUT")]
            await pending
            await settle()
            assert not (await server.hub.presence("phone-7"))[0].online

    @virtual
    async def test_a_poll_without_a_name_is_nobody(self) -> None:
        async with house() as server:
            await poll(server, "news", wait=WAIT)
            assert not await server.presence_events()

    @virtual
    async def test_a_check_in_tells_whether_events_wait_behind_the_acks(self) -> None:
        async with house() as server:
            await server.publish("news", "one")
            assert not (await server.hub.check_in("phone-7", TTL, ""))[1]
            await poll(server, "news", client_id="phone-7")
            assert not (await server.hub.check_in("phone-7", TTL, ""))[1]
            await server.publish("news", "two")
            assert (await server.hub.check_in("phone-7", TTL, ""))[1]
            await server.hub.ack("phone-7", [Position(channel="news", offset=2)])
            assert not (await server.hub.check_in("phone-7", TTL, ""))[1]


@virtual
async def test_presence_is_read_like_any_channel() -> None:
    async with house() as server:
        pending = asyncio.create_task(poll(server, Subscription(channel="$presence", start=START_EARLIEST), wait=WAIT))
        await settle()
        await server.client("phone-7", status="fine")
        ((batch,), _) = await pending
        (event,) = batch.events
        assert dict(event.attributes) == {
            "client_id": "phone-7",
            "online": "true",
            "reason": "CONNECTED",
            "status": "fine",
        }
        assert event.text == "phone-7 is online: connected"
