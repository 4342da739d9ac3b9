"""A session that follows one at another node: that one ends soon, and with nothing to be seen of it."""

import asyncio

from heartline.v1.session_service_pb2 import GOODBYE_REASON_REPLACED
from service.nodes import LATE, here, nodes
from service.peer import Peer
from virtual_time import settle, virtual


def replaced(peer: Peer) -> bool:
    """Whether the server has ended it for another."""
    return peer.over and peer.the("goodbye").reason == GOODBYE_REASON_REPLACED


@virtual
async def test_it_is_ended_with_the_next_beat_of_its_node() -> None:
    async with nodes() as (all, one, two):
        old = await here(one)
        await two.client("phone-7", passive=True, replaces=old.session_id)
        await asyncio.sleep(LATE)
        assert replaced(old)
        assert (await two.hub.presence("phone-7"))[1] == 1
        assert await all.told() == [("phone-7", "true", "CONNECTED")]


@virtual
async def test_its_client_is_gone_as_soon_as_it_says_goodbye_at_the_other_node() -> None:
    async with nodes() as (all, one, two):
        old = await here(one)
        new = await two.client("phone-7", passive=True, replaces=old.session_id)
        await asyncio.sleep(LATE)
        new.say(goodbye={})
        assert await all.told() == [("phone-7", "true", "CONNECTED"), ("phone-7", "false", "GOODBYE")]


@virtual
async def test_a_session_of_another_client_goes_on() -> None:
    async with nodes() as (_, one, two):
        other, thief = await here(one, "phone-8"), await here(one)
        await two.client("phone-7", passive=True, replaces=other.session_id)
        await asyncio.sleep(LATE)
        assert not other.over
        assert not thief.over


@virtual
async def test_one_that_is_gone_already_is_no_error() -> None:
    async with nodes() as (_, one, two):
        old = await here(one)
        old.session.lost()
        new = await two.client("phone-7", passive=True, replaces=old.session_id)
        await asyncio.sleep(LATE)
        assert not new.over


@virtual
async def test_a_store_that_is_away_is_told_when_it_is_back() -> None:
    async with nodes() as (all, one, two):
        old = await here(one)
        all.shared.away = True
        await two.client("phone-7", passive=True, replaces=old.session_id)
        await asyncio.sleep(60.0)
        assert not old.over
        all.shared.away = False
        await asyncio.sleep(2 * LATE)
        await settle()
        assert replaced(old)
