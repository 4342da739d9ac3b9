"""Servers and networks that answer strangely: refusals for now, broken contracts, bytes that are nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import heartline
import pytest
from client.fake_server import FakeServer, States, take
from client.statuses import rpc_error, status
from heartline.events import Start
from heartline.v1 import events_pb2
from heartline.v1.request_service_pb2 import AckRequest, PollResponse
from heartline.v1.session_service_pb2 import ConnectResponse, HeartbeatAck, Welcome
from virtual_time import eventually, settle, virtual


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (ConnectResponse(heartbeat_ack=HeartbeatAck(sequence=9)), "heartbeat 9 was never sent"),
        (ConnectResponse(welcome=Welcome(session_id="again")), "heartbeat_interval must be from"),
        (None, "without a goodbye"),
    ],
)
@virtual
async def test_a_server_that_breaks_the_contract_is_left_and_tried_again(
    frame: ConnectResponse | None, why: str
) -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append) as line, line.subscribe("orders") as orders:
        await settle()
        server.sessions[0]._inbound.put_nowait(frame)
        await eventually(lambda: "waiting" in states.names)
        assert why in states[1].reason
        server.publish("orders", "1")
        assert await take(orders, 1) == ["1"]


@virtual
async def test_frames_of_a_later_version_are_passed_over() -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append):
        await settle()
        server.sessions[0].send(ConnectResponse())
        server.sessions[0].send(ConnectResponse(reply_to="nobody asked"))
        await asyncio.sleep(60)
    assert states.names == ["online", "closed"]


@virtual
async def test_a_frame_that_is_rejected_without_an_answer_to_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append):
        await settle()
        rejected = status(grpc.StatusCode.OUT_OF_RANGE, "ACK_BEYOND_LOG", "the log ends at 3")
        server.sessions[0].send(ConnectResponse(rejected=rejected))
        await settle()
    assert "the server rejected a frame: the log ends at 3" in caplog.text
    assert states.names == ["online", "closed"]


@virtual
async def test_a_subscription_that_is_refused_for_now_is_tried_again_and_that_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = FakeServer()
    later = status(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    server.fail_subscribe = [later, later, later]
    async with server.line() as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        server.publish("orders", "1")
        assert await take(orders, 1) == ["1"]
        assert len(server.hellos) == 1
        assert "'orders' cannot be read now" in caplog.text


@virtual
async def test_a_subscription_that_is_left_while_it_is_refused_is_not_tried_again() -> None:
    server = FakeServer()
    server.fail_subscribe = [status(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")] * 2
    async with server.line() as line:
        orders = line.subscribe("orders")
        await settle()
        await orders.aclose()
        await asyncio.sleep(60)
        assert len([frame for frame in server.frames if frame.HasField("subscribe")]) == 1


@virtual
async def test_a_fault_of_the_library_closes_the_line_and_reaches_who_waits(caplog: pytest.LogCaptureFixture) -> None:
    server = FakeServer()
    async with server.line() as line:
        orders = line.subscribe("orders")
        await settle()
        server.broken = True
        server.cut()
        with pytest.raises(heartline.HeartlineError, match="a fault of its own"):
            await anext(orders)
        assert line.state.name == "closed"
    assert "Traceback" in caplog.text


@virtual
async def test_a_proxy_that_forbids_polling_too_is_waited_out() -> None:
    server, states = FakeServer(), States()
    server.stream = "refuse"
    forbidden = rpc_error(status(grpc.StatusCode.PERMISSION_DENIED, text="HTTP 403"))

    async def refuse(request: object, timeout: float) -> None:
        raise forbidden

    async with server.line(on_state=states.append) as line:
        requests = server.connections[0].requests
        allowed, requests.CheckIn = requests.CheckIn, refuse
        await asyncio.sleep(60)
        assert "polling" not in states.names
        requests.CheckIn = allowed
        await eventually(lambda: line.state.name == "polling")


@virtual
async def test_a_poll_that_leaves_out_events_is_not_believed() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line, line.subscribe("orders") as orders:
        await settle()
        requests = server.connections[0].requests
        good = requests.Poll
        server.publish("orders", "1", "2", "3")
        place = events_pb2.Position(channel="orders", epoch="e1", offset=3)
        holed = events_pb2.Batch(channel="orders", epoch="e1", position=place, events=server.logs["orders"][2:])

        async def poll(request: object, timeout: float) -> PollResponse:
            requests.Poll = good
            return PollResponse(batches=[holed])

        requests.Poll = poll
        assert await take(orders, 3) == ["1", "2", "3"]


@virtual
async def test_an_ack_that_the_server_does_not_take_is_logged_and_reading_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = FakeServer()

    async def refuse(request: AckRequest, timeout: float) -> None:
        raise rpc_error(status(grpc.StatusCode.FAILED_PRECONDITION, "EPOCH_MISMATCH", "another epoch"))

    async with server.line(transport="poll") as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        server.connections[0].requests.Ack = refuse
        server.publish("orders", "1")
        assert await take(orders, 1) == ["1"]
        asyncio.get_running_loop().call_later(1, server.publish, "orders", "2")
        assert await take(orders, 1) == ["2"]
    assert "the server did not take an ack: another epoch" in caplog.text


@virtual
async def test_an_ack_that_the_store_cannot_take_now_is_sent_again() -> None:
    server = FakeServer()
    async with server.line(transport="poll") as line, line.subscribe("orders", start=Start.EARLIEST) as orders:
        requests = server.connections[0].requests
        good = requests.Ack

        async def fail(request: AckRequest, timeout: float) -> None:
            requests.Ack = good
            raise rpc_error(status(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"))

        requests.Ack = fail
        server.publish("orders", "1")
        assert await take(orders, 1) == ["1"]
        waiting = asyncio.create_task(anext(orders))
        await eventually(lambda: server.stored_acks == {("phone-7", "orders"): 1})
        server.publish("orders", "2")
        await waiting


class Garbage(grpc.GenericRpcHandler):
    """Answers every call with bytes that are no message."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """How a method is handled."""

        async def stream(requests: Any, context: Any) -> AsyncIterator[bytes]:
            yield b"\xff\xff\xff\xff"

        async def unary(request: bytes, context: Any) -> bytes:
            return b"\xff\xff\xff\xff"

        if handler_call_details.method.endswith("/Connect"):
            return grpc.stream_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(unary)


async def test_bytes_that_are_no_message_end_the_session_or_the_call_and_not_the_line() -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([Garbage()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    waiting: asyncio.Queue[heartline.LineState] = asyncio.Queue()
    async with (
        asyncio.timeout(10),
        heartline.connect(f"127.0.0.1:{port}", transport="stream", on_state=waiting.put_nowait) as line,
    ):
        assert "bytes that are no frame" in (await waiting.get()).reason
        with pytest.raises(heartline.ServerError, match="bytes that are no answer"):
            await line.presence("phone-7")
    await server.stop(None)
