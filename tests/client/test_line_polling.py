"""A line carried by unary calls alone."""

import asyncio

import grpc
import pytest
from client.fake_server import FakeServer, States, take
from client.statuses import rpc_error, status
from heartline.errors import InvalidRequest
from heartline.events import Position, Start
from heartline.polling import CHECK_IN_INTERVAL
from heartline.v1.request_service_pb2 import (
    AckRequest,
    CheckInRequest,
    CheckOutRequest,
    ListPresenceRequest,
    PollRequest,
)
from virtual_time import eventually, settle, virtual


def asked(server: FakeServer, kind: type) -> list[object]:
    return [request for request in server.requests if isinstance(request, kind)]


@virtual
async def test_events_come_by_long_polls_in_order() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line, line.subscribe("orders") as orders:
        await settle()
        server.publish("orders", "1", "2")
        assert await take(orders, 2) == ["1", "2"]
        server.publish("orders", "3")
        assert await take(orders, 1) == ["3"]
    assert server.hellos == []


@virtual
async def test_an_idle_hour_costs_one_poll_for_each_wait() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line:
        line.subscribe("orders")
        await asyncio.sleep(3600)
        assert 120 <= len(asked(server, PollRequest)) <= 122


@virtual
async def test_the_first_poll_is_short_so_that_nothing_after_it_is_missed() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line:
        orders = line.subscribe("orders", start=Start.LATEST)
        await settle()
        first, second = asked(server, PollRequest)
        assert isinstance(first, PollRequest)
        assert isinstance(second, PollRequest)
        assert not first.HasField("wait")
        assert second.wait.seconds == 30
        assert second.subscriptions[0].after.offset == 0
        assert orders.position == Position("orders", "e1", 0)


@virtual
async def test_a_new_subscription_does_not_wait_for_the_long_poll_under_way() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line:
        line.subscribe("orders")
        await settle()
        news = line.subscribe("news", start=Start.EARLIEST)
        before = asyncio.get_running_loop().time()
        server.publish("news", "1")
        assert await take(news, 1) == ["1"]
        assert asyncio.get_running_loop().time() == before


@virtual
async def test_a_slow_handler_keeps_neither_memory_nor_its_neighbour() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line:
        slow = line.subscribe("slow", start=Start.EARLIEST, max_unacked=4)
        quick = line.subscribe("quick", start=Start.EARLIEST)
        server.publish("slow", *map(str, range(20)))
        await take(slow, 1)
        server.publish("quick", "1")
        assert await take(quick, 1) == ["1"]
        assert len(slow.inbox) <= 4
        assert await take(slow, 19) == list(map(str, range(1, 20)))


@virtual
async def test_what_was_handled_is_acknowledged() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        server.publish("orders", "1", "2", "3")
        await take(orders, 3)
    assert server.stored_acks == {("phone-7", "orders"): 2}
    assert len(asked(server, AckRequest)) == 1


@virtual
async def test_an_anonymous_line_acknowledges_nothing_and_is_nowhere_present() -> None:
    server = FakeServer()
    async with server.line(transport="poll", client_id="") as line:
        orders = line.subscribe("orders", start=Start.EARLIEST)
        server.publish("orders", *map(str, range(200)))
        await take(orders, 200)
    assert {type(request) for request in server.requests} == {ListPresenceRequest, PollRequest}


@virtual
async def test_a_named_line_with_nothing_to_poll_checks_in_now_and_then() -> None:
    server = FakeServer()
    async with server.line(transport="poll", status="battery 80%") as line:
        await asyncio.sleep(3600)
        assert line.state.name == "polling"
        check_ins = asked(server, CheckInRequest)
        assert len(check_ins) == 3600 // CHECK_IN_INTERVAL + (3600 % CHECK_IN_INTERVAL > 0)
        assert [r.status for r in check_ins if isinstance(r, CheckInRequest)][:2] == ["battery 80%", ""]
    assert asked(server, CheckOutRequest)


@virtual
async def test_a_server_that_falls_silent_is_noticed_by_the_deadline_and_gets_a_new_connection() -> None:
    server, states = FakeServer(), States()
    async with server.line(transport="poll", on_state=states.append) as line, line.subscribe("orders") as orders:
        await settle()
        server.silent = True
        await eventually(lambda: line.state.name == "waiting", within=41)
        assert [connection.closed for connection in server.connections] == [True, False]
        server.silent = False
        server.publish("orders", "while away")
        assert await take(orders, 1) == ["while away"]


@virtual
async def test_a_gap_while_polling_is_passed_over_where_the_caller_wants_that() -> None:
    server = FakeServer()
    server.publish("orders", *map(str, range(1, 6)))
    server.trim("orders", 4)
    async with server.line(transport="poll") as line:
        orders = line.subscribe("orders", start=Start.EARLIEST, after=Position("orders", "e1", 1), on_gap="continue")
        assert await take(orders, 2) == ["4", "5"]


@virtual
async def test_one_subscription_that_is_refused_does_not_stop_the_others() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line:
        orders, secret = line.subscribe("orders", start=Start.EARLIEST), line.subscribe("$secret")
        with pytest.raises(InvalidRequest):
            await anext(secret)
        server.publish("orders", "1")
        assert await take(orders, 1) == ["1"]


@virtual
async def test_a_store_that_cannot_answer_now_is_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line, line.subscribe("orders") as orders:
        await settle()
        requests = server.connections[0].requests
        good, bad = requests.Poll, rpc_error(status(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "disk full"))

        async def poll(request: PollRequest, timeout: float) -> None:
            raise bad

        requests.Poll = poll
        server.publish("orders", "1")
        await asyncio.sleep(40)
        assert line.state.name == "polling"
        requests.Poll = good
        assert await take(orders, 1) == ["1"]
    assert "the server cannot answer now: disk full" in caplog.text
