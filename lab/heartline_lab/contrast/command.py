"""`heartline contrast`: the same workload over short and long connections, measured side by side on this machine."""

import argparse
import math
from pathlib import Path

from heartline.cli import running
from heartline.cli.common import Subparsers, add_parser, count, duration
from heartline.cli.exits import CommandError, Exit
from heartline.cli.output import Output

from heartline_lab.contrast.results import Contrast, Workload, to_json

MOST_PAYLOAD = 1_000_000
LONGEST = 600.0
"""Seconds."""
STDOUT = Path("-")

EPILOG = """\
examples:
  heartline contrast
  heartline contrast --html contrast.html
  heartline contrast --clients 2000 --rate 0.5 --fresh-within 5s
  heartline contrast --sweep --json contrast.json --png plots

The modes: short, a new connection for every poll; kept, polls on one kept connection; long-poll, polls that wait for
news; stream, one connection over which news is pushed. A server and the clients are started for it, on this machine,
with a middlebox between them that counts.

--clients, --rate and --fresh-within are also what the advice is for. More than one machine can measure is measured
with less, and scaled; the output says so. TIME is 500ms, 15s, 5m, or plain seconds.

docs/contrast.md describes every figure, and the JSON."""


def add_command(subparsers: Subparsers) -> None:
    """Adds `contrast`."""
    parser = add_parser(
        subparsers,
        "contrast",
        help="measure short connections against long ones",
        description="Measures the same workload over short connections and over long ones, and says which to take.",
        epilog=EPILOG,
    )
    work = parser.add_argument_group("your numbers")
    work.add_argument("--clients", metavar="N", type=count, default=10, help="who gets every event (default: 10)")
    work.add_argument("--rate", metavar="EVENTS", type=_rate, default=5.0, help="events a second (default: 5)")
    work.add_argument("--payload", metavar="BYTES", type=_payload, default=100, help="of an event (default: 100)")
    work.add_argument(
        "--fresh-within", metavar="TIME", type=_fresh, default=1.0, help="how old news may be (default: 1s)"
    )
    how = parser.add_argument_group("how it is measured")
    how.add_argument("--seconds", metavar="TIME", type=_seconds, default=2.5, help="of a run (default: 2.5s)")
    how.add_argument("--repeats", metavar="N", type=_repeats, default=3, help="runs of each mode (default: 3)")
    how.add_argument(
        "--poll-interval", metavar="TIME", type=_interval, default=0.2, help="of short and kept (default: 200ms)"
    )
    how.add_argument("--sweep", action="store_true", help="also other poll intervals and event rates (2 minutes more)")
    to = parser.add_argument_group("where it goes")
    to.add_argument(
        "--json",
        metavar="FILE",
        dest="json_file",  # the dispatcher takes `json` for "print JSON lines"
        type=Path,
        help='the result as JSON; "-" is stdout, instead of the tables',
    )
    to.add_argument("--html", metavar="FILE", type=Path, help="one page with plots and diagrams")
    to.add_argument("--png", metavar="DIR", type=Path, help="the plots, into a directory")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measures, and shows and writes what came out."""
    from heartline_lab.contrast.files import check_writable

    for file in (args.json_file, args.html):
        if file is not None and file != STDOUT:
            check_writable(file, directory=False)
    if args.png is not None:
        check_writable(args.png, directory=True)
    asked = Workload(
        clients=args.clients,
        rate=args.rate,
        seconds=args.seconds,
        payload=args.payload,
        poll_interval_seconds=args.poll_interval,
        repeats=args.repeats,
    )
    hand_over(running.run(_measure(asked, args.fresh_within, args.sweep)), args)
    return Exit.OK


async def _measure(asked: Workload, fresh_within: float, sweep: bool) -> Contrast:
    from heartline_lab.contrast.measure import contrast, expected_seconds
    from heartline_lab.contrast.progress import progress

    async with progress(expected_seconds(asked, sweep)) as begin:
        return await contrast(asked, fresh_within, sweep, begin)


def hand_over(contrast: Contrast, args: argparse.Namespace) -> None:
    """Prints the result, and writes it to where the options say. Raises CommandError."""
    from heartline_lab.contrast.table import lines

    out = Output()
    if args.json_file == STDOUT:
        print(to_json(contrast), end="", flush=True)
    else:
        for line in lines(contrast):
            out.result({}, line)
    written: list[Path] = []
    if args.json_file not in (None, STDOUT):
        _write(args.json_file, to_json(contrast))
        written.append(args.json_file)
    if args.html is not None or args.png is not None:
        from heartline_lab.contrast.page import write_html, write_png

        if args.html is not None:
            write_html(contrast, args.html)
            written.append(args.html)
        if args.png is not None:
            written += write_png(contrast, args.png)
    for path in written:
        out.news({}, f"wrote {path}")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}", Exit.IO) from None


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0.001 <= rate <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of events a second from 0.001 to 1000000")
    return rate


def _payload(text: str) -> int:
    if count(text) > MOST_PAYLOAD:
        raise argparse.ArgumentTypeError(f"{text!r} is too many bytes for an event: at most {MOST_PAYLOAD}")
    return int(text)


def _repeats(text: str) -> int:
    if count(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is too often: at most 100")
    return int(text)


def _between(text: str, least: float, most: float) -> float:
    seconds = duration(text)
    if not least <= seconds <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not from {_short(least)} to {_short(most)}")
    return seconds


def _short(seconds: float) -> str:
    from heartline.durations import format_duration

    return format_duration(seconds)


def _seconds(text: str) -> float:
    return _between(text, 0.2, LONGEST)


def _interval(text: str) -> float:
    return _between(text, 0.01, LONGEST)


def _fresh(text: str) -> float:
    return _between(text, 0.001, 86400.0)
