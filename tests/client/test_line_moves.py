"""Moving when the server drains, and ending: goodbye, cancel, Ctrl-C."""

import asyncio
import gc

import pytest
from client.fake_server import FakeServer, States, take
from heartline.errors import ClosedError
from heartline.events import Start
from heartline.v1.events_pb2 import GAP_REASON_TRIMMED
from heartline.v1.session_service_pb2 import ClientGoodbye
from virtual_time import VirtualTimeLoop, eventually, run_virtual, settle, virtual


def goodbyes(server: FakeServer) -> list[ClientGoodbye]:
    return [frame.goodbye for frame in server.frames if frame.HasField("goodbye")]


@virtual
async def test_a_drain_is_followed_by_a_new_session_before_the_old_one_is_left() -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append) as line, line.subscribe("orders") as orders:
        await settle()
        server.publish("orders", "1")
        server.drain(reconnect_after=3)
        await asyncio.sleep(2)
        server.publish("orders", "2")
        await asyncio.sleep(2)
        server.publish("orders", "3")
        assert await take(orders, 3) == ["1", "2", "3"]
        assert [hello.replaces for hello in server.hellos] == ["", ""]
        assert goodbyes(server) == [ClientGoodbye(returning=True)]
        assert len(server.sessions) == 1
        assert [connection.closed for connection in server.connections if connection._calls] == [True, False]
    assert states.names == ["online", "online", "closed"]


@virtual
async def test_a_drain_is_obeyed_to_the_instant() -> None:
    server = FakeServer()
    async with server.line():
        await settle()
        server.drain(reconnect_after=3)
        await asyncio.sleep(2.999)
        assert len(server.hellos) == 1
        await asyncio.sleep(0.002)
        assert len(server.hellos) == 2


@virtual
async def test_what_the_old_session_still_sends_after_the_move_is_ignored() -> None:
    server = FakeServer()
    server.answers_goodbyes = False
    async with server.line() as line, line.subscribe("orders") as orders:
        await settle()
        old = server.sessions[0]
        server.drain(reconnect_after=1)
        await asyncio.sleep(1.5)
        assert len(server.sessions) == 2
        server.publish("orders", "1", "2")
        assert await take(orders, 2) == ["1", "2"]
        old.cursors["orders"] = 0
        server.send_gap(old, "orders", GAP_REASON_TRIMMED)
        server.publish("orders", "3")
        assert await take(orders, 1) == ["3"]


@virtual
async def test_without_a_successor_the_line_stays_on_the_draining_session_until_it_ends() -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append) as line, line.subscribe("orders") as orders:
        await settle()
        server.stream = "refuse"
        server.drain(reconnect_after=1)
        await asyncio.sleep(30)
        server.publish("orders", "still here")
        assert await take(orders, 1) == ["still here"]
        assert states.names == ["online"]
        server.stream = "accept"
        server.goodbye("SHUTDOWN", retry=True)
        await eventually(lambda: len(states) > 1)
        server.publish("orders", "back")
        assert await take(orders, 1) == ["back"]


@virtual
async def test_a_publish_under_way_survives_a_drain() -> None:
    server = FakeServer()
    async with server.line() as line:
        await settle()
        server.drain(reconnect_after=1)
        receipts = []
        for number in range(20):
            receipts.append(await line.publish("orders", str(number)))
            await asyncio.sleep(0.1)
        assert [receipt.offset for receipt in receipts] == list(range(1, 21))


@virtual
async def test_closing_says_goodbye_and_checks_out() -> None:
    server = FakeServer()
    async with server.line():
        await settle()
    assert goodbyes(server) == [ClientGoodbye(check_out=True)]
    assert all(connection.closed for connection in server.connections)


@virtual
async def test_closing_acknowledges_what_was_handled() -> None:
    server = FakeServer()
    async with server.line() as line:
        orders = line.subscribe("orders", start=Start.EARLIEST)
        server.publish("orders", "1", "2", "3")
        await take(orders, 3)
    assert server.stored_acks == {("phone-7", "orders"): 2}


@virtual
@pytest.mark.parametrize("transport", ["stream", "poll"])
async def test_closing_does_not_wait_long_for_a_server_that_says_nothing(transport: str) -> None:
    server = FakeServer()
    line = server.line(transport=transport)
    await settle()
    server.silent = True
    start = asyncio.get_running_loop().time()
    await line.close()
    assert asyncio.get_running_loop().time() - start <= 2


@virtual
async def test_a_closed_line_refuses_and_ends_its_loops() -> None:
    server = FakeServer()
    line = server.line()
    waiting = asyncio.create_task(anext(line.subscribe("orders")))
    await settle()
    await line.close()
    await line.close()
    with pytest.raises(StopAsyncIteration):
        await waiting
    for attempt in (line.publish("orders", "x"), line.check_in(), line.presence("phone-7")):
        with pytest.raises(ClosedError):
            await attempt
    with pytest.raises(ClosedError):
        line.subscribe("orders")


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.5, 3.0, 20.0])
@pytest.mark.parametrize("trouble", ["none", "unreachable", "refuse", "swallow", "silent"])
def test_a_program_that_is_cancelled_at_any_moment_leaves_nothing_behind(trouble: str, moment: float) -> None:
    async def program() -> None:
        server = FakeServer()
        server.reachable = trouble != "unreachable"
        server.stream = trouble if trouble in ("refuse", "swallow") else "accept"
        server.silent = trouble == "silent"

        async def work() -> None:
            async with server.line() as line, asyncio.TaskGroup() as group:
                group.create_task(anext_forever(line.subscribe("orders")))
                for number in range(3):
                    group.create_task(line.publish("orders", str(number)))

        task = asyncio.create_task(work())
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert all(connection.closed for connection in server.connections)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def anext_forever(subscription: object) -> None:
        async for _ in subscription:  # type: ignore[attr-defined]
            pass

    complaints: list[object] = []
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.get_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        runner.run(program())
        gc.collect()
    assert complaints == []


@virtual
async def test_giving_up_on_a_close_does_not_stop_it() -> None:
    server = FakeServer()
    line = server.line()
    await settle()
    closing = asyncio.create_task(line.close())
    await asyncio.sleep(0)
    closing.cancel()
    await settle()
    assert goodbyes(server) == [ClientGoodbye(check_out=True)]
    assert line.state.name == "closed"


def test_a_second_ctrl_c_while_closing_leaves_nothing_behind() -> None:
    async def program() -> None:
        server = FakeServer()
        line = server.line()
        await settle()
        server.silent = True
        closing = asyncio.create_task(line.close())
        await asyncio.sleep(0.5)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await asyncio.sleep(10)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(program)
