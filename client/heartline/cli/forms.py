"""How times, events and gaps look: as JSON fields, and as a line for people.

Instants are RFC 3339 in UTC in JSON, and local for people; lengths of time in JSON are seconds, named *_seconds.
"""

import base64
from datetime import UTC, datetime

from heartline.cli.output import bold, dim, plain, yellow
from heartline.errors import GapError
from heartline.events import Event

SHOWN_BYTES = 24
"""How many bytes of a binary message a person is shown."""

EVENT_HELP = """\
With --json, an event has: type ("event"), channel, offset, epoch, id, publish_time, text or binary (base64),
attributes; a gap has: type ("gap"), channel, offset, epoch, reason, oldest_offset, latest_offset."""


def instant(at: datetime) -> str:
    """For JSON."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def in_words(name: str) -> str:
    """An enum's name for people."""
    return name.lower().replace("_", " ")


def here_and_now() -> datetime:
    """The time as people here have it."""
    return datetime.now().astimezone()


def moment(at: datetime, now: datetime) -> str:
    """For people: the time alone if it is today, else with its date."""
    local = at.astimezone(now.tzinfo)
    return f"{local:%H:%M:%S}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M:%S}"


def event_fields(event: Event) -> dict[str, object]:
    """An event for JSON."""
    fields: dict[str, object] = {
        "type": "event",
        "channel": event.channel,
        "offset": event.offset,
        "epoch": event.epoch,
        "id": event.id,
        "publish_time": instant(event.publish_time),
    }
    if isinstance(event.data, str):
        fields["text"] = event.data
    elif event.data is not None:
        fields["binary"] = base64.b64encode(event.data).decode()
    return fields | {"attributes": dict(event.attributes)}


def event_line(event: Event, now: datetime) -> str:
    """An event for people."""
    labels = [f"{key}={value}" for key, value in sorted(event.attributes.items())]
    if event.id:
        labels.append(f"id={event.id}")
    parts = [
        dim(moment(event.publish_time, now)),
        f"{plain(event.channel)} {bold(f'#{event.offset}')}",
        _data(event.data),
    ]
    return "  ".join([*parts, dim(plain(" ".join(labels)))] if labels else parts)


def gap_fields(error: GapError) -> dict[str, object]:
    """A gap for JSON."""
    return {
        "type": "gap",
        "channel": error.position.channel,
        "offset": error.position.offset,
        "epoch": error.position.epoch,
        "reason": error.gap.reason.name,
        "oldest_offset": error.gap.oldest_offset,
        "latest_offset": error.gap.latest_offset,
    }


def gap_line(error: GapError, now: datetime) -> str:
    """A gap for people."""
    return f"{dim(moment(now, now))}  {yellow(f'gap: {plain(str(error))}')}"


def _data(data: bytes | str | None) -> str:
    if isinstance(data, bytes):
        shown = data[:SHOWN_BYTES].hex(" ") + (" ..." if len(data) > SHOWN_BYTES else "")
        return dim(f"({len(data)} bytes)") + (f" {shown}" if data else "")
    return plain(data) if data else dim("(no data)" if data is None else "(empty)")
