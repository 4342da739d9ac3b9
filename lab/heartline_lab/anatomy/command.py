"""`heartline anatomy`: captures three kinds of conversation on this machine and explains them packet by packet."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from heartline.cli import running
from heartline.cli.common import Subparsers
from heartline.cli.exits import CommandError, Exit
from heartline.cli.output import Output, dim

if TYPE_CHECKING:
    pass

TITLES = {
    "short": "A short call: a connection for one question",
    "kept": "A kept connection: several questions, one after the other",
    "session": "A session: one call that lasts, with a heartbeat and an event that is pushed",
}

EPILOG = """\
examples:
  sudo heartline anatomy
  sudo heartline anatomy --only short
  sudo heartline anatomy --pcap anatomy.pcap --svg pictures

It starts a server of its own, talks to it over loopback, and needs root or CAP_NET_RAW to see the packets.
Wireshark opens what --pcap saves; say there that the server's port is HTTP/2."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `anatomy`."""
    parser = subparsers.add_parser(
        "anatomy",
        help="explain what goes over the wire, packet by packet",
        description="Captures a short call, a kept connection and a session, and explains each packet of them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=TITLES, help="one of the three alone")
    parser.add_argument("--pcap", metavar="FILE", type=Path, help="save the packets for Wireshark")
    parser.add_argument(
        "--svg", metavar="DIR", type=Path, help="save each ladder diagram there, as short.svg and so on"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Captures and explains."""
    from heartline_lab.anatomy.account import account
    from heartline_lab.anatomy.capture import check_rights
    from heartline_lab.anatomy.http2 import parts
    from heartline_lab.anatomy.names import message_name
    from heartline_lab.anatomy.page import comparison, page
    from heartline_lab.anatomy.pcap import pcap
    from heartline_lab.anatomy.picture import ladder
    from heartline_lab.anatomy.stories import record
    from heartline_lab.drawing.ladder import as_svg

    names = [args.only] if args.only else list(TITLES)
    pictures = {name: args.svg / f"{name}.svg" for name in names} if args.svg else {}
    check_rights()
    _check_writable(args.svg, [*pictures.values(), *([args.pcap] if args.pcap else [])])

    recorded = running.run(record(names))
    dissected = {name: parts(connection, message_name) for name, connection in recorded.items()}
    for name, file in pictures.items():
        file.write_text(as_svg(ladder(TITLES[name], recorded[name], dissected[name])), "utf-8")
    if args.pcap:
        args.pcap.write_bytes(pcap(recorded.values()))
    out = Output()
    for name, connection in recorded.items():
        for line in (*page(TITLES[name], connection, dissected[name]), ""):
            out.result({}, line)
    for line in comparison({name: account(recorded[name], dissected[name]) for name in names}):
        out.result({}, line)
    if args.pcap:
        port = recorded[names[0]].server[1]
        out.news({}, dim(f"to see it in Wireshark: wireshark -d tcp.port=={port},http2 {args.pcap}"))
    return Exit.OK


def _check_writable(folder: Path | None, files: Iterable[Path]) -> None:
    """Finds out before the work what could not be saved after it. Raises CommandError."""
    try:
        if folder is not None:
            if folder.is_file():
                raise CommandError(f"--svg takes a folder, and {folder} is a file", Exit.USAGE)
            folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            there = file.exists()
            file.open("ab").close()
            if not there:
                file.unlink()
    except OSError as error:
        raise CommandError(f"cannot write {error.filename}: {error.strerror}", Exit.IO) from None
