"""Presence of all clients: the events that tell it, the leases that end it, restarts, and a store that fails."""

import asyncio

import pytest
from heartline_service.faults import Fault
from heartline_service.stores.base import NewMessage, PresenceRecord
from service.fragile import FragileStore
from service.peer import GRACE, House, house, until
from virtual_time import settle, virtual, wall_clock

TTL = 60.0


async def check_in(server: House, client_id: str, ttl: float = TTL, status: str = "") -> float:
    """Checks in, and returns the promised end of the lease, in Unix time."""
    until, _ = await server.hub.check_in(client_id, ttl, status)
    await settle()
    return until


class TestChanges:
    @virtual
    async def test_each_is_an_event_in_the_order_in_which_it_happened(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            await check_in(server, "phone-8")
            peer.say(goodbye={})
            await settle()
            server.hub.roster.check_out("phone-8")
            await server.client("phone-7")
            assert await server.presence_events() == [
                ("phone-7", "true", "CONNECTED"),
                ("phone-8", "true", "CHECKED_IN"),
                ("phone-7", "false", "GOODBYE"),
                ("phone-8", "false", "CHECKED_OUT"),
                ("phone-7", "true", "CONNECTED"),
            ]

    @virtual
    async def test_many_at_once_keep_their_order(self) -> None:
        async with house() as server:
            names = [f"phone-{number:03}" for number in range(200)]
            peers = [server.peer() for _ in names]
            for peer, name in zip(peers, names, strict=True):
                peer.hello(name)
            for peer in peers:
                peer.say(goodbye={})
            await settle()
            told = await server.presence_events()
            assert [one[0] for one in told] == [*names, *names]
            assert [one[1] for one in told] == ["true"] * 200 + ["false"] * 200

    @virtual
    async def test_a_watcher_sees_them_as_they_happen(self) -> None:
        async with house() as server:
            watcher = await server.client("", "$presence")
            peer = await server.client("phone-7", status="battery 80%")
            peer.say(heartbeat={"sequence": 1, "status": "battery 79%"})
            peer.say(goodbye={})
            await settle()
            events = [event for batch in watcher.batches() for event in batch.events]
            assert [event.text for event in events] == [
                "phone-7 is online: connected",
                "phone-7 is offline: said goodbye",
            ]
            assert [event.attributes["status"] for event in events] == ["battery 80%", "battery 79%"]

    @virtual
    async def test_the_record_says_the_same_as_the_event(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", status="fine")
            await until(5.0)
            peer.say(goodbye={})
            await settle()
            record, sessions = await server.hub.presence("phone-7")
            assert (record.online, record.reason, record.status, sessions) == (False, "GOODBYE", "fine", 0)
            assert record.changed_at == wall_clock()
            assert await server.store.presence("phone-7") == record

    @virtual
    async def test_who_was_never_seen_is_not_known_and_looking_makes_nobody_known(self) -> None:
        async with house() as server:
            server.hub.roster.check_out("phone-7")
            await settle()
            with pytest.raises(Fault) as refused:
                await server.hub.presence("phone-7")
            assert (refused.value.reason, refused.value.field) == ("CLIENT_NOT_FOUND", "client_id")
            assert not await server.store.presences("", 10, None)

    @virtual
    async def test_who_left_costs_no_memory(self) -> None:
        async with house() as server:
            for number in range(20):
                await check_in(server, f"phone-{number}", ttl=1.0)
            await until(2.0)
            assert not server.hub.roster._entries
            assert len(await server.store.presences("", 100, online=False)) == 20

    @virtual
    async def test_a_status_does_not_outlive_the_time_online_though_the_store_is_slow(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", status="battery 80%")
            server.store.hang()
            peer.say(goodbye={})
            await settle()
            await server.client("phone-7")
            assert (await server.hub.presence("phone-7"))[0].status == ""

    @virtual
    async def test_a_page_of_many_is_one_question_to_the_store(self) -> None:
        async with house() as server:
            for number in range(20):
                await check_in(server, f"phone-{number:02}", ttl=1.0)
            await until(2.0)
            listed = await server.hub.roster.page("", 100, None)
            assert [(record.client_id, record.online, sessions) for record, sessions in listed] == [
                (f"phone-{number:02}", False, 0) for number in range(20)
            ]
            assert server.store.reads == 0


class TestLeases:
    @virtual
    async def test_a_lease_ends_on_time(self) -> None:
        async with house() as server:
            promised = await check_in(server, "phone-7")
            assert promised == wall_clock() + TTL
            await until(TTL - 0.001)
            assert await server.presence_events() == [("phone-7", "true", "CHECKED_IN")]
            await until(TTL)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "LEASE_EXPIRED")]

    @virtual
    async def test_a_lease_that_is_extended_ends_later(self) -> None:
        async with house() as server:
            await check_in(server, "phone-7")
            await until(50.0)
            assert await check_in(server, "phone-7") == wall_clock() + TTL
            await until(50.0 + TTL - 0.001)
            assert len(await server.presence_events()) == 1
            await until(50.0 + TTL)
            assert len(await server.presence_events()) == 2

    @virtual
    async def test_a_shorter_check_in_shortens_nothing_and_promises_the_longer(self) -> None:
        async with house() as server:
            promised = await check_in(server, "phone-7")
            assert await check_in(server, "phone-7", ttl=1.0) == promised
            await until(TTL - 0.001)
            assert len(await server.presence_events()) == 1

    @virtual
    async def test_a_stored_lease_never_ends_before_the_promised_one(self) -> None:
        async with house() as server:
            for second in range(200):
                await until(float(second))
                promised = await check_in(server, "phone-7")
                stored = await server.store.presence("phone-7")
                assert stored is not None
                assert stored.lease_until >= promised

    @virtual
    async def test_a_client_that_checks_in_all_the_time_costs_a_write_now_and_then(self) -> None:
        async with house() as server:
            writes = 0
            save = server.store.save_presence

            async def count(record: PresenceRecord, event: NewMessage | None, now: float) -> None:
                nonlocal writes
                writes += 1
                await save(record, event, now)

            server.store.save_presence = count  # type: ignore[method-assign]
            for second in range(300):
                await until(float(second))
                await check_in(server, "phone-7")
            assert writes <= 1 + 300 / (TTL / 2)

    @virtual
    async def test_a_check_out_is_stored_though_the_session_stays(self) -> None:
        async with house() as server:
            await server.client("phone-7")
            await check_in(server, "phone-7")
            server.hub.roster.check_out("phone-7")
            await settle()
            stored = await server.store.presence("phone-7")
            assert stored is not None
            assert (stored.online, stored.lease_until) == (True, 0.0)


class TestRestart:
    @virtual
    async def test_who_returns_within_the_grace_does_not_flicker(self) -> None:
        store = FragileStore()
        async with house(store=store) as server:
            await server.client("phone-7")
            await check_in(server, "phone-8", ttl=1.0)
            told = await server.presence_events()
        await asyncio.sleep(100.0)
        async with house(store=store) as server:
            await asyncio.sleep(GRACE - 0.001)
            await server.client("phone-7")
            await check_in(server, "phone-8")
            await asyncio.sleep(GRACE)
            assert await server.presence_events() == told

    @virtual
    async def test_who_does_not_return_is_told_after_the_grace(self) -> None:
        store = FragileStore()
        async with house(store=store) as server:
            await server.client("phone-7")
        async with house(store=store) as server:
            await until(GRACE - 0.001)
            assert len(await server.presence_events()) == 1
            await until(GRACE)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "SERVER_RESTARTED")]

    @virtual
    async def test_a_lease_goes_on(self) -> None:
        store = FragileStore()
        async with house(store=store) as server:
            await check_in(server, "phone-7")
        await asyncio.sleep(10.0)
        async with house(store=store) as server:
            await until(TTL - 0.001)
            assert (await server.hub.presence("phone-7"))[0].online
            await asyncio.sleep(TTL)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "LEASE_EXPIRED")]

    @virtual
    async def test_who_was_offline_stays_so_and_nothing_is_told(self) -> None:
        store = FragileStore()
        async with house(store=store) as server:
            peer = await server.client("phone-7")
            peer.say(goodbye={})
            await settle()
            told = await server.presence_events()
        async with house(store=store) as server:
            await until(100.0)
            assert await server.presence_events() == told

    @virtual
    async def test_more_clients_than_a_page_are_taken_over(self) -> None:
        store = FragileStore()
        async with house(store=store) as server:
            for number in range(1001):
                server.hub.roster.check_in(f"phone-{number}", 1.0, "")
            await settle()
        async with house(store=store) as server:
            await until(GRACE)
            assert len(await store.presences("", 2000, online=False)) == 1001
