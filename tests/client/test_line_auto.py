"""transport="auto": falling back to polling in each of its cases, and the way back, without loss or repeat."""

import asyncio

import grpc
import pytest
from client.fake_server import FakeServer, States, take
from client.statuses import status
from heartline.errors import InvalidRequest
from heartline.events import Start
from heartline.stream import OPENING_TIMEOUT
from virtual_time import eventually, settle, virtual


@virtual
async def test_a_refused_stream_falls_back_at_once() -> None:
    server, states = FakeServer(), States()
    server.stream = "refuse"
    async with server.line(on_state=states.append) as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        server.publish("orders", "1")
        assert await take(orders, 1) == ["1"]
        assert line.state.name == "polling"
        assert "UNIMPLEMENTED" in line.state.reason
    assert states.names == ["connecting", "polling", "closed"]


@virtual
async def test_a_stream_that_a_proxy_swallows_falls_back_after_the_opening_timeout() -> None:
    server = FakeServer()
    server.stream = "swallow"
    async with server.line() as line:
        start = asyncio.get_running_loop().time()
        await eventually(lambda: line.state.name == "polling")
        assert asyncio.get_running_loop().time() - start == pytest.approx(OPENING_TIMEOUT)
        assert "no welcome" in line.state.reason


@virtual
async def test_a_stream_that_is_cut_again_and_again_falls_back_at_the_third_time() -> None:
    server = FakeServer()
    async with server.line() as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        for number in ("1", "2", "3"):
            await eventually(lambda: line.state.name == "online")
            server.publish("orders", number)
            assert await take(orders, 1) == [number]
            server.cut()
            await settle()
        assert len(server.hellos) == 3
        assert line.state.name == "polling"
        server.publish("orders", "4")
        assert await take(orders, 1) == ["4"]


@virtual
async def test_a_proxy_that_answers_with_an_http_error_falls_back_at_the_third_time() -> None:
    server = FakeServer()
    server.stream = "refuse"
    server.refusal = status(grpc.StatusCode.UNAVAILABLE, text="HTTP 503")
    async with server.line() as line:
        await eventually(lambda: line.state.name == "polling")
        assert len(server.dials_at) == 3


@virtual
async def test_the_stream_is_tried_beside_polling_at_growing_distances_and_polling_never_stops() -> None:
    server, states = FakeServer(), States()
    server.stream = "refuse"
    async with server.line(on_state=states.append) as line:
        await asyncio.sleep(200)
        assert line.state.name == "polling"
        tried = [round(at - server.dials_at[0]) for at in server.dials_at]
        assert tried == [0, 5, 15, 35, 75, 135, 195]
    assert states.names == ["connecting", "polling", "closed"]


@virtual
async def test_the_line_returns_to_the_stream_without_loss_or_repeat() -> None:
    server = FakeServer()
    server.stream = "refuse"
    async with server.line() as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        server.publish("orders", "1", "2", "3")
        assert await take(orders, 1) == ["1"]
        server.stream = "accept"
        await eventually(lambda: line.state.name == "online")
        server.publish("orders", "4", "5")
        assert await take(orders, 4) == ["2", "3", "4", "5"]


@virtual
async def test_events_published_at_any_moment_of_the_changes_come_once_and_in_order() -> None:
    server = FakeServer()

    async def publish_all() -> None:
        for number in range(400):
            server.publish("orders", str(number))
            await asyncio.sleep(0.25)

    async def trouble() -> None:
        for stream in ("refuse", "accept", "refuse", "accept"):
            await asyncio.sleep(25)
            server.stream = stream
            if stream == "refuse":
                server.cut()

    async with server.line() as line, line.subscribe("orders", start=Start.EARLIEST, max_unacked=10) as orders:
        work = [asyncio.create_task(publish_all()), asyncio.create_task(trouble())]
        assert await take(orders, 400) == list(map(str, range(400)))
        await asyncio.gather(*work)
        assert line.state.name in ("online", "polling")
    assert len(server.hellos) >= 2


@pytest.mark.parametrize("client_id", ["phone-7", ""])
@virtual
async def test_when_nobody_can_be_reached_the_line_waits_and_comes_back_on_the_stream(client_id: str) -> None:
    server, states = FakeServer(), States()
    server.reachable = False
    async with server.line(client_id=client_id, on_state=states.append) as line:
        await asyncio.sleep(120)
        assert "polling" not in states.names
        assert line.state.name in ("waiting", "connecting")
        server.reachable = True
        await eventually(lambda: line.state.name == "online")


@virtual
async def test_a_server_that_is_gone_while_polling_makes_the_line_wait() -> None:
    server = FakeServer()
    server.stream = "refuse"
    async with server.line() as line:
        await eventually(lambda: line.state.name == "polling")
        server.reachable = False
        server.grown.set()
        await eventually(lambda: line.state.name == "waiting", within=61)
        server.reachable = True
        await eventually(lambda: line.state.name == "polling")


@virtual
async def test_a_server_that_says_not_now_is_no_reason_to_poll() -> None:
    server, states = FakeServer(), States()
    server.stream = "refuse"
    server.refusal = status(grpc.StatusCode.UNAVAILABLE, "DRAINING", "the server is about to stop")
    async with server.line(on_state=states.append) as line:
        await asyncio.sleep(60)
        server.stream = "accept"
        await eventually(lambda: line.state.name == "online")
    assert "polling" not in states.names


@virtual
async def test_a_hello_that_does_not_get_through_falls_back() -> None:
    server = FakeServer()
    server.stream = "refuse"
    server.refusal = status(grpc.StatusCode.DEADLINE_EXCEEDED, "HELLO_TIMEOUT", "no hello came")
    async with server.line() as line:
        await eventually(lambda: line.state.name == "polling")


@virtual
async def test_transport_stream_never_polls() -> None:
    server, states = FakeServer(), States()
    server.stream = "refuse"
    async with server.line(transport="stream", on_state=states.append):
        await asyncio.sleep(120)
    assert set(states.names) == {"connecting", "waiting", "closed"}
    assert server.requests == []


@virtual
async def test_a_hello_that_heartline_itself_refuses_closes_the_line() -> None:
    server = FakeServer()
    server.stream = "refuse"
    server.refusal = status(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_CLIENT_ID", "the client_id is too long")
    async with server.line() as line:
        with pytest.raises(InvalidRequest, match="the client_id is too long"):
            await anext(line.subscribe("orders"))
        assert (line.state.name, line.state.reason) == ("closed", "the client_id is too long")
