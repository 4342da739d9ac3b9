"""Server CPU for each frame pushed to 200 sessions on 200 TCP connections, and for each event when they come in bursts.

One event at a time is judged against the floor; each publish has reached all sessions before the next is sent, and its
unary call counts on both sides. A burst is one Publish of 100 messages of 100 bytes: absolute, per event and session.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from heartline_lab.processes import cpu_ns

from bench import measure, servers
from bench.messages import publish, stand_in
from bench.plan import Plan
from bench.report import Figure
from bench.script import PUBLISH, Exchange, Script
from bench.servers import BenchError, Server
from bench.subscribers import Subscribers, next_events, open_stream, subscribed

SESSIONS = 200
BURST = 100
PUSHES = 5
REPEATS = 120
FRAME_LIMIT = 1.25
EVENT_LIMIT_US = 1.0


async def learn(server: Server, *requests: bytes) -> Script:
    """Opens a session on the server, publishes, and writes down what it said."""
    exchanges = []
    async with servers.channel(server) as probe:
        call, greeting = await open_stream(probe, "probe")
        for request in requests:
            answer = await servers.unary(probe, PUBLISH)(request)
            exchanges.append(Exchange(PUBLISH, answer, request, await next_events(call)))
        call.cancel()
    return Script(greeting, tuple(exchanges))


@asynccontextmanager
async def _audience(server: Server) -> AsyncIterator[Subscribers]:
    async with subscribed(server, SESSIONS) as subscribers:
        found = measure.established(server.port)
        if found < SESSIONS:
            raise BenchError(f"{SESSIONS} sessions share {found} TCP connections")
        yield subscribers


def _cost(subscribers: Subscribers, request: bytes, events: int) -> measure.Sample:
    pid = subscribers.server.pid

    async def sample() -> float:
        before = cpu_ns(pid)
        for _ in range(PUSHES):
            await subscribers.push(request, events)
        return (cpu_ns(pid) - before) / PUSHES / subscribers.count / 1000

    return sample


async def run_single(plan: Plan) -> list[Figure]:
    """Measures one event at a time."""
    rows = await _measure(plan, 1)
    facts = measure.both(rows, "us")
    what = f"a frame to each of {SESSIONS} connections"
    return [Figure("push", what, "x", measure.ratios(rows), at_most=FRAME_LIMIT, facts=facts)]


async def run_burst(plan: Plan) -> list[Figure]:
    """Measures bursts."""
    rows = await _measure(plan, BURST)
    facts = {"floor us": measure.column(rows, 1) / BURST, "x floor": measure.column(rows, 0) / measure.column(rows, 1)}
    what = f"an event to a session, {BURST} at once to {SESSIONS}"
    samples = tuple(row[0] / BURST for row in rows)
    return [Figure("burst", what, "us", samples, at_most=EVENT_LIMIT_US, facts=facts)]


async def _measure(plan: Plan, events: int) -> list[tuple[float, ...]]:
    with servers.apart():
        return await _compare(plan, publish([""] * events), events)


async def _compare(plan: Plan, request: bytes, events: int) -> list[tuple[float, ...]]:
    async with plan.server(stand_in(request)) as server:
        script = await learn(server, request)
        async with plan.floor(script) as floor, _audience(server) as ours, _audience(floor) as bare:
            samples = [_cost(ours, request, events), _cost(bare, request, events)]
            return await measure.warm_in_turns(plan.repeats(REPEATS), *samples)
