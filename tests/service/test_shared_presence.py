"""Presence across nodes that share a store: who is there is one thing, wherever a client calls."""

import asyncio

from service.nodes import LATE, LOST, cut_off, here, nodes, online
from service.peer import GRACE
from virtual_time import settle, virtual


class TestSessions:
    @virtual
    async def test_the_first_in_and_the_last_out_are_told_and_no_others(self) -> None:
        async with nodes() as (all, one, two):
            first, second = await here(one), await here(two)
            assert (await two.hub.presence("phone-7"))[1] == 2
            first.say(goodbye={})
            await settle()
            assert await online(one)
            second.say(goodbye={})
            assert await all.told() == [("phone-7", "true", "CONNECTED"), ("phone-7", "false", "GOODBYE")]

    @virtual
    async def test_who_reconnects_elsewhere_within_the_grace_does_not_flicker(self) -> None:
        async with nodes() as (all, one, two):
            (await here(one)).session.lost()
            await asyncio.sleep(GRACE - 1.0)
            await here(two)
            await asyncio.sleep(10 * GRACE)
            assert await all.told() == [("phone-7", "true", "CONNECTED")]

    @virtual
    async def test_who_does_not_return_is_gone_after_the_grace_with_the_reason_of_its_loss(self) -> None:
        async with nodes() as (all, one, two):
            (await here(one)).session.lost()
            await asyncio.sleep(GRACE - 0.1)
            assert await online(two)
            await asyncio.sleep(0.2)
            assert await all.told() == [("phone-7", "true", "CONNECTED"), ("phone-7", "false", "CONNECTION_LOST")]


class TestNodes:
    @virtual
    async def test_the_clients_of_a_node_that_died_are_gone_after_its_lease_and_their_grace(self) -> None:
        async with nodes() as (all, one, two):
            await here(one)
            cut_off(one)
            await asyncio.sleep(LOST - LATE)
            assert await online(two)
            await asyncio.sleep(2 * LATE)
            assert await all.told() == [("phone-7", "true", "CONNECTED"), ("phone-7", "false", "SERVER_RESTARTED")]

    @virtual
    async def test_very_many_of_them_are_gone_soon(self) -> None:
        async with nodes() as (all, one, _):
            for number in range(250):
                one.hub.roster.session_opened(f"phone-{number}", "")
            await settle()
            cut_off(one)
            await asyncio.sleep(LOST + 3 * LATE)
            assert len(await all.told()) == 500

    @virtual
    async def test_those_that_reconnect_elsewhere_meanwhile_never_flicker(self) -> None:
        async with nodes() as (all, one, two):
            await here(one)
            cut_off(one)
            await asyncio.sleep(LOST - LATE)
            await here(two)
            await asyncio.sleep(10 * LOST)
            assert await all.told() == [("phone-7", "true", "CONNECTED")]

    @virtual
    async def test_a_node_that_was_cut_off_tells_its_own_clients_anew_and_takes_nobody_with_it(self) -> None:
        async with nodes() as (all, one, two):
            await here(one)
            await here(two, "phone-8")
            cut_off(one)
            await asyncio.sleep(10 * LOST)
            cut_off(one, cut=False)
            await asyncio.sleep(10 * LOST)
            assert await all.told() == [
                ("phone-7", "true", "CONNECTED"),
                ("phone-8", "true", "CONNECTED"),
                ("phone-7", "false", "SERVER_RESTARTED"),
                ("phone-7", "true", "CONNECTED"),
            ]

    @virtual
    async def test_a_client_that_moved_while_its_node_was_cut_off_does_not_flicker_when_it_is_back(self) -> None:
        async with nodes() as (all, one, two):
            peer = await here(one)
            cut_off(one)
            await here(two)
            await asyncio.sleep(10 * LOST)
            peer.session.lost()
            await asyncio.sleep(GRACE * 2)
            cut_off(one, cut=False)
            await asyncio.sleep(10 * LOST)
            assert await all.told() == [("phone-7", "true", "CONNECTED")]
            assert (await two.hub.presence("phone-7"))[1] == 1

    @virtual
    async def test_a_store_that_was_away_for_long_takes_nobody(self) -> None:
        async with nodes() as (all, one, two):
            await here(one)
            await here(two, "phone-8")
            all.shared.away = True
            await asyncio.sleep(10 * LOST)
            all.shared.away = False
            await asyncio.sleep(10 * LOST)
            assert [told[1] for told in await all.told()] == ["true", "true"]

    @virtual
    async def test_a_store_that_was_emptied_learns_who_is_there(self) -> None:
        async with nodes() as (all, one, two):
            await here(one)
            all.shared.empty()
            await asyncio.sleep(LATE)
            assert await online(two)

    @virtual
    async def test_who_does_not_return_after_a_node_has_left_is_gone_after_its_grace(self) -> None:
        async with nodes() as (_, one, two):
            (await here(one)).session.lost()
            await one.hub.stop()
            await asyncio.sleep(GRACE - 0.1)
            assert await online(two)
            await asyncio.sleep(LATE)
            assert not await online(two)

    @virtual
    async def test_a_restart_of_all_nodes_is_not_a_mass_expiry(self) -> None:
        async with nodes() as (all, one, two):
            await here(one)
            await here(two, "phone-8")
            for house in (one, two):
                cut_off(house)
            await asyncio.sleep(3600.0)
            three = await all.start()
            await asyncio.sleep(LOST - LATE)
            await here(three)
            await asyncio.sleep(LOST)
            assert (await all.told())[2:] == [("phone-8", "false", "SERVER_RESTARTED")]


@virtual
async def test_nothing_of_a_client_that_is_gone_stays_in_memory() -> None:
    async with nodes() as (_, one, two):
        for number in range(10):
            peer = await here(one, f"phone-{number}")
            await two.hub.check_in(f"phone-{number}", 1.0, "")
            peer.say(goodbye={})
        await asyncio.sleep(LOST)
        assert [house.hub.roster._entries for house in (one, two)] == [{}, {}]


@virtual
async def test_what_could_not_be_stored_is_stored_when_the_store_is_back() -> None:
    async with nodes() as (all, one, two):
        peer = await here(one)
        all.shared.away = True
        peer.say(goodbye={})
        await here(two, "phone-8")
        await asyncio.sleep(60.0)
        all.shared.away = False
        await asyncio.sleep(LATE)
        assert sorted(await all.told()) == [
            ("phone-7", "false", "GOODBYE"),
            ("phone-7", "true", "CONNECTED"),
            ("phone-8", "true", "CONNECTED"),
        ]
