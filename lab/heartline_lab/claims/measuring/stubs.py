"""Heartline's generated stubs, as any client has them, each channel on a TCP connection of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import grpc.aio
from heartline.convert import to_duration
from heartline.v1.admin_service_pb2_grpc import AdminServiceStub
from heartline.v1.events_pb2 import START_LATEST, Message, Position, Subscription
from heartline.v1.presence_pb2 import Presence
from heartline.v1.request_service_pb2 import GetPresenceRequest, PollRequest, PollResponse, PublishRequest
from heartline.v1.request_service_pb2_grpc import RequestServiceStub
from heartline.v1.session_service_pb2_grpc import SessionServiceStub

if TYPE_CHECKING:
    from heartline.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from heartline.v1.request_service_pb2_grpc import RequestServiceAsyncStub

CHANNEL = "news"
GUARD = 15.0
"""Seconds after which a call that must be answered is not."""
_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))


@dataclass(frozen=True, slots=True)
class Stubs:
    """The services, over one channel."""

    requests: "RequestServiceAsyncStub"
    admin: "AdminServiceAsyncStub"
    sessions: Any

    async def publish(self, text: str = "hello") -> None:
        """Publishes one event."""
        await self.requests.Publish(PublishRequest(channel=CHANNEL, messages=[Message(text=text)]), timeout=GUARD)

    async def poll(self, after: Position | None = None, wait: float = 0) -> PollResponse:
        """Asks for events after a position, or from now on; with a wait, it is a long poll."""
        cursor = Subscription(channel=CHANNEL, after=after) if after else latest()
        request = PollRequest(subscriptions=[cursor], wait=to_duration(wait) if wait else None)
        return await self.requests.Poll(request, timeout=GUARD)

    async def presence(self, client_id: str) -> Presence:
        """How a client is. Raises AioRpcError with NOT_FOUND for one that was never seen."""
        answer = await self.requests.GetPresence(GetPresenceRequest(client_id=client_id), timeout=GUARD)
        return answer.presence


@asynccontextmanager
async def calling(address: str) -> AsyncIterator[Stubs]:
    """The services at an address."""
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        yield Stubs(
            cast("RequestServiceAsyncStub", RequestServiceStub(channel)),
            cast("AdminServiceAsyncStub", AdminServiceStub(channel)),
            SessionServiceStub(channel),
        )


def latest() -> Subscription:
    """The channel, from now on."""
    return Subscription(channel=CHANNEL, start=START_LATEST)


async def until(call: Any, kind: str) -> Any:
    """Reads a session's frames until one of this kind comes, and returns what is in it."""
    while (frame := await call.read()).WhichOneof("frame") != kind:
        pass
    return getattr(frame, kind)
