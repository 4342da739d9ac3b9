"""The service's values as messages of the contract."""

import math
from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from heartline.v1 import events_pb2, presence_pb2, request_service_pb2, session_service_pb2

from heartline_service.presence.presence import Change
from heartline_service.reading.log import GapKind
from heartline_service.stores.base import Head, NewMessage, PresenceRecord, Receipt, StoredEvent


def timestamp(unix_seconds: float) -> Timestamp:
    """An instant, to the microsecond."""
    whole = math.floor(unix_seconds)
    return Timestamp(seconds=whole, nanos=int((unix_seconds - whole) * 1e6) * 1000)


def duration(seconds: float) -> Duration:
    """A span, to the nanosecond."""
    whole, nanos = divmod(round(seconds * 1e9), 10**9)
    return Duration(seconds=whole, nanos=nanos)


def batch(channel: str, epoch: str, events: Iterable[StoredEvent], position: events_pb2.Position) -> events_pb2.Batch:
    """Events of one log: each is its message's bytes, which have the same field numbers, with its place in the log."""
    made = events_pb2.Batch(channel=channel, epoch=epoch, position=position)
    add, at, time = made.events.add, math.nan, b""
    for offset, published_at, body in events:
        if published_at != at:
            # What was published together shares it: as bytes, as that is what costs least to put in.
            at = published_at
            time = events_pb2.Event(publish_time=timestamp(at)).SerializeToString()
        event = add()
        event.MergeFromString(body + time)
        event.offset = offset
    return made


def position(channel: str, epoch: str, offset: int) -> events_pb2.Position:
    """A cursor."""
    return events_pb2.Position(channel=channel, epoch=epoch, offset=offset)


def published(receipts: list[Receipt]) -> request_service_pb2.PublishResponse:
    """What a publisher is told."""
    made = request_service_pb2.PublishResponse()
    add = made.receipts.add
    for epoch, offset, duplicate in receipts:
        told = add()
        told.epoch, told.offset, told.duplicate = epoch, offset, duplicate
    return made


def gap(kind: GapKind, head: Head) -> events_pb2.Gap:
    """What is missing, and what there is."""
    return events_pb2.Gap(reason=f"GAP_REASON_{kind.name}", oldest_offset=head.oldest, latest_offset=head.latest)


def presence_message(client_id: str, change: Change, status: str) -> NewMessage:
    """A change of presence, as it is published on "$presence"."""
    came = "online" if change.online else "offline"
    message = events_pb2.Message(
        text=f"{client_id} is {came}: {change.cause.value}",
        attributes={
            "client_id": client_id,
            "online": str(change.online).lower(),
            "reason": change.cause.name,
            "status": status,
        },
    )
    return NewMessage("", message.SerializeToString(deterministic=True))


def presence(record: PresenceRecord, sessions: int) -> presence_pb2.Presence:
    """A client's presence, with its count of live sessions."""
    return presence_pb2.Presence(
        client_id=record.client_id,
        online=record.online,
        reason=f"PRESENCE_REASON_{record.reason}",
        change_time=timestamp(record.changed_at),
        status=record.status,
        sessions=sessions,
        lease_expire_time=timestamp(record.lease_until) if record.online and record.lease_until else None,
    )


def goodbye(reason: str, *, retry: bool, after: float = 0.0, reply_to: str = "") -> bytes:
    """The server's last frame."""
    return session_service_pb2.ConnectResponse(
        reply_to=reply_to,
        goodbye=session_service_pb2.ServerGoodbye(
            reason=f"GOODBYE_REASON_{reason}",
            retry=retry,
            after=duration(after),
        ),
    ).SerializeToString()
