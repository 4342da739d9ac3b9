"""Runs the benchmarks: `python -m bench [NAME ...] [--quick] [--json FILE] [--check] [--self-check]`.

Rules: targets are reported, not asserted, unless --check asks for it. Every benchmark runs in an event loop of its own.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from bench import memory, poll, publish, push, store
from bench.plan import Plan
from bench.report import Figure, table, to_json
from bench.servers import BenchError

BENCHMARKS: dict[str, Callable[[Plan], Coroutine[None, None, list[Figure]]]] = {
    "poll": poll.run,
    "push": push.run_single,
    "burst": push.run_burst,
    "memory": memory.run,
    "store": store.run,
    "publish": publish.run,
}

RESULTS = Path(__file__).parent / "results.json"


def main() -> int:
    """Runs what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser("python -m bench", description="What Heartline costs beyond gRPC itself.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="fewer repeats: under a minute, wider spread")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="keep the figures there; a whole run: bench/results.json",
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument("--self-check", action="store_true", help="measure the floor against itself: ratios must be 1")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    plan = Plan(options.quick, options.self_check)
    figures: list[Figure] = []
    for name in options.names or BENCHMARKS:
        began = time.perf_counter()
        try:
            figures += asyncio.run(BENCHMARKS[name](plan))
        except BenchError as error:
            print(f"bench: {name}: {error}", file=sys.stderr)
            return 70
        print(f"bench: {name} took {time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(table(figures))
    whole = not (options.names or options.quick or options.self_check)
    if kept := options.json or (RESULTS if whole else None):
        kept.write_text(to_json(figures, quick=options.quick), encoding="utf-8")
    return 1 if options.check and any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
