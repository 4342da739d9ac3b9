"""Reading at a node that has not heard yet of what another has shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from heartline.v1.events_pb2 import GAP_REASON_AHEAD, Position
from service.news import ACKED, after, numbers, with_news
from service.nodes import nodes
from service.peer import House
from service.poll import poll, texts
from virtual_time import virtual


@asynccontextmanager
async def one_behind() -> AsyncIterator[tuple[House, House]]:
    """Two nodes; the second read the channel, and then heard nothing of three events."""
    async with nodes() as (_, one, two):
        await poll(two, after(0))
        two.store.deaf = True
        await with_news(one, 3)
        yield one, two


@virtual
async def test_a_client_goes_on_there_from_where_it_was() -> None:
    async with one_behind() as (_, two):
        peer = await two.client("", after(2))
        assert peer.texts() == ["3"]
        assert not any(batch.HasField("gap") for batch in peer.batches())


@virtual
async def test_a_poll_goes_on_there_from_where_it_was() -> None:
    async with one_behind() as (_, two):
        batches, _ = await poll(two, after(2))
        assert texts(batches) == ["3"]


@virtual
async def test_an_ack_is_taken_there_and_read_from() -> None:
    async with one_behind() as (_, two):
        await two.hub.ack("phone-7", [Position(channel="news", offset=2)])
        batches, _ = await poll(two, ACKED, client_id="phone-7")
        assert texts(batches) == ["3"]


@virtual
async def test_an_ack_from_elsewhere_is_where_reading_begins() -> None:
    async with one_behind() as (one, two):
        await one.hub.ack("phone-7", [Position(channel="news", offset=2)])
        batches, _ = await poll(two, ACKED, client_id="phone-7")
        assert texts(batches) == ["3"]


@virtual
async def test_events_of_which_the_node_has_not_heard_are_read_when_it_has() -> None:
    async with nodes() as (_, one, two):
        await with_news(one, 3)
        await poll(two, after(3))
        two.store.deaf = True
        await one.publish("news", "4", "5")
        peer = await two.client("", after(0))
        assert peer.texts() == numbers(1, 3)
        two.store.deaf = False
        await one.publish("news", "6")
        assert peer.texts() == numbers(1, 6)
        assert not any(batch.HasField("gap") for batch in peer.batches())


@virtual
async def test_a_position_that_no_node_ever_gave_is_still_told() -> None:
    async with one_behind() as (_, two):
        batches, _ = await poll(two, after(1000))
        assert batches[0].gap.reason == GAP_REASON_AHEAD
        assert batches[0].gap.latest_offset == 3
