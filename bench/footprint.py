"""Server memory for each idle subscriber on a TCP connection of its own: Heartline and its peers.

Each sample is a fresh process, warmed with some subscribers, then grown; memory is the resident set when it stands
still, after a garbage collection where a server does one when told.
"""

from bench import measure
from bench.memory import SESSIONS, WARM, held
from bench.peers.contest import FLOOR, HEARTLINE, Contestant, contestants
from bench.plan import Plan
from bench.report import Figure

REPEATS = 4
LIMIT = 1.15


def _growth(of: Contestant) -> measure.Sample:
    async def sample() -> float:
        async with of.serving() as server:
            with of.audience(server, WARM) as listening:
                before = await held(server)
                listening.join(SESSIONS)
                return (await held(server) - before) / SESSIONS / 1024

    return sample


async def run(plan: Plan) -> list[Figure]:
    """Measures it."""
    compared = await contestants(plan, 1)
    rows = await measure.in_turns(plan.repeats(REPEATS), *map(_growth, compared))
    names = [each.name for each in compared]
    columns = zip(*rows, strict=True)
    ratios = measure.ratios(rows, names.index(HEARTLINE), names.index(FLOOR))
    return [
        *(Figure("footprint", name, "KiB", column) for name, column in zip(names, columns, strict=True)),
        Figure("footprint", f"{HEARTLINE} against {FLOOR}", "x", ratios, at_most=LIMIT),
    ]
