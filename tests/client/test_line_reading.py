"""Reading over the stream: order, resuming, credit, acks."""

import asyncio

import pytest
from client.fake_server import FakeServer, States, take
from heartline.errors import Conflict, InvalidRequest
from heartline.events import Event, LineState, Position, Start
from virtual_time import eventually, settle, virtual


@virtual
async def test_events_reach_the_loop_in_order() -> None:
    server = FakeServer()
    async with server.line() as line, line.subscribe("orders") as orders:
        await settle()
        server.publish("orders", "one", "two")
        server.publish("orders", "three")
        assert await take(orders, 3) == ["one", "two", "three"]
        assert orders.position == Position("orders", "e1", 3)


@virtual
async def test_a_lost_connection_is_resumed_without_loss_or_repeat() -> None:
    server = FakeServer()
    async with server.line() as line, line.subscribe("orders") as orders:
        await settle()
        server.publish("orders", "1", "2", "3")
        assert await take(orders, 2) == ["1", "2"]
        server.cut()
        server.publish("orders", "4", "5")
        assert await take(orders, 3) == ["3", "4", "5"]
        server.cut()
        await eventually(lambda: line.state.name == "online")
        server.publish("orders", "6")
        assert await take(orders, 1) == ["6"]


@virtual
async def test_a_handler_that_takes_minutes_costs_neither_the_session_nor_memory() -> None:
    server = FakeServer()
    async with server.line() as line, line.subscribe("orders", max_unacked=4) as orders:
        await settle()
        server.publish("orders", *map(str, range(50)))
        seen = []
        async for event in orders:
            await asyncio.sleep(180)
            assert len(orders.inbox) <= 4
            seen.append(event.data)
            if len(seen) == 50:
                break
        assert seen == list(map(str, range(50)))
        assert len(server.hellos) == 1


@virtual
async def test_the_buffer_stays_bounded_however_often_the_connection_breaks() -> None:
    server = FakeServer()
    async with server.line() as line, line.subscribe("orders", max_unacked=5) as orders:
        await settle()
        server.publish("orders", *map(str, range(100)))
        seen: list[str] = []
        for _ in range(20):
            seen += await take(orders, 5)
            server.cut()
            await eventually(lambda: line.state.name == "online")
            assert len(orders.inbox) <= 5
        assert seen == list(map(str, range(100)))


@virtual
async def test_a_fast_loop_acknowledges_half_of_the_credit_at_a_time_and_the_rest_when_it_waits() -> None:
    server = FakeServer()
    async with server.line() as line, line.subscribe("orders", max_unacked=10) as orders:
        await settle()
        server.publish("orders", *map(str, range(7)))
        await take(orders, 7)
        waiting = asyncio.create_task(anext(orders))
        await settle()
        acks = [frame.ack.positions[0].offset for frame in server.frames if frame.HasField("ack")]
        assert acks == [6, 7]
        server.publish("orders", "last")
        await waiting


@virtual
async def test_an_event_counts_as_handled_only_when_the_loop_asks_for_the_next() -> None:
    server = FakeServer()
    server.stored_acks["phone-7", "orders"] = 0
    server.publish("orders", "1", "2", "3")
    async with server.line() as line, line.subscribe("orders", start=Start.ACKED) as orders:
        assert await take(orders, 2) == ["1", "2"]
    assert server.stored_acks["phone-7", "orders"] == 1
    async with server.line() as line, line.subscribe("orders", start=Start.ACKED) as orders:
        assert await take(orders, 2) == ["2", "3"]


@virtual
@pytest.mark.parametrize("transport", ["stream", "poll"])
async def test_a_crash_repeats_the_unfinished_event_alone(transport: str) -> None:
    server = FakeServer()
    server.publish("orders", *map(str, range(10)))
    async with server.line(transport=transport) as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        for handled in range(10):
            await anext(orders)
            await asyncio.sleep(0.1)
            assert server.stored_acks.get(("phone-7", "orders"), 0) == handled


@virtual
async def test_what_was_buffered_before_a_reconnect_is_acknowledged_before_the_channel_is_subscribed_anew() -> None:
    server = FakeServer()
    server.publish("orders", *map(str, range(10)))
    async with server.line() as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        await take(orders, 3)
        server.cut()
        await eventually(lambda: len(server.hellos) == 2)
        await take(orders, 3)
    assert server.stored_acks["phone-7", "orders"] == 5


@virtual
@pytest.mark.parametrize("transport", ["stream", "poll"])
async def test_a_line_that_has_come_up_misses_nothing_of_what_was_subscribed_before(
    transport: str,
) -> None:
    server = FakeServer()
    places: list[Position | None] = []

    def note(state: LineState) -> None:
        if state.name in ("online", "polling"):
            places.append(orders.position)

    async with server.line(transport=transport, on_state=note) as line:
        orders = line.subscribe("orders")
        await eventually(lambda: places)
    assert places == [Position("orders", "e1", 0)]


@virtual
async def test_an_ack_that_may_be_lost_is_sent_again_after_a_reconnect() -> None:
    server = FakeServer()
    async with server.line() as line, line.subscribe("orders") as orders:
        await settle()
        server.publish("orders", "1")
        await take(orders, 1)
        waiting = asyncio.create_task(anext(orders))
        await settle()
        server.stored_acks.clear()
        server.cut()
        await settle()
        await eventually(lambda: server.stored_acks)
        assert server.stored_acks == {("phone-7", "orders"): 1}
        waiting.cancel()
        await settle()


@virtual
async def test_a_named_start_is_used_only_until_a_place_is_known() -> None:
    server = FakeServer()
    async with server.line() as line, line.subscribe("orders", start=Start.LATEST) as orders:
        await settle()
        server.cut()
        server.publish("orders", "while away")
        assert await take(orders, 1) == ["while away"]


@virtual
async def test_a_second_subscription_to_a_channel_is_a_clear_error() -> None:
    server = FakeServer()
    async with server.line() as line:
        first = line.subscribe("orders")
        with pytest.raises(Conflict, match="reads 'orders' already"):
            line.subscribe("orders")
        await first.aclose()
        line.subscribe("orders")


@virtual
async def test_leaving_a_subscription_unsubscribes_and_the_channel_can_be_read_anew() -> None:
    server = FakeServer()
    async with server.line() as line:
        async with line.subscribe("orders") as orders:
            await settle()
            server.publish("orders", "1", "2")
            await take(orders, 1)
        with pytest.raises(StopAsyncIteration):
            await anext(orders)
        again = line.subscribe("orders", start=Start.EARLIEST)
        assert await take(again, 2) == ["1", "2"]
        assert [f.unsubscribe.channel for f in server.frames if f.HasField("unsubscribe")] == ["orders"]


@virtual
async def test_events_of_an_older_subscription_that_are_still_on_their_way_are_ignored() -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append) as line:
        older = line.subscribe("orders")
        await settle()
        server.publish("orders", "1")
        await take(older, 1)
        await older.aclose()
        newer = line.subscribe("orders", after=Position("orders", "e1", 0))
        server.publish("orders", "2")
        assert await take(newer, 2) == ["1", "2"]
        assert states.names == ["online"]


@virtual
async def test_a_subscription_that_the_server_refuses_raises_its_error() -> None:
    server = FakeServer()
    async with server.line() as line:
        with pytest.raises(InvalidRequest) as caught:
            await anext(line.subscribe("$secret"))
        assert caught.value.reason == "RESERVED_CHANNEL"
        await eventually(lambda: line.state.name == "online")


@virtual
async def test_two_tasks_cannot_share_a_subscription() -> None:
    server = FakeServer()
    async with server.line() as line:
        orders = line.subscribe("orders")
        first = asyncio.create_task(anext(orders))
        await settle()
        with pytest.raises(RuntimeError, match="two tasks"):
            await anext(orders)
        first.cancel()
        await settle()


@virtual
async def test_an_event_knows_its_place() -> None:
    server = FakeServer()
    async with server.line() as line:
        orders = line.subscribe("orders", start=Start.EARLIEST)
        server.publish("orders", "x")
        event: Event = await anext(orders)
        assert event.position == Position("orders", "e1", 1)
        assert event.publish_time.isoformat() == "2027-01-15T08:00:00+00:00"
