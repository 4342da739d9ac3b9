"""`heartline who`: which clients are here, and, with --watch, how they come and go."""

import argparse
from collections.abc import Iterator
from datetime import datetime

from heartline.cli.common import Server, Subparsers, add_common, add_parser
from heartline.cli.exits import Exit
from heartline.cli.forms import here_and_now, in_words, instant, moment
from heartline.cli.live import Wish, follow
from heartline.cli.output import Output, bold, dim, green, plain
from heartline.cli.reading import Reading
from heartline.convert import from_wire_position, from_wire_presence
from heartline.durations import format_duration
from heartline.errors import NotFound
from heartline.events import Event, Position, Presence
from heartline.v1.events_pb2 import START_LATEST, Subscription
from heartline.v1.request_service_pb2 import GetPresenceRequest, ListPresenceRequest, PollRequest

CHANNEL = "$presence"
HEADERS = ("CLIENT", "STATE", "SINCE", "WHY", "SESSIONS", "LEASE", "STATUS")
PAGE = 1000

EPILOG = """\
examples:
  heartline who --online
  heartline who phone-7
  heartline who --watch

SINCE is when a client last came or went, WHY the reason for it, LEASE how long its check-in still holds.

With --json: client_id, online, reason, change_time, status, sessions, lease_expire_time (null without a lease).
What --watch adds has the first five of these."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `who`."""
    parser = add_parser(
        subparsers,
        "who",
        help="tell which clients are here",
        description="Lists the clients that were ever here, and whether they are now.",
        epilog=EPILOG,
    )
    parser.add_argument("client_id", metavar="CLIENT_ID", nargs="?", default="", help="only this client")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--online", action="store_true", help="only those that are here")
    only.add_argument("--offline", action="store_true", help="only those that are not")
    parser.add_argument("--watch", action="store_true", help="then show each that comes or goes, until Ctrl-C")
    add_common(parser, run)


def run(args: argparse.Namespace) -> int:
    """Lists, and watches."""
    out = Output(args.json)
    with Server(args) as server:
        # The cursor is taken before the list is read, so that no change falls between the list and what follows it.
        after = _latest(server) if args.watch else None
        now = here_and_now()
        found = [(fields(presence), row(presence, now)) for presence in _presences(server, args)]
    out.table(HEADERS, found, "nobody" if args.client_id or args.online or args.offline else "nobody was here yet")
    if after is None:
        return Exit.OK

    def show(event: Event) -> bool:
        change = change_fields(event)
        unwanted = args.offline if change["online"] else args.online
        if args.client_id in ("", change["client_id"]) and not unwanted:
            out.result(change, change_line(event, here_and_now()))
        return False

    return follow([Reading(CHANNEL, after=after)], show, Wish(args.server, args.timeout), out)


def fields(presence: Presence) -> dict[str, object]:
    """A client's presence for JSON."""
    return {
        "client_id": presence.client_id,
        "online": presence.online,
        "reason": presence.reason,
        "change_time": instant(presence.changed_at),
        "status": presence.status,
        "sessions": presence.sessions,
        "lease_expire_time": presence.lease_expires_at and instant(presence.lease_expires_at),
    }


def row(presence: Presence, now: datetime) -> list[str]:
    """A client's presence for people."""
    age = (now - presence.changed_at).total_seconds()
    ago = f"{format_duration(age)} ago" if age >= 1 else "now"
    lease = dim("-")
    if presence.lease_expires_at is not None:
        left = (presence.lease_expires_at - now).total_seconds()
        lease = f"{format_duration(left)} left" if left > 0 else "ends now"
    return [
        plain(presence.client_id),
        _state(presence.online),
        f"{moment(presence.changed_at, now)} {dim(f'({ago})')}",
        in_words(presence.reason),
        str(presence.sessions) if presence.sessions else dim("-"),
        lease,
        plain(presence.status) or dim("-"),
    ]


def change_fields(event: Event) -> dict[str, object]:
    """An event of "$presence" for JSON."""
    return {
        "client_id": event.attributes.get("client_id", ""),
        "online": event.attributes.get("online") == "true",
        "reason": event.attributes.get("reason", ""),
        "change_time": instant(event.publish_time),
        "status": event.attributes.get("status", ""),
    }


def change_line(event: Event, now: datetime) -> str:
    """An event of "$presence" for people."""
    change = change_fields(event)
    parts = [
        dim(moment(event.publish_time, now)),
        _state(bool(change["online"])),
        bold(plain(str(change["client_id"]))),
        in_words(str(change["reason"])),
    ]
    return "  ".join([*parts, dim(plain(str(change["status"])))] if change["status"] else parts)


def _presences(server: Server, args: argparse.Namespace) -> Iterator[Presence]:
    wanted = True if args.online else False if args.offline else None
    if args.client_id:
        try:
            answer = server.call(server.requests.GetPresence, GetPresenceRequest(client_id=args.client_id))
        except NotFound:
            if args.watch:
                return
            raise
        if wanted in (None, answer.presence.online):
            yield from_wire_presence(answer.presence)
        return
    token = ""
    while True:
        request = ListPresenceRequest(page_size=PAGE, page_token=token)
        if wanted is not None:
            request.online = wanted
        response = server.call(server.requests.ListPresence, request)
        yield from map(from_wire_presence, response.presences)
        token = response.next_page_token
        if not token:
            return


def _latest(server: Server) -> Position:
    request = PollRequest(subscriptions=[Subscription(channel=CHANNEL, start=START_LATEST)], max_events=1)
    return from_wire_position(server.call(server.requests.Poll, request).batches[0].position, CHANNEL)


def _state(online: bool) -> str:
    return green("● online ") if online else dim("○ offline")
