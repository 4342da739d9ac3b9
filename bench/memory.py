"""Server memory for each idle session, against an idle stream of the bare server.

Judged: sessions on a TCP connection each. Told beside: all on one connection. Each sample is a fresh process, warmed
with some sessions, then grown; memory is the resident set after a garbage collection, when it stands still.
"""

from bench import measure
from bench.messages import publish, stand_in
from bench.plan import Plan
from bench.push import learn
from bench.report import Figure
from bench.script import Script
from bench.servers import Server
from bench.subscribers import subscribed

WARM = 20
SESSIONS = 400
REPEATS = 4
LIMIT = 1.3


async def held(server: Server) -> int:
    """The memory that it holds when it has freed what it no longer uses, in bytes."""
    server.collect_garbage()
    return await measure.settled(server.pid)


async def _grown(server: Server, own: bool) -> float:
    async with subscribed(server, WARM, own_connections=own):
        before = await held(server)
        async with subscribed(server, SESSIONS, own_connections=own):
            return (await held(server) - before) / SESSIONS / 1024


async def run(plan: Plan) -> list[Figure]:
    """Measures it."""
    request = publish([""])
    async with plan.server(stand_in(request)) as server:
        script = await learn(server, request)
    figures = []
    for how, own, limit in (("own", True, LIMIT), ("shared", False, None)):
        rows = await _measure(plan, stand_in(request), script, own=own)
        facts = measure.both(rows, "KiB")
        what = f"idle session, {how} connection"
        figures.append(Figure("memory", what, "x", measure.ratios(rows), at_most=limit, facts=facts))
    return figures


async def _measure(plan: Plan, role: Script, script: Script, *, own: bool) -> list[tuple[float, ...]]:
    async def ours() -> float:
        async with plan.server(role) as server:
            return await _grown(server, own)

    async def bare() -> float:
        async with plan.floor(script) as server:
            return await _grown(server, own)

    return await measure.in_turns(plan.repeats(REPEATS), ours, bare)
