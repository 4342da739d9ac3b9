"""What the commands share: their options, and unary calls to the server that these name."""

import argparse
import os
import random
import re
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar

import grpc

from heartline import errors
from heartline.backoff import Backoff
from heartline.cli.exits import CommandError, Exit, NoServer
from heartline.cli.output import Output, plain, yellow
from heartline.durations import format_duration, parse_duration
from heartline.errors import HeartlineError
from heartline.network import without_proxy
from heartline.v1.admin_service_pb2_grpc import AdminServiceStub
from heartline.v1.request_service_pb2_grpc import RequestServiceStub

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subparsers = object

DEFAULT_SERVER = "127.0.0.1:50051"
ENVIRONMENT = f"""\
  HEARTLINE_SERVER  the server to talk to, as HOST:PORT (otherwise {DEFAULT_SERVER})
  NO_COLOR          when set, no colours; they show on a terminal only"""

RECONNECT = (("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 1000))
"""A call fails at once while gRPC waits to connect anew. That must be short: `repeat` has a back-off of its own."""

_ADDRESS = re.compile(r"(?:\[[0-9a-fA-F:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class CommandParser(argparse.ArgumentParser):
    """Lets options stand anywhere, also between CHANNEL and TEXT, which plain argparse takes for an error."""

    _intermixing = False

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """As argparse has it, in any order."""
        if self._intermixing:
            return super().parse_known_args(args, namespace)
        self._intermixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixing = False


def add_parser(
    subparsers: Subparsers, name: str, *, help: str, description: str, epilog: str
) -> argparse.ArgumentParser:
    """A command's parser; `add_common` ends what is put into it."""
    return subparsers.add_parser(
        name, help=help, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def add_common(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    """Adds the options that every command has, and what runs it."""
    common = parser.add_argument_group("common options")
    common.add_argument(
        "--server",
        metavar="HOST:PORT",
        type=address,
        default=os.environ.get("HEARTLINE_SERVER") or DEFAULT_SERVER,
        help="the server (default: %(default)s; HEARTLINE_SERVER sets it)",
    )
    common.add_argument(
        "--timeout",
        metavar="TIME",
        type=duration,
        default=10.0,
        help="give up when no answer came for this long (default: 10s)",
    )
    common.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.set_defaults(run=run)


def address(text: str) -> str:
    """A HOST:PORT, as an argparse type."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[1]) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address: write HOST:PORT, such as {DEFAULT_SERVER}")
    return text


def duration(text: str) -> float:
    """Seconds, from 500ms, 15s, 5m, as an argparse type."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def count(text: str) -> int:
    """A number from 1, as an argparse type."""
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def repeat(step: Callable[[], float], out: Output) -> NoReturn:
    """Does `step` for ever, pausing for the seconds it returns. When no server answers, tells so and tries again."""
    backoff = Backoff(random.random, base=1.0)
    while True:
        try:
            delay = step()
            backoff.reset()
        except errors.Unavailable as error:
            delay = backoff.next(error.retry_after)
            news = {"type": "retry", "message": str(error), "retry_after_seconds": round(delay, 3)}
            out.news(news, yellow(f"{plain(str(error))}; trying again in {format_duration(delay)}"))
        out.pause(delay)


class Server:
    """Unary calls to the server that the options name, each with their timeout."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._address: str = args.server
        self._timeout: float = args.timeout
        self._channel = grpc.insecure_channel(args.server, [*RECONNECT, *without_proxy(args.server)])
        self.requests = RequestServiceStub(self._channel)
        self.admin = AdminServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._channel.close()

    def call(
        self, method: "grpc.UnaryUnaryMultiCallable[_Request, _Response]", request: _Request, wait: float = 0.0
    ) -> _Response:
        """Calls, and waits `wait` seconds longer than the timeout. Raises HeartlineError, CommandError."""
        try:
            return method(request, timeout=self._timeout + wait)
        except grpc.RpcError as error:
            raise self._failure(error) from None

    def _failure(self, error: grpc.RpcError) -> HeartlineError | CommandError:
        known = errors.from_rpc_error(error)
        assert isinstance(error, grpc.Call)
        if known.reason:
            return known
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return NoServer(f"no server answers at {self._address}")
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return NoServer(f"no answer from {self._address} within {format_duration(self._timeout)}")
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            return CommandError(f"what answers at {self._address} is not a Heartline server", Exit.UNAVAILABLE)
        return known
