"""Finds the command that was asked for, runs it, and turns whatever ends it into an exit code and a sentence.

Only what was asked for is imported: the other commands would make each start slower by a sixth.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper
from types import FrameType
from typing import TYPE_CHECKING, Any

from heartline.cli.common import ENVIRONMENT, CommandParser, Subparsers
from heartline.cli.exits import EXIT_CODES, CommandError, Exit, explain
from heartline.cli.output import Output, plain, red
from heartline.errors import HeartlineError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OWN = ("publish", "poll", "listen", "check-in", "who", "sessions")
GROUP = "heartline.commands"

EPILOG = f"""\
examples:
  heartline serve
  heartline publish orders "two coffees"
  heartline poll orders --start earliest
  heartline listen orders --client-id phone-7

environment:
{ENVIRONMENT}

{EXIT_CODES}

Each command has its own help: heartline COMMAND --help"""


def dispatch(argv: Sequence[str] | None) -> int:
    """Runs one command and returns its exit code. Raises SystemExit for usage, KeyboardInterrupt before the command."""
    _make_streams_safe()
    words = sys.argv[1:] if argv is None else list(argv)
    parser = build_parser(next((word for word in words if not word.startswith("-")), None))
    for word in words:
        if any("\ud800" <= letter <= "\udfff" for letter in word):  # bytes that are no text, as Python takes them in
            parser.error(f"{word!r} is not UTF-8")
    args = parser.parse_args(words)
    out = Output(getattr(args, "json", False))
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        run: Callable[[argparse.Namespace], int] = args.run
        return run(args)
    except (CommandError, HeartlineError) as error:
        text, code = explain(error)
        fields = {"type": "error", "reason": getattr(error, "reason", ""), "message": text}
        out.news(fields, f"{red(f'heartline {args.command}:')} {plain(text)}")
        return code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.BROKEN_PIPE
    except OSError as error:
        print(f"heartline {args.command}: cannot read or write: {error.strerror or error}", file=sys.stderr)
        return Exit.IO
    finally:
        signal.signal(signal.SIGTERM, previous)
        _let_go_of_broken_streams()


class _TellVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from heartline.version import VERSION

        print(f"heartline {VERSION}")
        parser.exit()


def build_parser(asked: str | None) -> argparse.ArgumentParser:
    """Knows the command that is asked for, or all of them when there is none of that name."""
    parser = argparse.ArgumentParser(
        prog="heartline",
        description="Channels and presence over short connections (poll) and over a long one with heartbeats (listen).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", nargs=0, action=_TellVersion, help="show program's version number and exit")
    parser_class: type[argparse.ArgumentParser] = CommandParser
    subparsers = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands", parser_class=parser_class
    )
    if asked in OWN:
        _add_own(asked, subparsers)
        return parser
    from importlib.metadata import entry_points

    others = {entry.name: entry for entry in entry_points(group=GROUP)}
    if asked in others:
        _add_foreign(others[asked], subparsers)
        return parser
    for entry in others.values():
        _add_foreign(entry, subparsers)
    if "serve" not in others:
        _add_missing("serve", "service", subparsers)
    for name in OWN:
        _add_own(name, subparsers)
    return parser


def _add_own(name: str, subparsers: Subparsers) -> None:
    import_module(f"heartline.cli.{name.replace('-', '_')}").add_command(subparsers)


def _add_foreign(entry: "EntryPoint", subparsers: Subparsers) -> None:
    try:
        entry.load()(subparsers)
    except ModuleNotFoundError:
        _add_missing(entry.name, entry.module.split(".")[0].removeprefix("heartline_"), subparsers)


def _add_missing(name: str, extra: str, subparsers: Subparsers) -> None:
    remedy = f"pip install 'heartline[{extra}]'"

    def run(args: argparse.Namespace) -> int:
        raise CommandError(f"this command needs the {extra}: {remedy}", Exit.UNAVAILABLE)

    command = subparsers.add_parser(name, help=f"(needs {remedy})", prefix_chars="\0", add_help=False)
    command.add_argument("anything", nargs="*")
    command.set_defaults(run=run)


def _make_streams_safe() -> None:
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell: `>&-`
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - it stays open as long as the program runs
        elif mode == "w" and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go_of_broken_streams() -> None:
    # What could not be written is still buffered; Python would fail on it once more at the exit.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(Exit.TERMINATED)
