"""The unary calls of the fake server."""

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
from client.statuses import rpc_error, status
from heartline.v1 import request_service_pb2
from virtual_time import wall_clock

if TYPE_CHECKING:
    from client.fake_server import FakeServer


class FakeRequests:
    """The unary calls."""

    def __init__(self, server: "FakeServer") -> None:
        self._server = server

    async def Publish(self, request: request_service_pb2.PublishRequest, timeout: float) -> Any:  # noqa: N802
        await self._begin(request, timeout)
        if self._server.fail_publish:
            raise rpc_error(self._server.fail_publish.pop(0))
        receipts = self._server.append(request.channel, request.messages)
        if self._server.lose_receipts:
            self._server.lose_receipts -= 1
            raise rpc_error(status(grpc.StatusCode.UNAVAILABLE, text="the connection was reset"))
        return request_service_pb2.PublishResponse(receipts=receipts)

    async def Poll(self, request: request_service_pb2.PollRequest, timeout: float) -> Any:  # noqa: N802
        await self._begin(request, timeout)
        server = self._server
        if any(wanted.channel.startswith("$") for wanted in request.subscriptions):
            raise rpc_error(status(grpc.StatusCode.INVALID_ARGUMENT, "RESERVED_CHANNEL"))
        cursors = {wanted.channel: server.start(request.client_id, wanted) for wanted in request.subscriptions}
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        until = began_at + request.wait.ToTimedelta().total_seconds()
        while True:
            grown = server.grown
            batches = [server.batch(channel, cursor, request.max_events) for channel, cursor in cursors.items()]
            if loop.time() >= until or any(batch.events or batch.HasField("gap") for batch in batches):
                return request_service_pb2.PollResponse(batches=batches)
            try:
                async with asyncio.timeout_at(until):
                    await grown.wait()
            except TimeoutError:
                await self._begin(None, began_at + timeout - loop.time())

    async def Ack(self, request: request_service_pb2.AckRequest, timeout: float) -> Any:  # noqa: N802
        await self._begin(request, timeout)
        for position in request.positions:
            self._server.store_ack(request.client_id, position)
        return request_service_pb2.AckResponse(positions=request.positions)

    async def CheckIn(self, request: request_service_pb2.CheckInRequest, timeout: float) -> Any:  # noqa: N802
        await self._begin(request, timeout)
        answer = request_service_pb2.CheckInResponse()
        answer.lease_expire_time.FromSeconds(int(wall_clock()) + (request.ttl.seconds or 60))
        return answer

    async def CheckOut(self, request: request_service_pb2.CheckOutRequest, timeout: float) -> Any:  # noqa: N802
        await self._begin(request, timeout)
        return request_service_pb2.CheckOutResponse()

    async def ListPresence(self, request: request_service_pb2.ListPresenceRequest, timeout: float) -> Any:  # noqa: N802
        await self._begin(request, timeout)
        return request_service_pb2.ListPresenceResponse()

    async def _begin(self, request: Any, timeout: float) -> None:
        await asyncio.sleep(0)
        if not self._server.reachable:
            raise rpc_error(status(grpc.StatusCode.UNAVAILABLE, text="connection refused"))
        if self._server.silent:
            await asyncio.sleep(timeout)
            raise rpc_error(status(grpc.StatusCode.DEADLINE_EXCEEDED))
        if request is not None:
            self._server.requests.append(request)
