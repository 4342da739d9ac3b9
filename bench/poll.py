"""Server CPU for each unary Poll, against a bare unary call that answers the same bytes to the same bytes.

Judged: a short poll by a named client of a channel with one new event of 100 bytes, and the same without a client_id,
both against handlers of raw bytes, which is the stricter floor. Told beside: polls that find nothing, and the floor
that parses and serialises as generated code does.
"""

from heartline.v1.request_service_pb2 import PollResponse, PublishResponse
from heartline_lab.processes import cpu_ns

from bench import measure, servers
from bench.floor_server import GENERATED
from bench.messages import poll, publish, stand_in
from bench.plan import Plan
from bench.report import Figure
from bench.script import POLL, PUBLISH, Exchange, Script
from bench.servers import BenchError, Server

CALLS = 100
REPEATS = 40
LIMIT = 1.25


def _cost(server: Server, call: servers.Unary, request: bytes) -> measure.Sample:
    async def sample() -> float:
        before = cpu_ns(server.pid)
        for _ in range(CALLS):
            await call(request)
        return (cpu_ns(server.pid) - before) / CALLS / 1000

    return sample


async def run(plan: Plan) -> list[Figure]:
    """Measures it."""
    with servers.apart():
        return await _measure(plan)


async def _measure(plan: Plan) -> list[Figure]:
    async with plan.server(stand_in()) as server, servers.channel(server) as to_server:
        ask = servers.unary(to_server, POLL)
        # As a client that polls again and again does it: the server knows the channel when the event comes.
        await ask(poll("poller", "", 0))
        receipt = PublishResponse.FromString(await servers.unary(to_server, PUBLISH)(publish([""]))).receipts[0]
        cases = [
            ("named client, one event", poll("poller", receipt.epoch, 0), 1, LIMIT),
            ("no client_id, one event", poll("", receipt.epoch, 0), 1, LIMIT),
            ("named client, nothing new", poll("poller", receipt.epoch, 1), 0, None),
            ("no client_id, nothing new", poll("", receipt.epoch, 1), 0, None),
        ]
        figures = []
        for what, request, events, limit in cases:
            answer = await ask(request)
            found = sum(len(batch.events) for batch in PollResponse.FromString(answer).batches)
            if found != events:
                raise BenchError(f"a poll ({what}) found {found} events")
            script = Script(exchanges=(Exchange(POLL, answer, request),))
            figures += await _against(plan, script, server, ask, what, limit)
        return figures


async def _against(
    plan: Plan, script: Script, server: Server, ask: servers.Unary, what: str, limit: float | None
) -> list[Figure]:
    request = script.exchanges[0].request
    async with (
        plan.floor(script) as floor,
        servers.floor(script, GENERATED) as generated,
        servers.channel(floor) as to_floor,
        servers.channel(generated) as to_generated,
    ):
        samples = [
            _cost(server, ask, request),
            _cost(floor, servers.unary(to_floor, POLL), request),
            _cost(generated, servers.unary(to_generated, POLL), request),
        ]
        rows = await measure.warm_in_turns(plan.repeats(REPEATS), *samples)
    facts = {**measure.both(rows, "us"), "generated floor us": measure.column(rows, 2)}
    figures = [Figure("poll", what, "x", measure.ratios(rows), at_most=limit, facts=facts)]
    if limit is not None:
        figures.append(Figure("poll", f"{what}, against generated code", "x", measure.ratios(rows, under=2)))
    return figures
