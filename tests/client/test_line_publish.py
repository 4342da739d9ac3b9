"""Publishing: batches, retries with the same ids, and whose fault a failure is."""

import asyncio

import grpc
import pytest
from client.fake_server import FakeServer
from client.statuses import status
from heartline.errors import ClosedError, Conflict, InvalidRequest, Unavailable
from heartline.publisher import MAX_BYTES, MAX_MESSAGES, RETRY_WINDOW
from heartline.v1.request_service_pb2 import PublishRequest
from virtual_time import settle, virtual

AGAIN = status(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
TRANSPORTS = pytest.mark.parametrize("transport", ["stream", "poll"])


def batches(server: FakeServer) -> list[PublishRequest]:
    """What was published, by either way."""
    streamed = [frame.publish for frame in server.frames if frame.HasField("publish")]
    return streamed + [request for request in server.requests if isinstance(request, PublishRequest)]


@TRANSPORTS
@virtual
async def test_a_receipt_tells_where_the_message_went(transport: str) -> None:
    server = FakeServer()
    async with server.line(transport=transport) as line:
        receipt = await line.publish("orders", "one", attributes={"type": "text"})
        assert (receipt.epoch, receipt.offset, receipt.duplicate) == ("e1", 1, False)
        assert (await line.publish("orders", "two")).offset == 2
    assert server.logs["orders"][0].attributes == {"type": "text"}


@virtual
async def test_an_online_line_publishes_over_its_session() -> None:
    server = FakeServer()
    async with server.line() as line:
        await line.publish("orders", "one")
    assert not [request for request in server.requests if isinstance(request, PublishRequest)]


@TRANSPORTS
@virtual
async def test_concurrent_publishes_to_a_channel_travel_together_in_order(transport: str) -> None:
    server = FakeServer()
    async with server.line(transport=transport) as line:
        await settle()
        receipts = await asyncio.gather(*(line.publish("orders", str(number)) for number in range(2500)))
        assert [receipt.offset for receipt in receipts] == list(range(1, 2501))
        assert [len(batch.messages) for batch in batches(server)] == [MAX_MESSAGES, MAX_MESSAGES, 500]


@virtual
async def test_a_batch_stays_small_in_bytes_too() -> None:
    server = FakeServer()
    async with server.line() as line:
        await asyncio.gather(*(line.publish("orders", "x" * 400_000) for _ in range(5)))
        assert [len(batch.messages) for batch in batches(server)] == [2, 2, 1]
        assert all(batch.ByteSize() < MAX_BYTES * 1.1 for batch in batches(server))


@TRANSPORTS
@virtual
async def test_a_publish_whose_receipt_was_lost_is_sent_again_with_its_id_and_adds_nothing(transport: str) -> None:
    server = FakeServer()
    async with server.line(transport=transport) as line:
        await settle()
        server.lose_receipts = 2
        receipt = await line.publish("orders", "once")
        assert (receipt.offset, receipt.duplicate) == (1, True)
        assert len({batch.messages[0].id for batch in batches(server)}) == 1
        assert [event.text for event in server.logs["orders"]] == ["once"]


@TRANSPORTS
@virtual
async def test_a_publish_that_the_server_cannot_take_now_is_retried(transport: str) -> None:
    server = FakeServer()
    server.fail_publish = [AGAIN] * 5
    async with server.line(transport=transport) as line:
        assert (await line.publish("orders", "x")).offset == 1


@virtual
async def test_a_publish_is_given_up_when_the_server_may_have_forgotten_its_id() -> None:
    server = FakeServer()
    server.reachable = False
    async with server.line() as line:
        start = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable) as caught:
            await line.publish("orders", "x")
        assert caught.value.retry
        took = asyncio.get_running_loop().time() - start
        assert RETRY_WINDOW - 10 <= took <= RETRY_WINDOW


@TRANSPORTS
@virtual
async def test_one_message_at_fault_does_not_fail_its_neighbours(transport: str) -> None:
    server = FakeServer()
    async with server.line(transport=transport) as line:
        await settle()
        bad = status(grpc.StatusCode.INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE", "message 1 is too large")
        server.fail_publish = [bad, AGAIN, bad]
        results = await asyncio.gather(*(line.publish("orders", str(n)) for n in range(3)), return_exceptions=True)
        assert isinstance(results[0], InvalidRequest)
        assert [event.text for event in server.logs["orders"]] == ["1", "2"]


@virtual
async def test_an_id_that_was_used_for_something_else_is_a_conflict() -> None:
    server = FakeServer()
    server.fail_publish = [status(grpc.StatusCode.ALREADY_EXISTS, "MESSAGE_ID_REUSED")]
    async with server.line() as line:
        with pytest.raises(Conflict) as caught:
            await line.publish("orders", "x", id="invoice-1")
        assert caught.value.reason == "MESSAGE_ID_REUSED"


@virtual
async def test_a_caller_who_gives_up_takes_along_what_was_not_sent() -> None:
    server = FakeServer()
    server.reachable = False
    async with server.line() as line:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await line.publish("orders", "never mind")
        server.reachable = True
        await asyncio.sleep(60)
        assert server.logs["orders"] == []


@virtual
async def test_closing_waits_for_a_publish_under_way() -> None:
    server = FakeServer()
    line = server.line()
    publish = asyncio.create_task(line.publish("orders", "x"))
    await asyncio.sleep(0)
    await line.close()
    assert (await publish).offset == 1


@virtual
async def test_closing_does_not_wait_forever_for_a_publish() -> None:
    server = FakeServer()
    server.reachable = False
    line = server.line()
    publish = asyncio.create_task(line.publish("orders", "x"))
    await asyncio.sleep(1)
    start = asyncio.get_running_loop().time()
    await line.close()
    assert asyncio.get_running_loop().time() - start < 10
    with pytest.raises(ClosedError):
        await publish
