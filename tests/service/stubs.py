"""The generated stubs, typed for asyncio, and one open stream with the few words that tests need for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import grpc.aio
import pytest
from heartline.v1.admin_service_pb2_grpc import AdminServiceStub
from heartline.v1.events_pb2 import Message, Receipt, Subscription
from heartline.v1.request_service_pb2 import PollRequest, PollResponse, PublishRequest
from heartline.v1.request_service_pb2_grpc import RequestServiceStub
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse
from heartline.v1.session_service_pb2_grpc import SessionServiceStub
from service.told import Detail, failure

if TYPE_CHECKING:
    from heartline.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from heartline.v1.request_service_pb2_grpc import RequestServiceAsyncStub

GUARD = 10.0
"""Seconds after which a test that waits has failed."""


def requests(channel: grpc.aio.Channel) -> "RequestServiceAsyncStub":
    """The unary calls."""
    return cast("RequestServiceAsyncStub", RequestServiceStub(channel))


def admin(channel: grpc.aio.Channel) -> "AdminServiceAsyncStub":
    """The operator's calls."""
    return cast("AdminServiceAsyncStub", AdminServiceStub(channel))


async def refused(call: Any) -> Detail:
    """Awaits a call that must fail, and returns what its status tells."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        async with asyncio.timeout(GUARD):
            await call
    return failure(failed.value)


async def publish(channel: grpc.aio.Channel, *texts: str, to: str = "news") -> list[Receipt]:
    """Publishes texts, one event each."""
    request = PublishRequest(channel=to, messages=[Message(text=text) for text in texts])
    return list((await requests(channel).Publish(request)).receipts)


async def poll(channel: grpc.aio.Channel, *subscriptions: Subscription, **fields: object) -> PollResponse:
    """Polls these channels."""
    request = PollRequest(subscriptions=subscriptions, **fields)  # type: ignore[arg-type]
    async with asyncio.timeout(GUARD):
        return await requests(channel).Poll(request)


class Stream:
    """One Connect call. `call` is gRPC's own."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        connect: Any = SessionServiceStub(channel).Connect
        self.call: Any = connect()

    async def say(self, id: str = "", **frame: Any) -> None:
        """Sends one frame."""
        await self.call.write(ConnectRequest(id=id, **frame))

    async def next(self) -> ConnectResponse:
        """The next frame. Raises grpc.aio.AioRpcError when the call failed."""
        async with asyncio.timeout(GUARD):
            frame = await self.call.read()
        assert isinstance(frame, ConnectResponse)
        return frame

    async def expect(self, kind: str, reply_to: str = "") -> Any:
        """What the next frame holds, which must be of this kind and answer this id."""
        frame = await self.next()
        assert frame.WhichOneof("frame") == kind, frame
        assert frame.reply_to == reply_to
        return getattr(frame, kind)

    async def ended(self) -> grpc.StatusCode:
        """The status of the call, which must end now without another frame."""
        async with asyncio.timeout(GUARD):
            assert await self.call.read() is grpc.aio.EOF
            code: grpc.StatusCode = await self.call.code()
        return code


@asynccontextmanager
async def stream(channel: grpc.aio.Channel, **hello: Any) -> AsyncIterator[Stream]:
    """An open session, welcomed; cancelled in the end."""
    opened = Stream(channel)
    try:
        await opened.say(hello=hello)
        await opened.expect("welcome")
        yield opened
    finally:
        opened.call.cancel()
