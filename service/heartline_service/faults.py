"""What the service refuses, and how it says so: whose fault it is, what to do, whether to retry.

Every refusal is a Fault with one of the REASONS. Its status carries google.rpc.ErrorInfo (domain "heartline"),
BadRequest where a field is at fault, and RetryInfo where trying again helps. docs/protocol.md draws its table from
here.
"""

import logging
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any
from google.rpc import code_pb2, error_details_pb2, status_pb2

from heartline_service.stores.base import IdConflict, StoreCorrupt, StoreUnavailable

DOMAIN = "heartline"

log = logging.getLogger("heartline.service")


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable reason: its gRPC code, and whether the same request may succeed later."""

    code: int
    meaning: str
    retry: bool = False


_INVALID = code_pb2.INVALID_ARGUMENT

REASONS: dict[str, Reason] = {
    "INVALID_ENCODING": Reason(_INVALID, "The bytes are no such message, or a text in it is not UTF-8."),
    "INVALID_CLIENT_ID": Reason(_INVALID, "A client_id is empty, over 255 bytes, or has control characters."),
    "INVALID_CHANNEL": Reason(_INVALID, "A channel name is empty, over 255 bytes, or has control characters."),
    "RESERVED_CHANNEL": Reason(_INVALID, 'Names that begin with "$" are the server\'s own.'),
    "INVALID_MESSAGE_ID": Reason(_INVALID, "A message id is over 255 bytes or has control characters."),
    "INVALID_FRAME_ID": Reason(_INVALID, "A frame id is over 255 bytes or has control characters."),
    "INVALID_SESSION_ID": Reason(_INVALID, "A session id is empty, over 255 bytes, or has control characters."),
    "INVALID_STATUS": Reason(_INVALID, "A status is over 255 bytes or has control characters."),
    "INVALID_ATTRIBUTES": Reason(_INVALID, "Attributes are over 16 KiB in all, or a key is empty or over 255 bytes."),
    "NO_MESSAGES": Reason(_INVALID, "There is nothing to publish."),
    "TOO_MANY_MESSAGES": Reason(_INVALID, "More than 1000 messages in one request."),
    "PAYLOAD_TOO_LARGE": Reason(_INVALID, "A message's data is over the server's limit, 1 MiB by default."),
    "REQUEST_TOO_LARGE": Reason(_INVALID, "The request is over 4 MiB."),
    "INVALID_WAIT": Reason(_INVALID, "A wait is negative or over 5 minutes."),
    "INVALID_TTL": Reason(_INVALID, "A ttl is under 0.1 s or over 24 hours."),
    "INVALID_HEARTBEAT": Reason(_INVALID, "Heartbeat settings are out of bounds or cannot work together."),
    "INVALID_SUBSCRIPTIONS": Reason(_INVALID, "No subscription, more than 100, or one channel twice."),
    "INVALID_START": Reason(_INVALID, "The start is unknown, or START_ACKED without a client_id."),
    "INVALID_POSITION": Reason(
        _INVALID, "A position names another channel than its subscription, or its epoch is over 255 bytes."
    ),
    "INVALID_POSITIONS": Reason(_INVALID, "No position, more than 100, or one channel twice."),
    "INVALID_PAGE_SIZE": Reason(_INVALID, "A page size is over 1000."),
    "INVALID_MAX_EVENTS": Reason(_INVALID, "max_events is over 1000."),
    "INVALID_PAGE_TOKEN": Reason(_INVALID, "The page token is not one that this list gave, with this filter."),
    "EMPTY_FRAME": Reason(_INVALID, "The frame holds nothing, or something that this server does not know."),
    "UNKNOWN_HEARTBEAT": Reason(_INVALID, "A heartbeat_ack answers a heartbeat that was never sent."),
    "HELLO_EXPECTED": Reason(code_pb2.FAILED_PRECONDITION, "The first frame must be hello."),
    "HELLO_REPEATED": Reason(code_pb2.FAILED_PRECONDITION, "The session is open already."),
    "EPOCH_MISMATCH": Reason(code_pb2.FAILED_PRECONDITION, "An ack is for a log that is gone."),
    "ACK_BEYOND_LOG": Reason(code_pb2.OUT_OF_RANGE, "An ack is for an event that does not exist."),
    "MESSAGE_ID_REUSED": Reason(code_pb2.ALREADY_EXISTS, "A message id was used with other content."),
    "ALREADY_SUBSCRIBED": Reason(code_pb2.ALREADY_EXISTS, "The session reads this channel already."),
    "CLIENT_NOT_FOUND": Reason(code_pb2.NOT_FOUND, "No client of this id was ever seen."),
    "SESSION_NOT_FOUND": Reason(code_pb2.NOT_FOUND, "No session of this id is live."),
    "NOT_SUBSCRIBED": Reason(code_pb2.NOT_FOUND, "The session does not read this channel."),
    "HELLO_TIMEOUT": Reason(code_pb2.DEADLINE_EXCEEDED, "No hello came within 10 s.", retry=True),
    "TOO_MANY_IN_FLIGHT": Reason(code_pb2.RESOURCE_EXHAUSTED, "Too many frames of this session wait.", retry=True),
    "SESSION_OF_ANOTHER_CLIENT": Reason(code_pb2.PERMISSION_DENIED, "replaces names another client's session."),
    "STORE_UNAVAILABLE": Reason(code_pb2.UNAVAILABLE, "The store cannot do it now; its disk may be full.", retry=True),
    "STARTING": Reason(code_pb2.UNAVAILABLE, "The server is not ready yet.", retry=True),
    "DRAINING": Reason(code_pb2.UNAVAILABLE, "The server is about to stop; go to another, or wait.", retry=True),
    "STORE_CORRUPT": Reason(code_pb2.DATA_LOSS, "The store cannot read its own data; an operator must look."),
    "INTERNAL": Reason(code_pb2.INTERNAL, "The server failed, and logged why."),
}

RETRY_AFTER = 1.0
"""Seconds to wait before trying again, where nothing better is known."""


class Fault(Exception):
    """A refusal. `reason` is one of REASONS; `field` is the path of the field at fault, such as "messages[2].id"."""

    def __init__(self, reason: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field

    def within(self, frame: str) -> "Fault":
        """The same, with the field's path as it is from outside a session's frame."""
        return Fault(self.reason, self.message, self.field and f"{frame}.{self.field}")

    def status(self) -> status_pb2.Status:
        """The whole refusal, as it goes over the wire."""
        reason = REASONS[self.reason]
        details = [_packed(error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN))]
        if self.field:
            violation = error_details_pb2.BadRequest.FieldViolation(field=self.field, description=self.message)
            details.append(_packed(error_details_pb2.BadRequest(field_violations=[violation])))
        if reason.retry:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromNanoseconds(int(RETRY_AFTER * 1e9))
            details.append(_packed(retry))
        return status_pb2.Status(code=reason.code, message=self.message, details=details)


def refusal(error: Exception) -> Fault:
    """What a caller is told when this was raised on its behalf. The unforeseen is logged here, and not told."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, IdConflict):
        return Fault("MESSAGE_ID_REUSED", "this id was published with other content", f"messages[{error.index}].id")
    if isinstance(error, StoreUnavailable):
        log.warning("the store refused: %s", error)
        return Fault("STORE_UNAVAILABLE", "the server's store cannot do it now; try again")
    if isinstance(error, StoreCorrupt):
        log.error("the store is corrupt: %s", error)
        return Fault("STORE_CORRUPT", "the server's store cannot read its data; tell its operator")
    log.error("a call failed", exc_info=error)
    return Fault("INTERNAL", "the server failed; its log says why")


def _packed(
    detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed
