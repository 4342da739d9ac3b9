"""Server CPU for each event that is delivered to 200 subscribers on 200 TCP connections: Heartline and its peers.

One event at a time: the next is published when all have it. Bursts: 100 events are published at once, the next 100 when
all have these. What publishing costs counts too, for everyone.
"""

import os
import statistics
import tempfile
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace

from heartline_lab.processes import cpu_ns

from bench import measure, servers
from bench.peers.audience import Audience
from bench.peers.contest import FLOOR, HEARTLINE, contestants
from bench.peers.programs import MOSQUITTO, NATS
from bench.plan import Plan
from bench.report import Figure
from bench.servers import BenchError

SUBSCRIBERS = 200
BURST = 100
PUSHES = {1: 10, BURST: 3}
"""How many pushes make a sample, by the events of each."""
REPEATS = 40
WAYS = {1: "one at a time", BURST: f"bursts of {BURST}"}
ON_DISK = "Heartline on SQLite"
LIMITS = {1: {FLOOR: 1.1}, BURST: {NATS.name: 1.0, MOSQUITTO.name: 0.1}}
"""How much of another's cost Heartline's may be."""


def _cost(audience: Audience, everybody: Iterable[Audience], events: int, own: list[float]) -> measure.Sample:
    """Microseconds of the server for each event and subscriber; `own` gets those of the load."""
    pid = audience.server.pid
    delivered = PUSHES[events] * events * audience.count

    async def sample() -> float:
        # A server cuts off who does not answer its pings.
        for each in everybody:
            each.attend()
        before, own_before = cpu_ns(pid), cpu_ns(os.getpid())
        for _ in range(PUSHES[events]):
            audience.push(events)
        own.append((cpu_ns(os.getpid()) - own_before) / delivered / 1000)
        return (cpu_ns(pid) - before) / delivered / 1000

    return sample


async def run(plan: Plan) -> list[Figure]:
    """Measures both ways."""
    with servers.apart(), tempfile.TemporaryDirectory() as folder:
        compared = await contestants(plan, *WAYS)
        if not plan.self_check:
            on_disk = f"sqlite:{folder}/bench.db"
            compared.append(replace(compared[0], name=ON_DISK, serving=lambda: servers.heartline(on_disk)))
        async with AsyncExitStack() as stack:
            audiences = {}
            for each in compared:
                server = await stack.enter_async_context(each.serving())
                audiences[each.name] = stack.enter_context(each.audience(server, SUBSCRIBERS))
                if (found := measure.established(server.port)) < SUBSCRIBERS:
                    raise BenchError(f"{each.name}: {SUBSCRIBERS} subscribers share {found} TCP connections")
            return [figure for events in WAYS for figure in await _measure(plan, audiences, events)]


async def _measure(plan: Plan, audiences: dict[str, Audience], events: int) -> list[Figure]:
    own: dict[str, list[float]] = {name: [] for name in audiences}
    samples = [_cost(audience, audiences.values(), events, own[name]) for name, audience in audiences.items()]
    rows = await measure.warm_in_turns(plan.repeats(REPEATS), *samples)
    columns = dict(zip(audiences, zip(*rows, strict=True), strict=True))
    absolute = [
        Figure("fanout", f"{WAYS[events]}: {name}", "us", column, facts={"load us": statistics.median(own[name])})
        for name, column in columns.items()
    ]
    names = list(audiences)
    against = [
        Figure(
            "fanout",
            f"{WAYS[events]}: {HEARTLINE} against {name}",
            "x",
            measure.ratios(rows, names.index(HEARTLINE), names.index(name)),
            at_most=LIMITS[events].get(name),
        )
        for name in names
        if name in LIMITS[events]
    ]
    return absolute + against
