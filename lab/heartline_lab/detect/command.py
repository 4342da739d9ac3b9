"""`heartline detect`: what is asked for, what this machine can do, and the table at the end."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from heartline.cli import running
from heartline.cli.common import Subparsers, add_parser, duration
from heartline.cli.exits import EXIT_CODES, CommandError, Exit
from heartline.timing import Timing

from heartline_lab.detect import kernel
from heartline_lab.detect.cells import Missing
from heartline_lab.detect.faults import DETECTORS, FAULTS, Fault, runs
from heartline_lab.detect.observed import Observed
from heartline_lab.detect.patience import Patience

EPILOG = f"""\
faults:
{chr(10).join(f"  {fault.name:<10} {fault.what}" for fault in FAULTS)}

detectors:
{chr(10).join(f"  {detector.name:<17} {detector.what}" for detector in DETECTORS)}

examples:
  sudo heartline detect
  heartline detect --only stop hang proxy
  sudo heartline detect --interval 5s --timeout 3s --within 30s --json detect.json

What the network does needs root (namespaces of its own, made and removed), and the proxy needs haproxy on the PATH;
without them the cells say so.

{EXIT_CODES}"""


def add_command(subparsers: Subparsers) -> None:
    """Adds `detect`."""
    parser = add_parser(
        subparsers,
        "detect",
        help="measure who notices a lost peer, and when",
        description="Measures how long each way to notice a lost peer takes, for each way to lose one, on both sides.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "--only", metavar="FAULT", nargs="+", choices=[fault.name for fault in FAULTS], help="only these faults"
    )
    parser.add_argument(
        "--interval", metavar="TIME", type=duration, default=1.0, help="silence before a detector asks (default: 1s)"
    )
    parser.add_argument(
        "--timeout",
        metavar="TIME",
        type=duration,
        default=1.0,
        help="silence after that before it gives up (default: 1s)",
    )
    parser.add_argument(
        "--within", metavar="TIME", type=duration, default=10.0, help="how long to watch after the fault (default: 10s)"
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        dest="file",  # `json` is for commands that speak JSON line by line
        help="write the figures there as JSON; - is stdout, without the table",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measures, and shows the table."""
    from heartline_lab.detect.table import as_json, as_text, report

    patience = _patience(args)
    if args.file not in (None, "-") and not os.access(Path(args.file).absolute().parent, os.W_OK):
        raise CommandError(f"--json: {args.file} cannot be written to", Exit.IO)
    faults = [fault for fault in FAULTS if args.only is None or fault.name in args.only]
    settings = _kernel()
    missing = _missing()
    seen = _measure(faults, missing, patience, args.within)
    found = report(faults, seen, missing, patience, args.within, settings)
    if args.file != "-":
        from rich.console import Console

        console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
        console.print(as_text(found, console.width))
    if args.file is not None:
        text = json.dumps(as_json(found), indent=2) + "\n"
        if args.file == "-":
            sys.stdout.write(text)
        else:
            Path(args.file).write_text(text)
    return Exit.OK


def _patience(args: argparse.Namespace) -> Patience:
    try:
        Timing(args.interval, args.timeout)
    except ValueError as error:
        raise CommandError(f"--interval, --timeout: {error}", Exit.USAGE) from None
    patience = Patience(args.interval, args.timeout)
    if args.within <= patience.whole:
        raise CommandError("--within must be longer than --interval and --timeout together", Exit.USAGE)
    return patience


def _kernel() -> kernel.Kernel:
    folder = Path("/proc/sys/net/ipv4")
    try:
        return kernel.parse({name: (folder / name).read_text() for name in kernel.NAMES})
    except FileNotFoundError:
        raise CommandError("detect needs Linux: it measures that kernel's TCP", Exit.UNAVAILABLE) from None


def _missing() -> Missing:
    from heartline_lab.detect.ways import haproxy
    from heartline_lab.network import NoNamespaces, Pair

    try:
        with Pair():
            return Missing(haproxy=not haproxy())
    except NoNamespaces as error:
        return Missing(error.need, str(error), haproxy=not haproxy())


def _measure(faults: Sequence[Fault], missing: Missing, patience: Patience, within: float) -> list[Observed]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from heartline_lab.detect.runner import Bench

    wanted = [run for run in runs(faults) if any(missing.of(run.fault, detector) is None for detector in DETECTORS)]
    if not wanted:
        return []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(f"starting {2 * len(wanted)} programs", total=None)
        cells = sum(len(run.watchers) for run in wanted) * len(DETECTORS)

        def struck() -> None:
            if progress.tasks[0].total is None:
                console.print(f"the faults are happening; watching for {within:g} s", style="dim")
                progress.update(bar, description="noticed", total=cells)

        bench = Bench(
            patience,
            within,
            namespaces=not missing.namespaces,
            on_struck=struck,
            on_notice=lambda: progress.advance(bar),
        )
        return running.run(bench.observe(wanted))
