"""Events that are gone, by retention, by a lost log, or on the way: told, never silent."""

import pytest
from client.fake_server import FakeServer, States, take
from heartline.errors import GapError
from heartline.events import GapReason, Position, Start
from virtual_time import eventually, settle, virtual


@virtual
async def test_a_gap_is_raised_once_and_iterating_goes_on_behind_it() -> None:
    server = FakeServer()
    server.publish("orders", *map(str, range(1, 11)))
    server.trim("orders", 8)
    async with server.line() as line:
        orders = line.subscribe("orders", after=Position("orders", "e1", 2))
        with pytest.raises(GapError, match="removed by retention") as caught:
            await anext(orders)
        assert caught.value.gap.reason is GapReason.TRIMMED
        assert (caught.value.gap.oldest_offset, caught.value.gap.latest_offset) == (8, 10)
        assert caught.value.position == orders.position == Position("orders", "e1", 7)
        assert await take(orders, 3) == ["8", "9", "10"]


@virtual
async def test_a_gap_can_be_passed_over_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    server = FakeServer()
    server.publish("orders", *map(str, range(1, 11)))
    server.trim("orders", 8)
    async with server.line() as line:
        orders = line.subscribe("orders", after=Position("orders", "e1", 2), on_gap="continue")
        assert await take(orders, 3) == ["8", "9", "10"]
    assert [record.levelname for record in caplog.records if "retention" in record.message] == ["WARNING"]


@virtual
async def test_a_log_that_was_lost_is_told_and_read_from_its_beginning() -> None:
    server = FakeServer()
    async with server.line() as line:
        orders = line.subscribe("orders", start=Start.EARLIEST)
        server.publish("orders", "old 1", "old 2")
        assert await take(orders, 2) == ["old 1", "old 2"]
        server.cut()
        server.epoch = "e2"
        server.logs.clear()
        server.publish("orders", "new 1")
        with pytest.raises(GapError) as caught:
            await anext(orders)
        assert caught.value.gap.reason is GapReason.EPOCH_CHANGED
        event = await anext(orders)
        assert (event.data, event.position) == ("new 1", Position("orders", "e2", 1))


@virtual
async def test_missing_events_without_a_gap_end_the_session_and_are_fetched_by_the_next() -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append) as line, line.subscribe("orders") as orders:
        await settle()
        server.sessions[0].cursors["orders"] = 1
        server.sessions[0].acked["orders"] = 1
        server.publish("orders", "1", "2")
        assert await take(orders, 2) == ["1", "2"]
    assert "events of 'orders' are missing" in states[1].reason


@virtual
async def test_events_that_were_lost_on_the_way_are_noticed_by_the_next_heartbeat() -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append) as line, line.subscribe("orders") as orders:
        await settle()
        session = server.sessions[0]
        session.events_sent += 3
        await eventually(lambda: "waiting" in states.names)
        assert "events were lost on the way" in states[1].reason
        await eventually(lambda: line.state.name == "online")
        assert orders.position == Position("orders", "e1", 0)
