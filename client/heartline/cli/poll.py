"""`heartline poll`: reads channels by short connections, once or again and again."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from heartline.cli.common import Server, Subparsers, add_common, add_parser, count, duration, repeat
from heartline.cli.exits import CommandError, Exit
from heartline.cli.forms import EVENT_HELP, event_fields, event_line, gap_fields, gap_line, here_and_now
from heartline.cli.output import Output, dim, plain
from heartline.cli.reading import Reading, add_arguments, readings
from heartline.convert import (
    from_wire_event,
    from_wire_gap,
    from_wire_position,
    to_duration,
    to_seconds,
    to_wire_subscription,
)
from heartline.durations import format_duration
from heartline.errors import GapError
from heartline.events import Position
from heartline.v1 import events_pb2
from heartline.v1.request_service_pb2 import AckRequest, PollRequest, PollResponse

EPILOG = f"""\
examples:
  heartline poll orders --start earliest
  heartline poll orders --after 17 --wait 30s
  heartline poll orders --client-id phone-7 --ack
  heartline poll orders --client-id phone-7 --ack --follow --wait 1m

Events go to stdout, where to go on from to stderr.
{EVENT_HELP}
A position, on stderr, has: type ("position"), channel, epoch, offset, poll_after_seconds."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `poll`."""
    parser = add_parser(
        subparsers,
        "poll",
        help="read channels by short connections: ask, answer, done",
        description="Reads channels by unary calls, each of which stands alone.",
        epilog=EPILOG,
    )
    add_arguments(parser)
    parser.add_argument("--wait", metavar="TIME", type=duration, help="a long poll: answer when there is something")
    parser.add_argument("--max-events", metavar="N", type=count, default=0, help="at most this many (default: 1000)")
    parser.add_argument("--ack", action="store_true", help="acknowledge what was printed; needs --client-id")
    parser.add_argument("--follow", action="store_true", help="poll on, as often as the server says, until Ctrl-C")
    add_common(parser, run)


def run(args: argparse.Namespace) -> int:
    """Polls."""
    out = Output(args.json)
    if args.ack and not args.client_id:
        raise CommandError("--ack needs a --client-id, for which to acknowledge", Exit.USAGE)
    asked = readings(args)
    with Server(args) as server:
        response = _poll(server, out, args, asked)
        if args.follow:
            _follow(server, out, args, asked, response)
        for batch in response.batches:
            _tell_position(out, from_wire_position(batch.position, batch.channel), to_seconds(response.poll_after))
    return Exit.OK


def _follow(
    server: Server, out: Output, args: argparse.Namespace, asked: Sequence[Reading], response: PollResponse
) -> None:
    def step() -> float:
        nonlocal asked, response
        asked = [
            replace(reading, after=from_wire_position(batch.position, reading.channel))
            for reading, batch in zip(asked, response.batches, strict=True)
        ]
        response = _poll(server, out, args, asked)
        return to_seconds(response.poll_after)

    out.pause(to_seconds(response.poll_after))
    repeat(step, out)


def _poll(server: Server, out: Output, args: argparse.Namespace, asked: Sequence[Reading]) -> PollResponse:
    request = PollRequest(
        client_id=args.client_id,
        subscriptions=[to_wire_subscription(reading.channel, reading.after, reading.start, 0) for reading in asked],
        max_events=args.max_events,
    )
    if args.wait is not None:
        request.wait.CopyFrom(to_duration(args.wait))
    response = server.call(server.requests.Poll, request, wait=args.wait or 0.0)
    now = here_and_now()
    for batch in response.batches:
        if batch.HasField("gap"):
            gap = GapError(from_wire_gap(batch.gap), _before(batch))
            out.result(gap_fields(gap), gap_line(gap, now))
        for wire_event in batch.events:
            event = from_wire_event(wire_event, batch.channel, batch.epoch)
            out.result(event_fields(event), event_line(event, now))
    # A gap, too: else the next run would be told of the same one, and never come past it.
    read = [batch.position for batch in response.batches if batch.events or batch.HasField("gap")]
    if args.ack and read:
        server.call(server.requests.Ack, AckRequest(client_id=args.client_id, positions=read))
    return response


def _before(batch: events_pb2.Batch) -> Position:
    offset = batch.events[0].offset - 1 if batch.events else batch.position.offset
    return Position(batch.channel, batch.epoch, offset)


def _tell_position(out: Output, position: Position, poll_after: float) -> None:
    fields = {
        "type": "position",
        "channel": position.channel,
        "epoch": position.epoch,
        "offset": position.offset,
        "poll_after_seconds": poll_after,
    }
    when = f"in {format_duration(poll_after)}" if poll_after else "now: more is there"
    out.news(fields, dim(f"{plain(position.channel)}: go on with --after {position.epoch}:{position.offset}, {when}"))
