"""`heartline serve`: its flags, and whether one process serves or several."""

import argparse
import asyncio
import os
import textwrap
from typing import Any

from heartline_service import options, serving, workers

VARIABLES = textwrap.fill(", ".join(option.variable for option in options.OPTIONS), 118)

EPILOG = f"""\
Each flag can be given as a variable too, over which the flag wins:
{VARIABLES}.
TIME is 500ms, 15s, 5m, 2h, 7d, or plain seconds.

On SIGTERM or Ctrl-C the server drains: it takes no new calls, asks each session to go elsewhere, and ends those that
are left after --drain-timeout. Exit code 0 then; 2: a flag is wrong; 65: the store's data cannot be read;
69: the address or the store cannot be had; 75: another process holds the store.
"""


def add_command(subparsers: Any) -> None:
    """Adds `serve` to the command line."""
    parser = subparsers.add_parser(
        "serve",
        help="run the server",
        description="Run the Heartline server: short and long connections over one state.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serves until a signal comes. Returns the exit code."""
    try:
        settings, level = options.settings(vars(args), os.environ)
    except ValueError as error:
        return serving.failed(str(error), serving.EX_USAGE)
    if settings.workers > 1:
        return asyncio.run(workers.keep(settings, options.flags(vars(args))))
    return serving.serve_until_told(settings, level)
