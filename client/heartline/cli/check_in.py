"""`heartline check-in`: says that a client is here, once or again and again, or that it is gone."""

import argparse
import contextlib

from heartline.cli.common import Server, Subparsers, add_common, add_parser, duration, repeat
from heartline.cli.exits import CommandError, Exit
from heartline.cli.forms import here_and_now, instant, moment
from heartline.cli.output import Output, dim, green, plain, yellow
from heartline.convert import to_datetime, to_duration
from heartline.errors import HeartlineError
from heartline.v1.request_service_pb2 import CheckInRequest, CheckOutRequest

DEFAULT_TTL = 60.0
"""What the server grants when no --ttl is given, in seconds."""

EPILOG = """\
examples:
  heartline check-in phone-7
  heartline check-in phone-7 --ttl 5m --status "battery 80%"
  heartline check-in phone-7 --every 20s      stays online until Ctrl-C, which checks out
  heartline check-in phone-7 --out

With --json: client_id, lease_expire_time, events_waiting; after a check-out: client_id, checked_out."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `check-in`."""
    parser = add_parser(
        subparsers,
        "check-in",
        help="say that a client is here, without a session",
        description="Says that a client is here. It counts as online until its lease ends.",
        epilog=EPILOG,
    )
    parser.add_argument("client_id", metavar="CLIENT_ID", help="who is here")
    parser.add_argument("--ttl", metavar="TIME", type=duration, help="how long this holds (default: 60s)")
    parser.add_argument("--status", metavar="TEXT", default="", help="a short word on how the client is")
    often = parser.add_mutually_exclusive_group()
    often.add_argument("--every", metavar="TIME", type=duration, help="check in again each time this has passed")
    often.add_argument("--out", action="store_true", help="check out: the lease ends at once")
    add_common(parser, run)


def run(args: argparse.Namespace) -> int:
    """Checks in or out."""
    out = Output(args.json)
    if args.out and (args.ttl is not None or args.status):
        raise CommandError("--out ends the lease; --ttl and --status do not go with it", Exit.USAGE)
    if args.every is not None and not 0 < args.every < (DEFAULT_TTL if args.ttl is None else args.ttl):
        raise CommandError("--every must be shorter than --ttl, or the lease ends in between", Exit.USAGE)
    with Server(args) as server:
        if args.out:
            _check_out(server, out, args.client_id)
            return Exit.OK
        _check_in(server, out, args)
        if args.every is not None:
            try:
                _stay(server, out, args)
            finally:
                with contextlib.suppress(HeartlineError, BrokenPipeError):
                    _check_out(server, out, args.client_id)
    return Exit.OK


def _stay(server: Server, out: Output, args: argparse.Namespace) -> None:
    def step() -> float:
        _check_in(server, out, args)
        return float(args.every)

    out.pause(args.every)
    repeat(step, out)


def _check_in(server: Server, out: Output, args: argparse.Namespace) -> None:
    request = CheckInRequest(client_id=args.client_id, status=args.status)
    if args.ttl is not None:
        request.ttl.CopyFrom(to_duration(args.ttl))
    response = server.call(server.requests.CheckIn, request)
    until, now = to_datetime(response.lease_expire_time), here_and_now()
    fields = {
        "client_id": args.client_id,
        "lease_expire_time": instant(until),
        "events_waiting": response.events_waiting,
    }
    waiting = yellow("  events are waiting") if response.events_waiting else ""
    here = f"{plain(args.client_id)} {green('is here')} until {moment(until, now)}"
    out.result(fields, f"{dim(moment(now, now))}  {here}{waiting}")


def _check_out(server: Server, out: Output, client_id: str) -> None:
    server.call(server.requests.CheckOut, CheckOutRequest(client_id=client_id))
    now = here_and_now()
    fields = {"client_id": client_id, "checked_out": True}
    out.result(fields, f"{dim(moment(now, now))}  {plain(client_id)} is checked out")
