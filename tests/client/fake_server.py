"""A server and the network to it, in memory, at the level of the contract: for the library's tests in virtual time.

It keeps logs, cursors, acks and ids as the contract says, and can be told to misbehave: `reachable`, `stream`
("accept", "refuse" or "swallow"), `silent` (bytes go in, nothing comes out, on connections of that time for ever),
`cut` and `drain`. What clients said is in `hellos`, `frames` and `requests`. It does not judge clients by heartbeats:
the real server's own tests do.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, cast

import grpc
from client.fake_call import FakeCall, FakeConnection
from client.statuses import status
from google.rpc import status_pb2
from heartline.convert import to_duration
from heartline.dialer import Settings, Surroundings
from heartline.errors import from_status
from heartline.events import LineState
from heartline.line import Line
from heartline.status import Status
from heartline.subscription import Subscription
from heartline.v1 import events_pb2, request_service_pb2, session_service_pb2
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse
from virtual_time import wall_clock

INTERVAL, TIMEOUT = 15.0, 10.0


class FakeServer:
    """The server, and the network to it."""

    def __init__(self) -> None:
        self.reachable = True
        self.stream = "accept"
        self.silent = False
        self.answers_heartbeats = True
        self.answers_goodbyes = True
        self.broken = False
        self.refusal = status(grpc.StatusCode.UNIMPLEMENTED)
        self.epoch = "e1"
        self.logs: dict[str, list[events_pb2.Event]] = defaultdict(list)
        self.oldest: dict[str, int] = defaultdict(lambda: 1)
        self.stored_acks: dict[tuple[str, str], int] = {}
        self.calls: set[FakeCall] = set()
        self.connections: list[FakeConnection] = []
        self.hellos: list[session_service_pb2.Hello] = []
        self.frames: list[ConnectRequest] = []
        self.requests: list[Any] = []
        self.dials_at: list[float] = []
        self.fail_publish: list[status_pb2.Status] = []
        self.fail_subscribe: list[status_pb2.Status] = []
        self.lose_receipts = 0
        self.grown = asyncio.Event()
        self._sessions = 0

    def line(self, transport: str = "auto", client_id: str = "phone-7", status: Any = "", **callbacks: Any) -> Line:
        """A line to this server, with chance that is the same in every run."""
        settings = Settings(client_id, cast(Any, transport), None, None, Status(status))
        world = Surroundings(self.dial, random.Random(7), wall_clock)
        return Line(settings, world, **callbacks)

    def dial(self) -> FakeConnection:
        if self.broken:
            raise ZeroDivisionError
        self.connections.append(FakeConnection(self))
        return self.connections[-1]

    def publish(self, channel: str, *texts: str) -> None:
        """Publishes as another client."""
        self.append(channel, [events_pb2.Message(text=text) for text in texts])

    def append(self, channel: str, messages: Iterable[events_pb2.Message]) -> list[events_pb2.Receipt]:
        receipts = []
        log = self.logs[channel]
        for message in messages:
            first = next((e.offset for e in log if e.id and e.id == message.id), None)
            if first is None:
                event = events_pb2.Event(id=message.id, offset=len(log) + 1, attributes=message.attributes)
                event.text = message.text
                event.publish_time.FromSeconds(1_800_000_000)
                log.append(event)
            receipts.append(events_pb2.Receipt(epoch=self.epoch, offset=first or len(log), duplicate=first is not None))
        self.grown.set()
        self.grown = asyncio.Event()
        for call in list(self.calls):
            self.pump(call)
        return receipts

    def trim(self, channel: str, oldest: int) -> None:
        """Retention: nothing before this offset is kept."""
        self.oldest[channel] = oldest

    def cut(self, text: str = "the connection was reset") -> None:
        """The network drops every stream."""
        for call in list(self.calls):
            call.end(from_status(status(grpc.StatusCode.UNAVAILABLE, text=text)))

    def drain(self, reconnect_after: float) -> None:
        """Asks every session to move."""
        for call in list(self.calls):
            call.send(ConnectResponse(drain={"reconnect_after": to_duration(reconnect_after)}))

    def goodbye(self, reason: str, *, retry: bool) -> None:
        """Ends every session from the server's side."""
        for call in list(self.calls):
            number = session_service_pb2.GoodbyeReason.Value(f"GOODBYE_REASON_{reason}")
            call.send(ConnectResponse(goodbye={"reason": number, "retry": retry}))

    @property
    def sessions(self) -> list[FakeCall]:
        """The sessions that are open."""
        return [call for call in self.calls if call.hello is not None]

    def on_call(self, call: FakeCall) -> None:
        self.dials_at.append(asyncio.get_running_loop().time())
        self.calls.add(call)
        if not self.reachable:
            call.end(from_status(status(grpc.StatusCode.UNAVAILABLE, text="connection refused")))
        elif self.stream == "refuse":
            call.end(from_status(self.refusal))

    def on_frame(self, call: FakeCall, frame: ConnectRequest) -> None:
        call.swallowed |= self.silent or self.stream == "swallow"
        if call.swallowed:
            return
        self.frames.append(frame)
        kind = frame.WhichOneof("frame") or ""
        handler: Callable[[FakeCall, ConnectRequest], None] | None = getattr(self, f"_on_{kind}", None)
        if handler is not None:
            handler(call, frame)

    def _on_hello(self, call: FakeCall, frame: ConnectRequest) -> None:
        self.hellos.append(frame.hello)
        call.hello = frame.hello
        self._sessions += 1
        welcome = session_service_pb2.Welcome(
            session_id=f"s{self._sessions}",
            heartbeat_interval=to_duration(INTERVAL),
            heartbeat_timeout=to_duration(TIMEOUT),
            server_name="fake",
        )
        call.send(ConnectResponse(welcome=welcome))

    def _on_heartbeat(self, call: FakeCall, frame: ConnectRequest) -> None:
        if not self.answers_heartbeats:
            return
        ack = session_service_pb2.HeartbeatAck(
            sequence=frame.heartbeat.sequence, send_time=frame.heartbeat.send_time, events_sent=call.events_sent
        )
        call.send(ConnectResponse(heartbeat_ack=ack))

    def _on_subscribe(self, call: FakeCall, frame: ConnectRequest) -> None:
        wanted = frame.subscribe.subscription
        if wanted.channel.startswith("$"):
            rejected = status(grpc.StatusCode.INVALID_ARGUMENT, "RESERVED_CHANNEL")
            call.send(ConnectResponse(reply_to=frame.id, rejected=rejected))
            return
        if self.fail_subscribe:
            call.send(ConnectResponse(reply_to=frame.id, rejected=self.fail_subscribe.pop(0)))
            return
        assert call.hello is not None
        cursor = self.start(call.hello.client_id, wanted)
        call.cursors[wanted.channel] = call.acked[wanted.channel] = cursor
        call.credit[wanted.channel] = wanted.max_unacked
        epoch = wanted.after.epoch or self.epoch
        place = {"channel": wanted.channel, "position": {"epoch": epoch, "offset": cursor}}
        call.send(ConnectResponse(reply_to=frame.id, subscribed=place))
        if epoch != self.epoch:
            call.cursors[wanted.channel] = 0
            self.send_gap(call, wanted.channel, events_pb2.GAP_REASON_EPOCH_CHANGED)
        self.pump(call)

    def _on_unsubscribe(self, call: FakeCall, frame: ConnectRequest) -> None:
        channel = frame.unsubscribe.channel
        call.cursors.pop(channel, None)
        call.send(ConnectResponse(reply_to=frame.id, unsubscribed={"channel": channel}))

    def _on_publish(self, call: FakeCall, frame: ConnectRequest) -> None:
        if self.fail_publish:
            call.send(ConnectResponse(reply_to=frame.id, rejected=self.fail_publish.pop(0)))
            return
        receipts = self.append(frame.publish.channel, frame.publish.messages)
        if self.lose_receipts:
            self.lose_receipts -= 1
            self.cut()
        answer = request_service_pb2.PublishResponse(receipts=receipts)
        call.send(ConnectResponse(reply_to=frame.id, published=answer))

    def _on_ack(self, call: FakeCall, frame: ConnectRequest) -> None:
        assert call.hello is not None
        for position in frame.ack.positions:
            if position.channel in call.acked:
                call.acked[position.channel] = max(call.acked[position.channel], position.offset)
            self.store_ack(call.hello.client_id, position)
        self.pump(call)

    def _on_goodbye(self, call: FakeCall, frame: ConnectRequest) -> None:
        if self.answers_goodbyes:
            call.send(ConnectResponse(goodbye={"reason": session_service_pb2.GOODBYE_REASON_CLIENT_GOODBYE}))

    def store_ack(self, client_id: str, position: events_pb2.Position) -> None:
        key = (client_id, position.channel)
        self.stored_acks[key] = max(self.stored_acks.get(key, 0), position.offset)

    def start(self, client_id: str, wanted: events_pb2.Subscription) -> int:
        """The offset before the first event that a subscription gets."""
        latest = len(self.logs[wanted.channel])
        if wanted.HasField("after"):
            return wanted.after.offset
        if wanted.start == events_pb2.START_EARLIEST:
            return self.oldest[wanted.channel] - 1
        if wanted.start == events_pb2.START_LATEST or not client_id:
            return latest
        return self.stored_acks.setdefault((client_id, wanted.channel), latest)

    def batch(self, channel: str, cursor: int, limit: int) -> events_pb2.Batch:
        """What can be read after a cursor, gap included."""
        oldest, latest = self.oldest[channel], len(self.logs[channel])
        gap = None
        if cursor < oldest - 1:
            gap = events_pb2.Gap(reason=events_pb2.GAP_REASON_TRIMMED, oldest_offset=oldest, latest_offset=latest)
            cursor = oldest - 1
        events = self.logs[channel][cursor : cursor + limit]
        place = events_pb2.Position(channel=channel, epoch=self.epoch, offset=cursor + len(events))
        return events_pb2.Batch(channel=channel, epoch=self.epoch, events=events, position=place, gap=gap)

    def pump(self, call: FakeCall) -> None:
        """Sends a session what its credit allows."""
        for channel, cursor in call.cursors.items():
            room = call.credit[channel] - max(0, cursor - call.acked[channel]) if call.credit[channel] else 1000
            made = self.batch(channel, cursor, max(0, room))
            if made.events or made.HasField("gap"):
                call.cursors[channel] = made.position.offset
                call.events_sent += len(made.events)
                call.send(ConnectResponse(events=made))

    def send_gap(self, call: FakeCall, channel: str, reason: events_pb2.GapReason) -> None:
        """Tells a gap without events."""
        place = events_pb2.Position(channel=channel, epoch=self.epoch, offset=call.cursors[channel])
        gap = events_pb2.Gap(reason=reason, oldest_offset=1, latest_offset=len(self.logs[channel]))
        made = events_pb2.Batch(channel=channel, epoch=self.epoch, position=place, gap=gap)
        call.send(ConnectResponse(events=made))


class States(list[LineState]):
    """Collects states: give `states.append` as on_state."""

    @property
    def names(self) -> list[str]:
        """Their names, in order."""
        return [state.name for state in self]


async def take(subscription: Subscription, count: int) -> list[str]:
    """The texts of the next events."""
    return [str((await anext(subscription)).data) for _ in range(count)]
