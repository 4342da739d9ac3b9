"""Draws the tables of docs/protocol.md from the code: states, limits, sizes on the wire, errors.

A table stands between `<!-- drawn: NAME -->` and `<!-- end -->`. Without arguments the document is rewritten; with
--check nothing is, and the exit code is 1 when it is out of date.
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2
from heartline import timing
from heartline.session import TRANSITIONS, Input, State
from heartline.v1 import session_service_pb2
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse
from heartline_service import checks
from heartline_service.faults import REASONS
from heartline_service.reading import channels
from heartline_service.sessions import live, under_way
from heartline_service.settings import Settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "protocol.md"
SENT_AT = Timestamp(seconds=1_780_000_000, nanos=987_654_321)
"""A present-day instant, as long as one gets on the wire."""
GRPC_PREFIX = 5
"""Bytes before each gRPC message: one flag, and the length."""
HTTP2_HEADER = 9
"""Bytes before each HTTP/2 frame."""
SEQUENCES = (1, 1000, 1_000_000)
SERVER_AT_FAULT = {code_pb2.UNAVAILABLE, code_pb2.DATA_LOSS, code_pb2.INTERNAL}

_STATES, _INPUTS = list(State), list(Input)
_MARKED = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def heartbeat_size(sequence: int, frame: type[ConnectRequest] | type[ConnectResponse], *, ack: bool = False) -> int:
    """The bytes of a serialised frame with a heartbeat or its answer, without status and before any event was sent."""
    if ack:
        answer = session_service_pb2.HeartbeatAck(sequence=sequence, send_time=SENT_AT)
        return frame(heartbeat_ack=answer).ByteSize()
    beat = session_service_pb2.Heartbeat(sequence=sequence, send_time=SENT_AT)
    return frame(heartbeat=beat).ByteSize()


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def states() -> str:
    """One row a state and input, as TRANSITIONS has them."""
    rows = [
        [state.name, what.value, after.name, step.value]
        for state, what in sorted(TRANSITIONS, key=lambda pair: (_STATES.index(pair[0]), _INPUTS.index(pair[1])))
        for after, step in [TRANSITIONS[state, what]]
    ]
    return table(["in state", "when", "goes to", "and does"], rows)


def heartbeat_sizes() -> str:
    """One row a sequence."""
    rows = []
    for sequence in SEQUENCES:
        sizes = {
            heartbeat_size(sequence, frame, ack=ack)
            for frame in (ConnectRequest, ConnectResponse)
            for ack in (False, True)
        }
        (size,) = sizes
        rows.append([f"{sequence:,}", str(size), str(size + GRPC_PREFIX), str(size + GRPC_PREFIX + HTTP2_HEADER)])
    return table(["sequence", "protobuf", "with gRPC's 5 bytes", "with HTTP/2's 9 bytes"], rows)


def limits() -> str:
    """One row a limit."""
    defaults = Settings()
    rows = [
        ["client_id, channel, message id, frame id, status", f"{checks.MAX_NAME_BYTES} bytes, no control characters"],
        ["data of one message", f"{_bytes(defaults.max_message_bytes)}; `--max-message-bytes` changes it"],
        ["attributes of one message", f"{_bytes(checks.MAX_ATTRIBUTE_BYTES)}, keys and values together"],
        ["messages in one publish", f"1 to {checks.MAX_MESSAGES}"],
        ["any request or frame", _bytes(checks.MAX_REQUEST_BYTES)],
        ["events in one batch", f"{_bytes(channels.BATCH_BYTES)}, or one event"],
        ["events in one poll's answer", f"{checks.MAX_POLL_EVENTS}"],
        ["channels of a session or a poll; positions in an ack", f"{checks.MAX_SUBSCRIPTIONS}"],
        ["`wait` of a long poll", f"0 to {_seconds(checks.MAX_WAIT)}"],
        [
            "`ttl` of a lease",
            f"{_seconds(checks.MIN_TTL)} to {_seconds(checks.MAX_TTL)}; unset: {checks.DEFAULT_TTL:g} s",
        ],
        ["heartbeat interval", _heartbeat(defaults.heartbeat.interval)],
        ["heartbeat timeout", _heartbeat(defaults.heartbeat.timeout)],
        ["time for a hello", _seconds(live.HELLO_TIMEOUT)],
        ["frames of one session that wait for the store", f"{under_way.MAX_IN_FLIGHT}; goodbye and acks do not count"],
        ["page_size", f"{checks.MAX_PAGE}; 0: {checks.DEFAULT_PAGE}"],
    ]
    return table(["what", "limit"], rows)


def errors() -> str:
    """One row a reason."""
    rows = [
        [
            f"`{name}`",
            code_pb2.Code.Name(reason.code),
            "server" if reason.code in SERVER_AT_FAULT else "caller",
            "yes" if reason.retry else "no",
            reason.meaning,
        ]
        for name, reason in REASONS.items()
    ]
    return table(["reason", "code", "fault", "retry", "meaning"], rows)


TABLES: dict[str, Callable[[], str]] = {
    "states": states,
    "heartbeat_sizes": heartbeat_sizes,
    "limits": limits,
    "errors": errors,
}


def drawn(text: str) -> str:
    """The document with its tables as the code has them. Raises KeyError for a name that is no table."""
    return _MARKED.sub(lambda marked: marked[1] + TABLES[marked[2]]() + marked[3], text)


def _bytes(count: int) -> str:
    return f"{count // 2**20} MiB" if count % 2**20 == 0 else f"{count // 2**10} KiB"


def _seconds(value: float) -> str:
    if value >= 3600:
        return f"{value / 3600:g} hours"
    return f"{value / 60:g} minutes" if value >= 60 else f"{value:g} s"


def _heartbeat(default: float) -> str:
    return f"{_seconds(timing.MIN_DURATION)} to {_seconds(timing.MAX_DURATION)}; unset: {_seconds(default)}"


def main(arguments: list[str]) -> int:
    """Rewrites the document, or tells whether it is up to date."""
    text = DOCUMENT.read_text()
    wanted = drawn(text)
    if arguments == ["--check"]:
        if text != wanted:
            print("docs/protocol.md is out of date: run scripts/protocol_tables.py", file=sys.stderr)
        return int(text != wanted)
    DOCUMENT.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
