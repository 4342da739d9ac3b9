"""A client without a socket, joined to a real hub and a real store in virtual time.

- `House` is the server without gRPC.
- `Peer` is one client of it: it sends frames, and keeps every frame that the server's Link took, with when.
- A link may be blocked, as that of a client that reads nothing is once the transport is full, or broken.
- Whatever goes wrong unseen in the background fails the test that it happened in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from heartline.timing import Timing
from heartline.v1.events_pb2 import Batch, Event, Message, Position, Subscription
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse, Welcome
from heartline_service import checks
from heartline_service.clock import Clock
from heartline_service.faults import Fault
from heartline_service.hub import Hub
from heartline_service.retention import Retain
from heartline_service.sessions.frames import Frames
from heartline_service.settings import Settings
from service.fragile import KEEP_ALL, FragileStore
from service.told import detail
from virtual_time import START, settle, wall_clock

INTERVAL, TIMEOUT, GRACE, DRAIN = 15.0, 10.0, 5.0, 4.0
"""Seconds: the settings of a House."""


async def until(seconds: float) -> None:
    """Lets time pass until so long after the start of the run, and everything happen that is due by then."""
    await asyncio.sleep(START + seconds - asyncio.get_running_loop().time())
    await settle()


class House:
    """A hub with a store, in virtual time."""

    def __init__(self, store: FragileStore, **changes: Any) -> None:
        self.store = store
        settings = Settings(heartbeat=Timing(INTERVAL, TIMEOUT), grace=GRACE, drain_timeout=DRAIN, name="test")
        self.hub = Hub(store, Clock(wall_clock), replace(settings, **changes), lambda: 0.5)

    def peer(self) -> "Peer":
        """A connection that has said nothing yet."""
        return Peer(self.hub)

    async def client(self, client_id: str = "", *channels: str | Subscription, **hello: Any) -> "Peer":
        """A client with an open session that reads these channels."""
        peer = self.peer()
        peer.hello(client_id, *channels, **hello)
        await settle()
        assert peer.session_id
        return peer

    async def publish(self, channel: str, *texts: str) -> None:
        """Publishes texts, one event each, and lets everybody have them."""
        checked = checks.messages([Message(text=text) for text in texts], 2**20)
        await self.hub.publish(channel, checked)
        await settle()

    async def acked(self, client_id: str) -> dict[str, int]:
        """A client's stored cursors: the offset by channel."""
        return {name: acked.offset for name, acked in (await self.store.acked(client_id)).items()}

    async def presence_events(self) -> list[tuple[str, str, str]]:
        """What "$presence" tells: client, whether online, and why, in order."""
        stored = await self.store.read("$presence", 0, 1000, 2**20)
        told = [Event.FromString(one.body).attributes for one in stored]
        return [(one["client_id"], one["online"], one["reason"]) for one in told]


@asynccontextmanager
async def house(retain: Retain = KEEP_ALL, **changes: Any) -> AsyncIterator[House]:
    """A House that stands for the time of a test. Raises what went wrong in its background."""
    troubles: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, trouble: troubles.append(trouble))
    store = changes.pop("store", None) or FragileStore(retain)
    made = House(store, **changes)
    await made.hub.start()
    yield made
    store.go_on()
    store.failing = False
    await made.hub.stop()
    await settle()
    assert not troubles


class Peer:
    """One client. What it is told is kept in `frames`, as (virtual time, frame)."""

    peer = "virtual"

    def __init__(self, hub: Hub) -> None:
        self.frames: list[tuple[float, ConnectResponse]] = []
        self.raw: list[bytes] = []
        self.session_id = ""
        self.answering = False
        """Whether it answers each heartbeat at once."""
        self.broken = False
        self._free = asyncio.Event()
        self._free.set()
        self._now = asyncio.get_running_loop().time
        self.session = Frames(hub).connect(self)
        self._writer = asyncio.get_running_loop().create_task(self.session.write())

    # What the server does.

    async def send(self, frame: bytes) -> None:
        """The Link's side: a frame comes."""
        if self.broken:
            raise ConnectionError("broken")
        await self._free.wait()
        if self.broken:
            raise ConnectionError("broken")
        told = ConnectResponse.FromString(frame)
        self.raw.append(frame)
        self.frames.append((self._now(), told))
        if told.HasField("welcome"):
            self.session_id = told.welcome.session_id
        if told.HasField("heartbeat") and self.answering:
            self.say(heartbeat_ack={"sequence": told.heartbeat.sequence})

    # What the client does.

    def block(self) -> None:
        """Reads nothing any more, with the transport full."""
        self._free.clear()

    def unblock(self) -> None:
        """Reads again."""
        self._free.set()

    def cut(self) -> None:
        """The connection breaks, and both ends know."""
        self.broken = True
        self._free.set()
        self.session.lost()

    def say(self, id: str = "", **frame: Any) -> None:
        """Sends one frame."""
        self.session.receive(ConnectRequest(id=id, **frame).SerializeToString())

    def hello(self, client_id: str = "", *channels: str | Subscription, id: str = "", **fields: Any) -> None:
        """Sends a hello; a channel may be named, or told as a whole Subscription."""
        wishes = [Subscription(channel=one) if isinstance(one, str) else one for one in channels]
        self.say(id, hello={"client_id": client_id, "subscriptions": wishes, **fields})

    def publish(self, channel: str, *texts: str, id: str = "") -> None:
        """Publishes texts, one event each."""
        self.say(id, publish={"channel": channel, "messages": [{"text": text} for text in texts]})

    def ack(self, channel: str, offset: int, id: str = "", epoch: str = "") -> None:
        """Says that a channel is handled up to here."""
        self.say(id, ack={"positions": [{"channel": channel, "offset": offset, "epoch": epoch}]})

    # What the client saw.

    def kinds(self) -> list[str]:
        """What each frame was, in order."""
        return [str(frame.WhichOneof("frame")) for _, frame in self.frames]

    def times(self, kind: str) -> list[float]:
        """When frames of a kind came, in virtual time."""
        return [at for at, frame in self.frames if frame.HasField(kind)]

    def all(self, kind: str) -> list[Any]:
        """What frames of a kind hold."""
        return [getattr(frame, kind) for _, frame in self.frames if frame.HasField(kind)]

    def the(self, kind: str) -> Any:
        """What the only frame of a kind holds."""
        (held,) = self.all(kind)
        return held

    def answer(self, id: str) -> ConnectResponse:
        """The only frame that answers the frame of this id."""
        (frame,) = [frame for _, frame in self.frames if frame.reply_to == id]
        return frame

    def rejection(self, id: str = "") -> tuple[str, str]:
        """The reason and the field of the only refusal of the frame of this id."""
        (frame,) = [frame for _, frame in self.frames if frame.reply_to == id and frame.HasField("rejected")]
        told = detail(frame.rejected)
        return told.reason, told.field

    @property
    def welcome(self) -> Welcome:
        """What it was welcomed with."""
        held: Welcome = self.the("welcome")
        return held

    def batches(self, channel: str = "") -> list[Batch]:
        """The batches of a channel, or of all."""
        return [batch for batch in self.all("events") if channel in ("", batch.channel)]

    def texts(self, channel: str = "") -> list[str]:
        """The texts of the events, in order."""
        return [event.text for batch in self.batches(channel) for event in batch.events]

    def positions(self, channel: str) -> list[Position]:
        """The cursors that came, in order."""
        told = [one for _, frame in self.frames for one in (frame.subscribed, frame.events, frame.unsubscribed)]
        return [one.position for one in told if one.channel == channel]

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.session.ended.done()

    @property
    def fault(self) -> Fault | None:
        """The fault that the call ended with, if any."""
        return self.session.ended.result()
