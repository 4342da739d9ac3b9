"""Clients for tests, made of the generated stubs alone: they do what they are told, and nothing by themselves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from e2e.process import GUARD
from google.protobuf.duration_pb2 import Duration
from heartline.v1.admin_service_pb2_grpc import AdminServiceStub
from heartline.v1.events_pb2 import START_EARLIEST, Event, Message, Position, Subscription
from heartline.v1.request_service_pb2 import PollRequest, PublishRequest
from heartline.v1.request_service_pb2_grpc import RequestServiceStub
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse, Hello, Welcome
from heartline.v1.session_service_pb2_grpc import SessionServiceStub

OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
"""For channels that must not share a TCP connection with another of this process."""


def seconds(value: float) -> Duration:
    """A Duration."""
    made = Duration()
    made.FromNanoseconds(round(value * 1e9))
    return made


class Calls:
    """The unary calls, on a connection of their own."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.requests: Any = RequestServiceStub(channel)
        self.admin: Any = AdminServiceStub(channel)
        self.channel = channel

    async def publish(self, channel: str, *texts: str, ids: Sequence[str] = ()) -> list[Any]:
        """Publishes texts and returns their receipts."""
        messages = [Message(text=text) for text in texts]
        for message, one in zip(messages, ids, strict=False):
            message.id = one
        answer = await self.requests.Publish(PublishRequest(channel=channel, messages=messages), timeout=GUARD)
        return list(answer.receipts)

    async def until_published(self, channel: str, text: str) -> Any:
        """Publishes a text, tries again for as long as the server says that this may help, and returns the receipt."""
        async with asyncio.timeout(GUARD):
            while True:
                try:
                    (receipt,) = await self.publish(channel, text, ids=[text])
                    return receipt
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise

    async def read_all(self, channel: str) -> list[Event]:
        """Everything that the channel holds."""
        found: list[Event] = []
        where = Subscription(channel=channel, start=START_EARLIEST)
        while True:
            answer = await self.requests.Poll(PollRequest(subscriptions=[where]), timeout=GUARD)
            (batch,) = answer.batches
            assert not batch.HasField("gap"), batch.gap
            found += batch.events
            if not batch.events:
                return found
            where = Subscription(channel=channel, after=batch.position)

    async def until(self, channel: str, count: int, after: Position | None = None) -> list[Event]:
        """Long-polls until the channel has brought `count` events."""
        found: list[Event] = []
        where = (
            Subscription(channel=channel, after=after) if after else Subscription(channel=channel, start=START_EARLIEST)
        )
        async with asyncio.timeout(GUARD):
            while len(found) < count:
                answer = await self.requests.Poll(PollRequest(subscriptions=[where], wait=seconds(GUARD)))
                (batch,) = answer.batches
                found += batch.events
                where = Subscription(channel=channel, after=batch.position)
        return found


@asynccontextmanager
async def calling(address: str) -> AsyncIterator[Calls]:
    """Calls to a server."""
    async with grpc.aio.insecure_channel(address, options=OWN_CONNECTION) as channel:
        yield Calls(channel)


class RawSession:
    """A session: one stream. It answers heartbeats only if told to."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub: Any = SessionServiceStub(channel)
        self.call = stub.Connect()
        self.welcome = Welcome()

    async def send(self, **frame: Any) -> None:
        """Sends a frame."""
        await self.call.write(ConnectRequest(**frame))

    async def open(self, **hello: Any) -> Welcome:
        """Says hello, and returns the welcome."""
        await self.send(hello=Hello(**hello))
        self.welcome = (await self.next("welcome")).welcome
        return self.welcome

    async def next(self, *kinds: str) -> ConnectResponse:
        """The next frame of one of these kinds; others are passed over. Raises EOFError when the stream ends."""
        async with asyncio.timeout(GUARD):
            while True:
                frame = await self.call.read()
                if frame is grpc.aio.EOF:
                    raise EOFError(f"the stream ended while waiting for {', '.join(kinds)}: {await self.call.code()}")
                if frame.WhichOneof("frame") in kinds:
                    return frame  # type: ignore[no-any-return]

    async def events(self, count: int) -> list[Event]:
        """The next events, at least `count` of them."""
        found: list[Event] = []
        while len(found) < count:
            found += (await self.next("events")).events.events
        return found


@asynccontextmanager
async def session(address: str, **hello: Any) -> AsyncIterator[RawSession]:
    """An open session on a connection of its own; cut at the end, without a goodbye."""
    async with grpc.aio.insecure_channel(address, options=OWN_CONNECTION) as channel:
        made = RawSession(channel)
        try:
            await made.open(**hello)
            yield made
        finally:
            made.call.cancel()


def texts(events: Sequence[Event]) -> list[str]:
    """What the events say."""
    return [event.text for event in events]
