"""`heartline middlebox`: the network in between as a command, and words to one that runs elsewhere."""

import argparse
import asyncio

from heartline.cli.common import Subparsers, add_parser, address, duration
from heartline.cli.exits import CommandError, Exit
from heartline.cli.output import Output

from heartline_lab.middlebox import words
from heartline_lab.middlebox.faults import Faults

EPILOG = f"""\
examples:
  heartline middlebox --listen 127.0.0.1:50052 --upstream 127.0.0.1:50051
  heartline middlebox --listen 127.0.0.1:50052 --upstream 127.0.0.1:50051 --latency 50ms --control box.sock
  heartline middlebox --at box.sock black-hole up
  heartline middlebox --at box.sock heal
  sudo heartline middlebox --namespace --control cable.sock
  sudo heartline middlebox --at cable.sock pull

Words to change the faults while it runs, on its standard input or after --at:
{words.HELP}

With --namespace there is no relay: it makes two network namespaces joined by a cable, and says how to run programs at
its ends, so that power off and a pulled cable are real. It needs root. Its words:
{words.CABLE_HELP}

On --json, one object a line: type ("ready"), listen, upstream; ("totals") connections, open, up and down (bytes,
segments), faults, each second in which they change; ("connection") opened_at, closed_at, up, down, when one has
ended; ("order", "failure", "error") on stderr; ("summary") as totals, with seconds. Times are seconds since it opened.

A relay's own kernel acknowledges what it receives: docs/middlebox.md says what that means. Ctrl-C and SIGTERM end it
with exit code 0. Linux only."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `middlebox`."""
    parser = add_parser(
        subparsers,
        "middlebox",
        help="a TCP relay that counts, and fails as networks do",
        description="Relays TCP connections, counts what goes through, and does to them what networks do.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "--listen", metavar="HOST:PORT", type=_any_address, help="where clients connect (port 0: any that is free)"
    )
    parser.add_argument("--upstream", metavar="HOST:PORT", type=address, help="where the server is")
    parser.add_argument("--control", metavar="SOCKET", help="a Unix socket to make, for --at")
    parser.add_argument("--at", metavar="SOCKET", help="send words to the middlebox that has this --control")
    parser.add_argument("--namespace", action="store_true", help="no relay, but a real cable between two namespaces")
    parser.add_argument("words", metavar="WORDS", nargs="*", help="what it is to do (with --at alone)")
    faults = parser.add_argument_group("faults from the start")
    faults.add_argument("--latency", metavar="TIME", type=duration, default=0.0, help="each way")
    faults.add_argument("--jitter", metavar="TIME", type=duration, default=0.0, help="up to so much more, by chance")
    faults.add_argument("--bandwidth", metavar="RATE", type=_rate, help="bytes a second: 500, 100k, 2M")
    faults.add_argument("--black-hole", choices=("up", "down", "both"), default="", help="where nothing arrives")
    faults.add_argument("--idle-timeout", metavar="TIME", type=duration, help="drop a connection without a byte")
    faults.add_argument("--idle-action", choices=("silent", "rst"), default="silent", help="how (default: silent)")
    faults.add_argument("--refuse", action="store_true", help="refuse new connections")
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Relays, or sends words to a middlebox that does."""
    out = Output(args.json)
    if args.at is not None:
        return _send(args, out)
    if args.words:
        raise CommandError(f"{' '.join(args.words)!r} is for a middlebox that runs: name it with --at", Exit.USAGE)
    if args.namespace:
        return _join(args, out)
    if args.listen is None or args.upstream is None:
        raise CommandError("it needs --listen and --upstream, or --at, or --namespace", Exit.USAGE)
    from heartline_lab.middlebox.shell import Shell

    async def relay() -> None:
        await Shell(args.listen, args.upstream, _faults(args), args.control, out).run()

    asyncio.run(relay())
    return Exit.OK


def _join(args: argparse.Namespace, out: Output) -> int:
    from heartline_lab.network.cable import Cable

    if _faults(args) != Faults() or any((args.listen, args.upstream)):
        raise CommandError("--namespace takes no flags but --control and --json: a cable is no relay", Exit.USAGE)

    async def join() -> None:
        await Cable(args.control, out).run()

    asyncio.run(join())
    return Exit.OK


def _send(args: argparse.Namespace, out: Output) -> int:
    from heartline_lab.middlebox.control import Control
    from heartline_lab.middlebox.screen import counted

    if _faults(args) != Faults() or any((args.listen, args.upstream, args.control, args.namespace)):
        raise CommandError("--at takes words, such as `latency 50ms`, and no flags but --json", Exit.USAGE)
    try:
        order = words.parse(args.words)
        if order.deed == "help":
            out.result({"type": "help", "message": words.HELP}, words.HELP)
            return Exit.OK
        control = Control(args.at)
        state = control.send(order)
    except ValueError as error:
        raise CommandError(f"{error}; nothing changed", Exit.USAGE) from None
    fields = {"type": "state", **state}
    if "cable" in state:
        out.result(fields, state["cable"])
    else:
        out.result(fields, f"{counted(control.totals())}; {words.described(Faults(**state['faults']))}")
    return Exit.OK


def _faults(args: argparse.Namespace) -> Faults:
    try:
        return Faults(
            latency=args.latency,
            jitter=args.jitter,
            bandwidth=args.bandwidth,
            black_hole=args.black_hole,
            idle_timeout=args.idle_timeout,
            idle_action=args.idle_action,
            refuse=args.refuse,
        )
    except ValueError as error:
        raise CommandError(str(error), Exit.USAGE) from None


def _any_address(text: str) -> str:
    try:
        address(f"{text[:-1]}1" if text.endswith(":0") else text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an address: write HOST:PORT, such as 127.0.0.1:50052; port 0 takes any"
        ) from None
    return text


def _rate(text: str) -> float:
    try:
        return words.rate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
