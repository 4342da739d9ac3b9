"""What the commands that read channels share: which channels, and from where."""

import argparse
import re
from dataclasses import dataclass, replace

from heartline.cli.exits import CommandError, Exit
from heartline.events import Position, Start

_POSITION = re.compile(r"(?:([^:]+):)?([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Reading:
    """One channel to read, and from where."""

    channel: str
    start: Start = Start.UNSPECIFIED
    after: Position | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds CHANNEL, --client-id, --start and --after."""
    parser.add_argument("channel", metavar="CHANNEL", nargs="+", help="a channel to read")
    parser.add_argument("--client-id", metavar="ID", default="", help="who reads; it is online meanwhile")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--start",
        choices=("earliest", "latest", "acked"),
        help="where to start (default: acked with --client-id, else latest)",
    )
    where.add_argument(
        "--after",
        metavar="[EPOCH:]OFFSET",
        type=position,
        help="start after this position; 0 is the place before the first event",
    )


def position(text: str) -> Position:
    """A Position without its channel, as an argparse type."""
    match = _POSITION.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a position: write OFFSET or EPOCH:OFFSET, such as 17")
    return Position("", match[1] or "", int(match[2]))


def readings(args: argparse.Namespace) -> list[Reading]:
    """What the options ask for."""
    if args.after is not None and len(args.channel) > 1:
        raise CommandError("--after is a place in one channel: give one CHANNEL", Exit.USAGE)
    if args.start == "acked" and not args.client_id:
        raise CommandError("--start acked needs a --client-id, whose acknowledgements count", Exit.USAGE)
    start = Start[args.start.upper()] if args.start else Start.UNSPECIFIED
    after = args.after
    return [Reading(name, start, after and replace(after, channel=name)) for name in args.channel]
