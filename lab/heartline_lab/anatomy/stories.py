"""What is captured: one short call, calls on a kept connection, and a session, against a real server.

Rules:
- The server is `heartline serve` in a process of its own; the client is generated stubs over gRPC, which
  any user has.
- Each story has one connection, which begins and ends within the capture. What else it needs, such as an event from
  somebody else, goes over a connection that began before.
- The short call closes as soon as it has its answer. The others close when nothing has moved for a moment, as a client
  does that was idle: then nothing is on its way that could be cut off.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import grpc.aio
from heartline.cli.exits import CommandError, Exit
from heartline.v1.events_pb2 import Message, Start, Subscription
from heartline.v1.request_service_pb2 import PollRequest, PublishRequest
from heartline.v1.request_service_pb2_grpc import RequestServiceStub
from heartline.v1.session_service_pb2 import Ack, ClientGoodbye, ConnectRequest, ConnectResponse, HeartbeatAck, Hello
from heartline.v1.session_service_pb2_grpc import SessionServiceStub

from heartline_lab.anatomy.capture import Capture, Packet
from heartline_lab.anatomy.dissect import Connection, connections
from heartline_lab.processes import serving

if TYPE_CHECKING:
    from heartline.v1.request_service_pb2_grpc import RequestServiceAsyncStub

CALLS = 4
"""How many calls the kept connection carries."""
HEARTBEAT_INTERVAL = timedelta(seconds=0.3)
HEARTBEAT_TIMEOUT = timedelta(seconds=5)
QUIET = 0.25
"""Seconds without a packet after which a connection is idle enough to be closed: longer than gRPC puts off a PING, and
TCP an ACK."""
GUARD = 20.0
"""Seconds within which each story must be told."""

_CHANNEL = "anatomy"
_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))


@dataclass(frozen=True, slots=True)
class Scene:
    """What a story is told with."""

    address: str
    capture: Capture
    publish: Callable[[], Awaitable[Any]]
    """Publishes one more event, over a connection of its own."""


async def record(names: Sequence[str]) -> dict[str, Connection]:
    """Captures these of STORIES, each its one connection. Raises CommandError when that cannot be done."""
    async with serving() as server, _connected(server.address) as channel:

        async def publish() -> None:
            message = Message(text="hello")
            await _requests(channel).Publish(PublishRequest(channel=_CHANNEL, messages=[message]))

        try:
            await publish()
            return {name: await _record(name, server.address, publish) for name in names}
        except grpc.aio.AioRpcError as error:
            told = f"the server that was started for this does not answer: {error.details()}"
            raise CommandError(told, Exit.UNAVAILABLE) from None


async def _record(name: str, address: str, publish: Callable[[], Awaitable[Any]]) -> Connection:
    port = int(address.rsplit(":", 1)[1])
    try:
        async with asyncio.timeout(GUARD), Capture(port) as capture:
            await STORIES[name](Scene(address, capture, publish))
            await capture.until(_over, GUARD)
    except TimeoutError:
        raise CommandError(f"the {name} story was not over within {GUARD:g} s; try again", Exit.TRY_AGAIN) from None
    if capture.lost:
        raise CommandError(f"the kernel lost {capture.lost} packets of the {name} story; try again", Exit.TRY_AGAIN)
    return connections(capture.packets)[0]


def _over(packets: Sequence[Packet]) -> bool:
    return any(connection.ended for connection in connections(packets))


async def _short(scene: Scene) -> None:
    async with _connected(scene.address) as channel:
        await _poll(channel)


async def _kept(scene: Scene) -> None:
    async with _connected(scene.address) as channel:
        for _ in range(CALLS):
            await _poll(channel)
        await scene.capture.quiet(QUIET)


async def _session(scene: Scene) -> None:
    async with _connected(scene.address) as channel:
        stub: Any = SessionServiceStub(channel)
        call = stub.Connect()
        hello = Hello(client_id="reader", subscriptions=[Subscription(channel=_CHANNEL, start=Start.START_LATEST)])
        hello.heartbeat_interval.FromTimedelta(HEARTBEAT_INTERVAL)
        hello.heartbeat_timeout.FromTimedelta(HEARTBEAT_TIMEOUT)
        await call.write(ConnectRequest(hello=hello))
        await _read_until(call, "heartbeat")
        await scene.publish()
        batch = (await _read_until(call, "events")).events
        await call.write(ConnectRequest(ack=Ack(positions=[batch.position])))
        await call.write(ConnectRequest(goodbye=ClientGoodbye()))
        while (await call.read()).WhichOneof("frame") != "goodbye":
            pass  # a heartbeat that crossed our goodbye needs no answer
        await call.code()
        await scene.capture.quiet(QUIET)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {"short": _short, "kept": _kept, "session": _session}
"""What can be captured, by name."""


async def _poll(channel: grpc.aio.Channel) -> None:
    subscription = Subscription(channel=_CHANNEL, start=Start.START_EARLIEST)
    await _requests(channel).Poll(PollRequest(subscriptions=[subscription]))


async def _read_until(call: Any, kind: str) -> ConnectResponse:
    """The next frame of this kind. Answers heartbeats, as a session's client must."""
    while True:
        frame: ConnectResponse = await call.read()
        which = frame.WhichOneof("frame")
        if which == "heartbeat":
            beat = frame.heartbeat
            answer = HeartbeatAck(sequence=beat.sequence, send_time=beat.send_time, events_sent=0)
            await call.write(ConnectRequest(heartbeat_ack=answer))
        if which == kind:
            return frame


def _requests(channel: grpc.aio.Channel) -> "RequestServiceAsyncStub":
    return cast("RequestServiceAsyncStub", RequestServiceStub(channel))


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        yield channel
