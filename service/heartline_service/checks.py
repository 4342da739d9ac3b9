"""Looks at what came from outside before anything acts on it: each check returns the plain value, or raises a Fault."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from heartline.timing import Timing
from heartline.v1 import events_pb2, session_service_pb2

from heartline_service.faults import Fault
from heartline_service.retention import PRESENCE_CHANNEL
from heartline_service.stores.base import NewMessage

MAX_NAME_BYTES = 255
MAX_MESSAGES = 1000
MAX_ATTRIBUTE_BYTES = 16 * 1024
MAX_REQUEST_BYTES = 4 * 1024 * 1024
MAX_SUBSCRIPTIONS = 100
MAX_POLL_EVENTS = 1000
MAX_WAIT = 300.0
MIN_TTL, MAX_TTL, DEFAULT_TTL = 0.1, 86400.0, 60.0
MAX_PAGE, DEFAULT_PAGE = 1000, 100
STARTS = frozenset(events_pb2.Start.values())

M = TypeVar("M", bound=Message)

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Wish(NamedTuple):
    """A subscription as asked for. `start` is a value of Start; `after` wins when it is set."""

    channel: str
    after: tuple[str, int] | None
    start: int
    max_unacked: int


def parsed(kind: type[M], data: bytes) -> M:
    """The message of this kind that the bytes are."""
    try:
        return kind.FromString(data)
    except DecodeError:
        told = f"the bytes are no {kind.DESCRIPTOR.name}, or hold text that is not UTF-8"
        raise Fault("INVALID_ENCODING", told) from None


def text(value: str, what: str, reason: str, field: str, *, may_be_empty: bool = False) -> str:
    """An id, a name or a status: at most 255 bytes, without control characters."""
    if not value:
        if may_be_empty:
            return value
        raise Fault(reason, f"{what} must not be empty", field)
    if len(value) > MAX_NAME_BYTES or (not value.isascii() and len(value.encode()) > MAX_NAME_BYTES):
        raise Fault(reason, f"{what} must be at most {MAX_NAME_BYTES} bytes", field)
    if _CONTROL.search(value):
        raise Fault(reason, f"{what} must not have control characters", field)
    return value


def request_size(data: bytes) -> None:
    """A request or a frame, as it came."""
    if len(data) > MAX_REQUEST_BYTES:
        raise Fault("REQUEST_TOO_LARGE", f"a request or frame must be at most {MAX_REQUEST_BYTES} bytes")


def client_id(value: str, *, may_be_empty: bool = False, field: str = "client_id") -> str:
    """A client's id."""
    return text(value, "a client_id", "INVALID_CLIENT_ID", field, may_be_empty=may_be_empty)


def session_id(value: str, field: str, *, may_be_empty: bool = False) -> str:
    """A session's id."""
    return text(value, "a session id", "INVALID_SESSION_ID", field, may_be_empty=may_be_empty)


def status(value: str, field: str = "status") -> str:
    """A client's word on how it is."""
    return text(value, "a status", "INVALID_STATUS", field, may_be_empty=True)


def frame_id(value: str) -> str:
    """A client frame's own id."""
    return text(value, "a frame's id", "INVALID_FRAME_ID", "id", may_be_empty=True)


def channel(value: str, field: str, *, reading: bool = False) -> str:
    """A channel's name; "$presence" only to read."""
    text(value, "a channel name", "INVALID_CHANNEL", field)
    if value[0] == "$" and not (reading and value == PRESENCE_CHANNEL):
        allowed = f', and only "{PRESENCE_CHANNEL}" can be read' if reading else ""
        raise Fault("RESERVED_CHANNEL", f'channel names that begin with "$" are the server\'s own{allowed}', field)
    return value


def messages(given: Sequence[events_pb2.Message], max_bytes: int) -> list[NewMessage]:
    """What to publish: 1 to 1000 messages, each within the limit on data."""
    if not given:
        raise Fault("NO_MESSAGES", "there is nothing to publish", "messages")
    if len(given) > MAX_MESSAGES:
        raise Fault("TOO_MANY_MESSAGES", f"at most {MAX_MESSAGES} messages in one request", "messages")
    checked = []
    for index, message in enumerate(given):
        if message.id:
            text(message.id, "a message id", "INVALID_MESSAGE_ID", f"messages[{index}].id")
        # What the contract does not name is under no limit, and no reader could tell it from what the server adds.
        message.DiscardUnknownFields()
        attributes = message.attributes
        # Only a map can be written in more than one order.
        body = message.SerializeToString(deterministic=bool(attributes))
        if len(body) > max_bytes:
            _data_size(message, max_bytes, f"messages[{index}]")
        if attributes:
            _attributes(message, f"messages[{index}].attributes")
        checked.append(NewMessage(message.id, body))
    return checked


def _data_size(message: events_pb2.Message, max_bytes: int, field: str) -> None:
    kind = message.WhichOneof("data")
    size = len(message.binary) if kind == "binary" else len(message.text.encode())
    if size > max_bytes:
        raise Fault("PAYLOAD_TOO_LARGE", f"a message's data must be at most {max_bytes} bytes", f"{field}.{kind}")


def _attributes(message: events_pb2.Message, field: str) -> None:
    size = 0
    for key, value in message.attributes.items():
        text(key, "an attribute's key", "INVALID_ATTRIBUTES", field)
        size += len(key.encode()) + len(value.encode())
    if size > MAX_ATTRIBUTE_BYTES:
        raise Fault("INVALID_ATTRIBUTES", f"attributes must be at most {MAX_ATTRIBUTE_BYTES} bytes in all", field)


def wish(given: events_pb2.Subscription, client: str) -> Wish:
    """One subscription."""
    name = channel(given.channel, "channel", reading=True)
    if given.WhichOneof("where") == "after":
        if given.after.channel not in ("", name):
            raise Fault("INVALID_POSITION", "the position is of another channel", "after.channel")
        text(given.after.epoch, "an epoch", "INVALID_POSITION", "after.epoch", may_be_empty=True)
        return Wish(name, (given.after.epoch, given.after.offset), events_pb2.START_UNSPECIFIED, given.max_unacked)
    start = given.start
    if start not in STARTS:
        raise Fault("INVALID_START", "no such start", "start")
    if start == events_pb2.START_ACKED and not client:
        raise Fault("INVALID_START", "START_ACKED needs a client_id", "start")
    if start == events_pb2.START_UNSPECIFIED:
        start = events_pb2.START_ACKED if client else events_pb2.START_LATEST
    return Wish(name, None, start, given.max_unacked)


def wishes(given: Sequence[events_pb2.Subscription], client: str, *, at_least: int) -> list[Wish]:
    """Up to 100 subscriptions, each channel once."""
    field = "subscriptions"
    if not at_least <= len(given) <= MAX_SUBSCRIPTIONS:
        raise Fault("INVALID_SUBSCRIPTIONS", f"{at_least} to {MAX_SUBSCRIPTIONS} subscriptions are needed", field)
    checked: list[Wish] = []
    try:
        for one in given:
            checked.append(wish(one, client))
    except Fault as fault:
        raise fault.within(f"{field}[{len(checked)}]") from None
    if len(checked) > 1:
        _once((one.channel for one in checked), "INVALID_SUBSCRIPTIONS", field)
    return checked


def positions(given: Sequence[events_pb2.Position]) -> list[events_pb2.Position]:
    """1 to 100 positions, each channel once."""
    field = "positions"
    if not 1 <= len(given) <= MAX_SUBSCRIPTIONS:
        raise Fault("INVALID_POSITIONS", f"1 to {MAX_SUBSCRIPTIONS} positions are needed", field)
    for index, one in enumerate(given):
        channel(one.channel, f"{field}[{index}].channel", reading=True)
    _once((one.channel for one in given), "INVALID_POSITIONS", field)
    return list(given)


def _once(names: Iterable[str], reason: str, field: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Fault(reason, f"channel {name!r} is named twice", field)
        seen.add(name)


def seconds(given: Duration, reason: str, field: str, low: float, high: float) -> float:
    """A duration within bounds, in seconds."""
    value = _in_seconds(given)
    if not low <= value <= high:
        raise Fault(reason, f"{field} must be from {low:g} s to {high:g} s", field)
    return value


def _in_seconds(given: Duration) -> float:
    """The length in seconds; of a Duration whose parts break its rules NaN, which lies within no bounds."""
    opposed = given.seconds * given.nanos < 0
    return math.nan if opposed or abs(given.nanos) >= 1e9 else given.seconds + given.nanos / 1e9


def timing(hello: session_service_pb2.Hello, default: Timing) -> Timing:
    """The heartbeat settings that a hello asks for, with the server's defaults where it is silent."""
    named = {
        "interval": (hello.HasField("heartbeat_interval"), hello.heartbeat_interval, default.interval),
        "timeout": (hello.HasField("heartbeat_timeout"), hello.heartbeat_timeout, default.timeout),
    }
    wished = {name: _in_seconds(given) if told else kept for name, (told, given, kept) in named.items()}
    try:
        return Timing(**wished)
    except ValueError as error:
        at_fault = "heartbeat_timeout" if "heartbeat_timeout must" in str(error) else "heartbeat_interval"
        raise Fault("INVALID_HEARTBEAT", str(error), at_fault) from None


def limit(value: int, reason: str, field: str, default: int, most: int) -> int:
    """A count that the caller may leave at 0 for the default."""
    if value > most:
        raise Fault(reason, f"{field} must be at most {most}", field)
    return value or default


def page_size(value: int) -> int:
    """How many a page of a list may hold."""
    return limit(value, "INVALID_PAGE_SIZE", "page_size", DEFAULT_PAGE, MAX_PAGE)
