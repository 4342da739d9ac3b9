"""`heartline listen`: events as they happen, over one long connection, with its heartbeats."""

import argparse

from heartline.cli.common import Subparsers, add_common, add_parser, count, duration
from heartline.cli.forms import EVENT_HELP, event_fields, event_line, here_and_now
from heartline.cli.live import Wish, follow
from heartline.cli.output import Output
from heartline.cli.reading import add_arguments, readings
from heartline.events import Event

EPILOG = f"""\
examples:
  heartline listen orders
  heartline listen orders payments --client-id phone-7
  heartline listen orders --heartbeat-interval 1s --heartbeat-timeout 2s
  heartline listen orders --json --quiet | jq .text

Events and gaps go to stdout; how the line is goes to stderr: connecting, online, waiting, polling, closed, and each
heartbeat with its round-trip. --timeout is how long the first connection may take; later ones are tried until
Ctrl-C. With --client-id, a printed event counts as handled, and the next listen goes on after it.

{EVENT_HELP}
On stderr: type ("state"), state, reason, time; and type ("heartbeat"), round_trip_seconds, time."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `listen`."""
    parser = add_parser(
        subparsers,
        "listen",
        help="read channels over a long connection with heartbeats",
        description="Shows events as they happen, over one long connection, and how that connection is.",
        epilog=EPILOG,
    )
    add_arguments(parser)
    parser.add_argument(
        "--transport",
        choices=("auto", "stream", "poll"),
        default="auto",
        help="how to be connected; auto polls where a stream cannot be held (default: auto)",
    )
    parser.add_argument(
        "--heartbeat-interval", metavar="TIME", type=duration, help="how much silence brings a heartbeat"
    )
    parser.add_argument("--heartbeat-timeout", metavar="TIME", type=duration, help="how long its answer may take")
    parser.add_argument("--count", metavar="N", type=count, help="end after this many events")
    parser.add_argument("--quiet", action="store_true", help="events and gaps only")
    add_common(parser, run)


def run(args: argparse.Namespace) -> int:
    """Listens."""
    out = Output(args.json)
    shown = 0

    def show(event: Event) -> bool:
        nonlocal shown
        shown += 1
        out.result(event_fields(event), event_line(event, here_and_now()))
        return args.count is not None and shown >= int(args.count)

    wish = Wish(
        server=args.server,
        timeout=args.timeout,
        client_id=args.client_id,
        transport=args.transport,
        heartbeat_interval=args.heartbeat_interval,
        heartbeat_timeout=args.heartbeat_timeout,
        quiet=args.quiet,
    )
    return follow(readings(args), show, wish, out)
