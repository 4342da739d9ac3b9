"""Leases across nodes that share a store: they are the client's, wherever it checks in, polls, or checks out."""

import asyncio

from heartline_service import checks
from heartline_service.presence.shared_roster import SLACK
from service.nodes import LATE, LOST, cut_off, here, nodes, online
from virtual_time import settle, virtual

TTL = checks.DEFAULT_TTL


class TestLeases:
    @virtual
    async def test_a_lease_outlives_the_node_where_the_client_checked_in(self) -> None:
        async with nodes() as (all, one, two):
            await one.hub.check_in("phone-7", 60.0, "")
            await settle()
            cut_off(one)
            await asyncio.sleep(59.0)
            assert await online(two)
            await asyncio.sleep(1.0 + LATE)
            assert await all.told() == [("phone-7", "true", "CHECKED_IN"), ("phone-7", "false", "LEASE_EXPIRED")]

    @virtual
    async def test_any_node_extends_it(self) -> None:
        async with nodes() as (all, one, two):
            await one.hub.check_in("phone-7", 60.0, "")
            await asyncio.sleep(50.0)
            await two.hub.check_in("phone-7", 60.0, "")
            await asyncio.sleep(59.0)
            assert await all.told() == [("phone-7", "true", "CHECKED_IN")]

    @virtual
    async def test_any_node_ends_it_by_a_check_out(self) -> None:
        async with nodes() as (all, one, two):
            await one.hub.check_in("phone-7", 60.0, "")
            await settle()
            two.hub.roster.check_out("phone-7")
            assert await all.told() == [("phone-7", "true", "CHECKED_IN"), ("phone-7", "false", "CHECKED_OUT")]

    @virtual
    async def test_a_poll_that_began_before_a_check_out_elsewhere_does_not_renew_it(self) -> None:
        async with nodes() as (all, one, two):
            ended = one.hub.roster.poll_began("phone-7")
            await settle()
            two.hub.roster.check_out("phone-7")
            await asyncio.sleep(3 * TTL)
            ended()
            assert await all.told() == [("phone-7", "true", "POLLED"), ("phone-7", "false", "CHECKED_OUT")]

    @virtual
    async def test_a_poll_after_a_check_out_elsewhere_is_told(self) -> None:
        async with nodes() as (all, one, two):
            one.hub.roster.poll_began("phone-7")()
            await settle()
            two.hub.roster.check_out("phone-7")
            await settle()
            one.hub.roster.poll_began("phone-7")
            assert [told[1] for told in await all.told()] == ["true", "false", "true"]

    @virtual
    async def test_a_pending_poll_holds_its_client_and_for_a_ttl_after_it(self) -> None:
        async with nodes() as (all, one, two):
            ended = one.hub.roster.poll_began("phone-7")
            await asyncio.sleep(10 * TTL)
            ended()
            await asyncio.sleep(TTL - LATE)
            assert await online(two)
            await asyncio.sleep(TTL * SLACK)
            assert await all.told() == [("phone-7", "true", "POLLED"), ("phone-7", "false", "LEASE_EXPIRED")]

    @virtual
    async def test_a_check_out_ends_a_grace_at_another_node(self) -> None:
        async with nodes() as (all, one, two):
            (await here(one)).session.lost()
            await settle()
            two.hub.roster.check_out("phone-7")
            assert await all.told() == [("phone-7", "true", "CONNECTED"), ("phone-7", "false", "CHECKED_OUT")]

    @virtual
    async def test_leases_that_ended_while_the_store_was_away_get_time_to_be_renewed(self) -> None:
        async with nodes() as (all, one, two):
            await one.hub.check_in("phone-7", 30.0, "")
            await settle()
            all.shared.away = True
            await asyncio.sleep(60.0)
            all.shared.away = False
            await asyncio.sleep(LATE)
            assert await online(two)
            await asyncio.sleep(LOST + LATE)
            assert not await online(two)
