"""Everything that the library raises, and how gRPC's statuses become it.

    HeartlineError
    +-- RequestError          what was asked is at fault: asking again gives the same answer
    |   +-- InvalidRequest    a value is wrong, too large, or out of place
    |   +-- NotFound          what was named is not there
    |   +-- Conflict          what was named is there already, and differs
    |   +-- Refused           the server, or something on the way, does not allow it
    +-- Unavailable           nobody answered, or not now: ask again later (`retry` is True)
    +-- ServerError           the server is at fault: tell whoever runs it
    +-- GapError              events are gone; reading may go on
    +-- ClosedError           the line is closed

An error is told by its status code and its google.rpc.ErrorInfo, never by its text. Of INTERNAL, UNKNOWN and
RESOURCE_EXHAUSTED, the ones without a Heartline ErrorInfo come from the transport or from a proxy: the first two mean a
broken connection, the last a message that is too large for it.
"""

import re
from typing import cast

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from heartline.events import Gap, GapReason, Position

ERROR_DOMAIN = "heartline"
"""The domain of every ErrorInfo that Heartline sends."""


class HeartlineError(Exception):
    """The root. `retry` says whether asking again later can help, `reason` is the stable ErrorInfo reason or empty.

    `retry_after` is how many seconds the server asks to wait before that, None when it does not say.
    """

    retry = False

    def __init__(self, message: str, *, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after


class RequestError(HeartlineError):
    """What was asked is at fault. Nothing was changed, and asking again gives the same answer."""


class InvalidRequest(RequestError):
    """A value is wrong, too large, or out of place."""


class NotFound(RequestError):
    """What was named is not there."""


class Conflict(RequestError):
    """What was named is there already, and differs."""


class Refused(RequestError):
    """The server, or something on the way to it, does not allow this."""


class Unavailable(HeartlineError):
    """Nobody answered, or the answer is "not now". Ask again later; a publish may be repeated with the same id."""

    retry = True


class ServerError(HeartlineError):
    """The server is at fault. Asking again may not help: tell whoever runs it."""


class GapError(HeartlineError):
    """Events of a subscription are gone. Iterating on reads from `position`, the place after the gap."""

    def __init__(self, gap: Gap, position: Position) -> None:
        what = {
            GapReason.TRIMMED: "events were removed by retention before they were read",
            GapReason.EPOCH_CHANGED: "the log was lost or reset, and the events not read before are gone",
            GapReason.AHEAD: "the position lies beyond anything that was ever stored",
        }.get(gap.reason, "events are gone")
        super().__init__(f"channel {position.channel!r}: {what}; reading goes on after offset {position.offset}")
        self.gap = gap
        self.position = position


class ClosedError(HeartlineError):
    """The line is closed. Open a new one."""


_BY_CODE: dict[int, type[HeartlineError]] = {
    code_pb2.INVALID_ARGUMENT: InvalidRequest,
    code_pb2.FAILED_PRECONDITION: InvalidRequest,
    code_pb2.OUT_OF_RANGE: InvalidRequest,
    code_pb2.NOT_FOUND: NotFound,
    code_pb2.ALREADY_EXISTS: Conflict,
    code_pb2.PERMISSION_DENIED: Refused,
    code_pb2.UNAUTHENTICATED: Refused,
    code_pb2.UNIMPLEMENTED: Refused,
    code_pb2.UNAVAILABLE: Unavailable,
    code_pb2.DEADLINE_EXCEEDED: Unavailable,
    code_pb2.RESOURCE_EXHAUSTED: Unavailable,
    code_pb2.ABORTED: Unavailable,
    code_pb2.CANCELLED: Unavailable,
}
_BY_CODE_FROM_ELSEWHERE: dict[int, type[HeartlineError]] = _BY_CODE | {
    code_pb2.RESOURCE_EXHAUSTED: InvalidRequest,
    code_pb2.INTERNAL: Unavailable,
    code_pb2.UNKNOWN: Unavailable,
}
_IN_WORDS = {
    code_pb2.UNAVAILABLE: "the connection failed",
    code_pb2.DEADLINE_EXCEEDED: "no answer came in time",
}
_PREAMBLE = re.compile("failed to connect to all addresses; last error: .*: ")
"""gRPC's long way to begin; the words that matter to people follow it."""


def from_status(status: status_pb2.Status) -> HeartlineError:
    """The error that a google.rpc.Status stands for."""
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in status.details:
        for message in (info, retry):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    reason = info.reason if info.domain == ERROR_DOMAIN else ""
    kind = (_BY_CODE if reason else _BY_CODE_FROM_ELSEWHERE).get(status.code, ServerError)
    text = status.message if reason else _in_words(status)
    retry_after = retry.retry_delay.ToTimedelta().total_seconds() if retry.HasField("retry_delay") else None
    return kind(text, reason=reason, retry_after=retry_after)


def from_rpc_error(error: grpc.RpcError) -> HeartlineError:
    """The error that a failed gRPC call stands for."""
    call = cast(grpc.Call, error)
    try:
        status = rpc_status.from_call(call)
    except ValueError:  # the status in the trailers contradicts the call's own: a proxy replaced one of them
        status = None
    if status is None:
        status = status_pb2.Status(code=call.code().value[0], message=call.details() or "")
    return from_status(status)


def _in_words(status: status_pb2.Status) -> str:
    """For people: what is told by the transport, or by something on the way."""
    what = _IN_WORDS.get(status.code) or _code_name(status.code)
    return f"{what}: {_PREAMBLE.sub('', status.message) or 'no more was said'}"


def _code_name(code: int) -> str:
    return code_pb2.Code.Name(code) if code in code_pb2.Code.values() else f"status {code}"
