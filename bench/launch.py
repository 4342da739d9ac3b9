"""Starts a server to be measured, in a process of its own: `python -m bench.launch KIND-OF-FLOOR|serve [flags]`.

Rules: the real server and the bare one run under the same launcher, so both start from the same interpreter with the
same modules of the benchmark, and both collect their garbage on SIGUSR1, so that memory is what is held, not what
waits to be freed.
"""

import argparse
import gc
import signal
import sys

from bench import floor_server


def main(arguments: list[str]) -> int:
    """Runs the server that the first argument names; returns its exit code."""
    signal.signal(signal.SIGUSR1, lambda _signal, _frame: gc.collect() and None)
    if arguments[0] != "serve":
        floor_server.run(arguments[0])
        return 0
    from heartline_service.command import add_command

    parser = argparse.ArgumentParser("heartline")
    add_command(parser.add_subparsers())
    options = parser.parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
