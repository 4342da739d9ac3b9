"""Between the contract's messages and the library's own types, and nothing else."""

from datetime import UTC, datetime
from typing import cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from heartline.events import Event, Gap, GapReason, Lease, Position, Presence, Receipt, Start
from heartline.v1 import events_pb2, presence_pb2, request_service_pb2


def to_duration(seconds: float) -> Duration:
    """Seconds as a Duration, to the nanosecond."""
    whole, part = divmod(round(seconds * 1e9), 10**9)
    return Duration(seconds=whole, nanos=part)


def to_seconds(duration: Duration) -> float:
    """A Duration as seconds."""
    return duration.seconds + duration.nanos / 1e9


def to_timestamp(unix_time: float) -> Timestamp:
    """Unix time in seconds as a Timestamp, to the microsecond."""
    whole, part = divmod(round(unix_time * 1e6), 10**6)
    return Timestamp(seconds=whole, nanos=part * 1000)


def to_datetime(timestamp: Timestamp) -> datetime:
    """A Timestamp as an aware datetime in UTC, to the microsecond."""
    return timestamp.ToDatetime(tzinfo=UTC)


def to_wire_position(position: Position) -> events_pb2.Position:
    """A cursor, for a request."""
    return events_pb2.Position(channel=position.channel, epoch=position.epoch, offset=position.offset)


def from_wire_position(position: events_pb2.Position, channel: str) -> Position:
    """A cursor, from an answer."""
    return Position(channel, position.epoch, position.offset)


def to_wire_subscription(
    channel: str, after: Position | None, start: Start, max_unacked: int
) -> events_pb2.Subscription:
    """What to read: after a position where one is known, else from a named place."""
    if after is not None:
        return events_pb2.Subscription(channel=channel, after=to_wire_position(after), max_unacked=max_unacked)
    named = cast(events_pb2.Start, start.value)
    return events_pb2.Subscription(channel=channel, start=named, max_unacked=max_unacked)


def to_wire_message(id_: str, data: str | bytes, attributes: dict[str, str]) -> events_pb2.Message:
    """A message to publish: text for str, binary for bytes."""
    if isinstance(data, str):
        return events_pb2.Message(id=id_, text=data, attributes=attributes)
    return events_pb2.Message(id=id_, binary=data, attributes=attributes)


def from_wire_event(event: events_pb2.Event, channel: str, epoch: str) -> Event:
    """An event of a batch."""
    kind = event.WhichOneof("data")
    data = event.text if kind == "text" else event.binary if kind == "binary" else None
    at = to_datetime(event.publish_time)
    return Event(channel, event.offset, epoch, event.id, data, dict(event.attributes), at)


def from_wire_gap(gap: events_pb2.Gap) -> Gap:
    """A gap; a reason that this version does not know becomes UNSPECIFIED."""
    known = gap.reason in events_pb2.GapReason.values()
    return Gap(GapReason(gap.reason) if known else GapReason.UNSPECIFIED, gap.oldest_offset, gap.latest_offset)


def from_wire_receipt(receipt: events_pb2.Receipt) -> Receipt:
    """A receipt."""
    return Receipt(receipt.epoch, receipt.offset, receipt.duplicate)


def from_wire_presence(presence: presence_pb2.Presence) -> Presence:
    """A client's presence."""
    known = presence.reason in presence_pb2.PresenceReason.values()
    reason = presence_pb2.PresenceReason.Name(presence.reason) if known else "UNSPECIFIED"
    return Presence(
        client_id=presence.client_id,
        online=presence.online,
        reason=reason.removeprefix("PRESENCE_REASON_"),
        changed_at=to_datetime(presence.change_time),
        status=presence.status,
        sessions=presence.sessions,
        lease_expires_at=to_datetime(presence.lease_expire_time) if presence.HasField("lease_expire_time") else None,
    )


def from_wire_lease(answer: request_service_pb2.CheckInResponse) -> Lease:
    """What a check-in gave."""
    return Lease(to_datetime(answer.lease_expire_time), answer.events_waiting)
