"""`heartline sessions`: the live sessions of a server, and a way to end one."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from heartline.cli.common import Server, Subparsers, add_common, add_parser
from heartline.cli.exits import Exit
from heartline.cli.forms import in_words, instant
from heartline.cli.output import Output, dim, plain
from heartline.convert import to_datetime, to_seconds
from heartline.durations import format_duration
from heartline.v1.admin_service_pb2 import EndSessionRequest, ListSessionsRequest, SessionInfo, SessionMode

HEADERS = ("SESSION", "CLIENT", "PEER", "MODE", "AGE", "SILENT", "ROUND-TRIP", "EVENTS", "CHANNELS")
PAGE = 1000

EPILOG = """\
examples:
  heartline sessions
  heartline sessions --client-id phone-7
  heartline sessions --end 4f1c09ab

AGE is how long a session has been open, SILENT how long the server has heard nothing from it, ROUND-TRIP the last
one that a heartbeat of the server measured, EVENTS how many were sent to it. A channel's +N are events sent and not
acknowledged yet.

With --json: session_id, client_id, peer, mode, open_time, heartbeat_interval_seconds, heartbeat_timeout_seconds,
silence_seconds, round_trip_seconds (null before the first), events_sent, subscriptions (channel, epoch, offset,
unacked, max_unacked); with --end: session_id, ended."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `sessions`."""
    parser = add_parser(
        subparsers,
        "sessions",
        help="list the live sessions of the server, or end one",
        description="Lists the live sessions of the server.",
        epilog=EPILOG,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--client-id", metavar="ID", default="", help="only those of this client")
    what.add_argument("--end", metavar="SESSION", help="end this session; its client is told not to come back")
    add_common(parser, run)


def run(args: argparse.Namespace) -> int:
    """Lists, or ends."""
    out = Output(args.json)
    with Server(args) as server:
        if args.end is not None:
            server.call(server.admin.EndSession, EndSessionRequest(session_id=args.end))
            out.result({"session_id": args.end, "ended": True}, f"{plain(args.end)} is ended")
            return Exit.OK
        now = datetime.now(UTC)
        found = list(_all(server, args.client_id))
    out.table(HEADERS, [(fields(session), row(session, now)) for session in found], "no sessions")
    return Exit.OK


def fields(session: SessionInfo) -> dict[str, object]:
    """A session for JSON."""
    return {
        "session_id": session.session_id,
        "client_id": session.client_id,
        "peer": session.peer,
        "mode": _mode(session),
        "open_time": instant(to_datetime(session.open_time)),
        "heartbeat_interval_seconds": to_seconds(session.heartbeat_interval),
        "heartbeat_timeout_seconds": to_seconds(session.heartbeat_timeout),
        "silence_seconds": to_seconds(session.silence),
        "round_trip_seconds": to_seconds(session.round_trip) if session.HasField("round_trip") else None,
        "events_sent": session.events_sent,
        "subscriptions": [
            {
                "channel": subscription.position.channel,
                "epoch": subscription.position.epoch,
                "offset": subscription.position.offset,
                "unacked": subscription.unacked,
                "max_unacked": subscription.max_unacked,
            }
            for subscription in session.subscriptions
        ],
    }


def row(session: SessionInfo, now: datetime) -> list[str]:
    """A session for people."""
    channels = [
        plain(subscription.position.channel) + (f" +{subscription.unacked}" if subscription.unacked else "")
        for subscription in session.subscriptions
    ]
    return [
        plain(session.session_id),
        plain(session.client_id) or dim("-"),
        dim(plain(session.peer)),
        in_words(_mode(session)),
        format_duration(max(0.0, (now - to_datetime(session.open_time)).total_seconds())),
        format_duration(to_seconds(session.silence)),
        format_duration(to_seconds(session.round_trip)) if session.HasField("round_trip") else dim("-"),
        str(session.events_sent),
        ", ".join(channels) or dim("-"),
    ]


def _all(server: Server, client_id: str) -> Iterator[SessionInfo]:
    token = ""
    while True:
        request = ListSessionsRequest(page_size=PAGE, page_token=token, client_id=client_id)
        response = server.call(server.admin.ListSessions, request)
        yield from response.sessions
        token = response.next_page_token
        if not token:
            return


def _mode(session: SessionInfo) -> str:
    known = session.mode in SessionMode.values()
    return SessionMode.Name(session.mode).removeprefix("SESSION_MODE_") if known else "UNSPECIFIED"
