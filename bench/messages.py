"""The bytes that the benchmarks send, and a script that stands in for the real server when the harness checks itself.

Rules: all payloads are 100 bytes; what is sent is built before the clock runs.
"""

from collections.abc import Iterable

from heartline.v1.events_pb2 import START_LATEST, Batch, Event, Message, Position, Receipt, Subscription
from heartline.v1.request_service_pb2 import PollRequest, PollResponse, PublishRequest, PublishResponse
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse, Hello, Subscribed, Welcome

from bench.script import POLL, PUBLISH, Exchange, Script

CHANNEL = "bench"
PAYLOAD = bytes(range(100))
STAND_IN_EPOCH = "0123456789abcdef"
LONGEST = 600
"""Heartbeat settings in seconds: the longest allowed, so that beats are armed and none falls into a sample."""


def publish(ids: Iterable[str], channel: str = CHANNEL) -> bytes:
    """A Publish of one message for each id; an empty id is never compared."""
    return PublishRequest(
        channel=channel, messages=[Message(id=message_id, binary=PAYLOAD) for message_id in ids]
    ).SerializeToString()


def poll(client_id: str, epoch: str, after: int) -> bytes:
    """A short Poll of one channel."""
    return PollRequest(client_id=client_id, subscriptions=[_following(epoch, after)]).SerializeToString()


def hello(client_id: str, channels: Iterable[str] = (CHANNEL,)) -> bytes:
    """A session of a named client on some channels, with heartbeats."""
    return _hello(client_id, [Subscription(channel=name, start=START_LATEST) for name in channels])


def returning(client_id: str, epoch: str, after: int) -> bytes:
    """The hello of a session that goes on after a position."""
    return _hello(client_id, [_following(epoch, after)])


def _following(epoch: str, after: int) -> Subscription:
    return Subscription(channel=CHANNEL, after=Position(channel=CHANNEL, epoch=epoch, offset=after))


def _hello(client_id: str, subscriptions: Iterable[Subscription]) -> bytes:
    first = Hello(client_id=client_id, subscriptions=subscriptions)
    first.heartbeat_interval.FromSeconds(LONGEST)
    first.heartbeat_timeout.FromSeconds(LONGEST)
    return ConnectRequest(hello=first).SerializeToString()


def stand_in(*publishes: bytes) -> Script:
    """What the real server might say, with a push for each of these Publish requests."""
    position = Position(channel=CHANNEL, epoch=STAND_IN_EPOCH, offset=1)
    greeting = (
        ConnectResponse(welcome=Welcome(session_id="s" * 32, server_name="heartline")),
        ConnectResponse(subscribed=Subscribed(channel=CHANNEL, position=position)),
    )
    receipt = PublishResponse(receipts=[Receipt(epoch=STAND_IN_EPOCH, offset=1)]).SerializeToString()
    exchanges = [Exchange(PUBLISH, receipt)]
    for request in publishes:
        count = len(PublishRequest.FromString(request).messages)
        frame = ConnectResponse(events=_batch(count)).SerializeToString()
        exchanges.append(Exchange(PUBLISH, receipt, request, frame))
    for after, count in ((0, 1), (1, 0)):
        answer = PollResponse(batches=[_batch(count)]).SerializeToString()
        exchanges += [Exchange(POLL, answer, poll(who, STAND_IN_EPOCH, after)) for who in ("", "poller")]
    exchanges.append(Exchange(POLL, b"", poll("poller", "", 0)))
    return Script(tuple(frame.SerializeToString() for frame in greeting), tuple(exchanges))


def _batch(count: int) -> Batch:
    batch = Batch(channel=CHANNEL, epoch=STAND_IN_EPOCH)
    for offset in range(1, count + 1):
        event = Event(binary=PAYLOAD, offset=offset)
        event.publish_time.FromNanoseconds(1_700_000_000_123_456_000)
        batch.events.append(event)
    batch.position.CopyFrom(Position(channel=CHANNEL, epoch=STAND_IN_EPOCH, offset=1))
    return batch
