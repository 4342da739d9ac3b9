"""Runs the benchmarks: `python -m bench [NAME ... | peers] [--quick] [--json FILE] [--check] [--self-check]`.

Rules: there are two sets, one against a floor tuned as the server is, which is what runs without a name, and one that
runs as `peers`, against stock gRPC and other servers. The figures of a whole set with all its repeats are kept in
bench/. Targets are reported, not asserted, unless --check asks for it. Each benchmark has an event loop of its own.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from heartline.cli.exits import CommandError
from heartline_service.loop import new_event_loop

from bench import fanout, flat, floor_server, footprint, heartbeat, latency, memory, poll, publish, push, resume, store
from bench.peers import programs
from bench.plan import Plan
from bench.report import Figure, table, to_json
from bench.servers import BenchError

Benchmarks = dict[str, Callable[[Plan], Coroutine[None, None, list[Figure]]]]

BENCHMARKS: Benchmarks = {
    "poll": poll.run,
    "push": push.run_single,
    "burst": push.run_burst,
    "memory": memory.run,
    "store": store.run,
    "publish": publish.run,
}

PEERS: Benchmarks = {
    "fanout": fanout.run,
    "footprint": footprint.run,
    "heartbeat": heartbeat.run,
    "latency": latency.run,
    "resume": resume.run,
    "flat": flat.run,
}

RESULTS = Path(__file__).parent / "results.json"
PEERS_RESULTS = Path(__file__).parent / "peers.json"

WHOLES = {tuple(BENCHMARKS): RESULTS, tuple(PEERS): PEERS_RESULTS}
"""Where the figures of a whole set are kept."""


def main() -> int:
    """Runs what the command line asks for; returns the exit code."""
    options = _options()
    names = tuple(PEERS) if options.names == ["peers"] else tuple(options.names or BENCHMARKS)
    figures: list[Figure] = []
    for name in names:
        began = time.perf_counter()
        try:
            plan = Plan(options.quick, options.self_check, floor_server.STOCK if name in PEERS else floor_server.TUNED)
            # The store is measured in this process: on the server's event loop.
            with asyncio.Runner(loop_factory=new_event_loop if name == "store" else None) as runner:
                figures += runner.run((BENCHMARKS | PEERS)[name](plan))
        except (BenchError, CommandError) as error:
            print(f"bench: {name}: {error}", file=sys.stderr)
            return 70
        print(f"bench: {name} took {time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(table(figures))
    if kept := options.json or (None if options.quick or options.self_check else WHOLES.get(names)):
        peers = programs.versions() if set(names) & set(PEERS) else {}
        kept.write_text(to_json(figures, quick=options.quick, peers=peers), encoding="utf-8")
    return 1 if options.check and any(figure.met is False for figure in figures) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m bench", description="What Heartline costs beyond gRPC itself, and beside other servers."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which to run: {', '.join(BENCHMARKS)}; default: all of these; "
        f"or, against stock gRPC and other servers, {', '.join(PEERS)}; all of these: peers",
    )
    parser.add_argument("--quick", action="store_true", help="a third of the repeats: wider spread")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="keep the figures there; without it, those of a whole set that is not quick are kept in bench/, in "
        f"{' or '.join(file.name for file in WHOLES.values())}",
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument("--self-check", action="store_true", help="measure the floor against itself: ratios must be 1")
    options = parser.parse_args()
    known = [*BENCHMARKS, *PEERS]
    if options.names != ["peers"] and (unknown := [name for name in options.names if name not in known]):
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
