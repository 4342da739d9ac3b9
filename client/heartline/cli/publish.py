"""`heartline publish`: messages from the command line, from a pipe, or from a file."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from heartline.cli.common import Server, Subparsers, add_common, add_parser
from heartline.cli.exits import CommandError, Exit
from heartline.cli.output import Output, bold, dim
from heartline.errors import HeartlineError
from heartline.v1.events_pb2 import Message
from heartline.v1.request_service_pb2 import PublishRequest

CHUNK = 64 * 1024
"""Bytes read from a pipe at once. What came meanwhile goes out in one request, so a busy pipe batches by itself."""
MOST_MESSAGES = 1000
"""The most messages that one request may carry."""

EPILOG = """\
examples:
  heartline publish orders "two coffees" "one tea"
  heartline publish orders --id order-17 -a size=large "one cake"
  tail -f app.log | heartline publish logs
  heartline publish pictures --file cat.jpg -a type=image/jpeg

Prints a receipt for each message. With --json: channel, offset, epoch, duplicate.
Texts of one command are stored all or none. A message with --id can be published again without harm: the
first receipt comes back, marked as a duplicate."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `publish`."""
    parser = add_parser(
        subparsers,
        "publish",
        help="publish messages to a channel",
        description="Publishes messages to a channel. When it returns, they are durable.",
        epilog=EPILOG,
    )
    parser.add_argument("channel", metavar="CHANNEL", help="the channel to publish to")
    parser.add_argument(
        "text", metavar="TEXT", nargs="*", help="a message each; '-', or none and a pipe: each line of stdin is one"
    )
    parser.add_argument("--file", metavar="FILE", type=Path, help="publish the bytes of this file as one message")
    parser.add_argument("--id", metavar="ID", default="", help="names the one message, so that a repeat adds nothing")
    parser.add_argument(
        "-a",
        "--attribute",
        metavar="KEY=VALUE",
        type=_attribute,
        action="append",
        default=[],
        help="a label on each message; may be repeated",
    )
    add_common(parser, run)


def run(args: argparse.Namespace) -> int:
    """Publishes."""
    out = Output(args.json)
    attributes = dict(args.attribute)
    from_stdin = args.text == ["-"] or (not args.text and args.file is None)
    if args.file is not None and args.text:
        raise CommandError("give TEXT or --file, not both", Exit.USAGE)
    if args.id and (from_stdin or len(args.text) > 1):
        raise CommandError("--id names one message: give one TEXT, or --file", Exit.USAGE)
    if from_stdin and not args.text and sys.stdin.isatty():
        raise CommandError("nothing to publish: give TEXT or --file, or pipe lines in", Exit.USAGE)
    with Server(args) as server:
        if from_stdin:
            return _publish_lines(server, out, args.channel, attributes)
        if args.file is not None:
            messages = [Message(id=args.id, binary=_read(args.file), attributes=attributes)]
        else:
            messages = [Message(id=args.id, text=text, attributes=attributes) for text in args.text]
        _publish(server, out, args.channel, messages)
    return Exit.OK


def _publish_lines(server: Server, out: Output, channel: str, attributes: dict[str, str]) -> int:
    published = 0
    try:
        for lines in batches(sys.stdin.fileno()):
            messages = []
            for number, line in enumerate(lines, published + 1):
                try:
                    messages.append(Message(text=line.decode(), attributes=attributes))
                except UnicodeDecodeError:
                    raise CommandError(f"line {number} is not UTF-8; --file publishes bytes", Exit.DATA) from None
            _publish(server, out, channel, messages)
            published += len(messages)
    except (CommandError, HeartlineError):
        what = {0: "nothing was", 1: "line 1 alone was"}.get(published, f"lines 1 to {published} were")
        out.news({"type": "stopped", "published": published}, dim(f"{what} published"))
        raise
    return Exit.OK


def batches(fd: int) -> Iterator[Sequence[bytes]]:
    """The lines that come from `fd`, without their ends: as many at a time as are there, and fit one request."""
    rest = b""
    while chunk := os.read(fd, CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(lines), MOST_MESSAGES):
            yield lines[start : start + MOST_MESSAGES]
    if rest:
        yield [rest]


def _publish(server: Server, out: Output, channel: str, messages: Sequence[Message]) -> None:
    response = server.call(server.requests.Publish, PublishRequest(channel=channel, messages=messages))
    for receipt in response.receipts:
        fields = {
            "channel": channel,
            "offset": receipt.offset,
            "epoch": receipt.epoch,
            "duplicate": receipt.duplicate,
        }
        known = dim("  a duplicate: it was published before") if receipt.duplicate else ""
        out.result(fields, f"{channel} {bold(f'#{receipt.offset}')}{known}")


def _attribute(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}", Exit.DATA) from None
