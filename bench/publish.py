"""Publish over gRPC: calls a second of 64 callers on the SQLite store, against bare unary calls of the same bytes.

Each caller has a connection of its own, each message an id of its own, as the client library gives it, and each answer
means that the message is on the disk. The load comes from one process, so the CPU of each server is told beside.
"""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack

from heartline_lab.processes import cpu_ns

from bench import measure, servers
from bench.messages import publish, stand_in
from bench.plan import Plan
from bench.report import Figure
from bench.script import PUBLISH, Exchange, Script
from bench.servers import Server, Unary

CALLERS = 64
CALLS = 640
REPEATS = 30
LIMIT = 0.8


class _Load:
    """The callers of one server."""

    def __init__(self, server: Server, stubs: list[Unary]) -> None:
        self._server = server
        self._stubs = stubs
        self._sent = 0
        self.cpu_us: list[float] = []

    async def rate(self) -> float:
        """Calls a second, all callers together."""
        rounds = [[self._request() for _ in range(CALLS // CALLERS)] for _ in self._stubs]
        cpu, began = cpu_ns(self._server.pid), time.perf_counter()
        await asyncio.gather(*map(self._call, self._stubs, rounds))
        seconds = time.perf_counter() - began
        self.cpu_us.append((cpu_ns(self._server.pid) - cpu) / CALLS / 1000)
        return CALLS / seconds

    async def _call(self, stub: Unary, requests: list[bytes]) -> None:
        for request in requests:
            await stub(request)

    def _request(self) -> bytes:
        self._sent += 1
        return publish([f"{self._sent:032x}"])


async def run(plan: Plan) -> list[Figure]:
    """Measures it."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="heartline-bench-"))
        server = await stack.enter_async_context(plan.server(stand_in(), f"sqlite:{folder}/bench.db"))
        async with servers.channel(server) as probe:
            answer = await servers.unary(probe, PUBLISH)(publish(["f" * 32]))
        floor = await stack.enter_async_context(plan.floor(Script(exchanges=(Exchange(PUBLISH, answer),))))
        loads = []
        for each in (server, floor):
            channels = [await stack.enter_async_context(servers.channel(each)) for _ in range(CALLERS)]
            loads.append(_Load(each, [servers.unary(on, PUBLISH) for on in channels]))
        ours, bare = loads
        rows = await measure.warm_in_turns(plan.repeats(REPEATS), ours.rate, bare.rate)
    facts = {"server/s": measure.column(rows, 0), "floor/s": measure.column(rows, 1)}
    used = list(zip(ours.cpu_us, bare.cpu_us, strict=True))
    spent = measure.both(used, "us")
    what = f"calls a second by {CALLERS} callers, durable"
    return [
        Figure("publish", what, "x", measure.ratios(rows), at_least=LIMIT, facts=facts),
        Figure("publish", "server CPU for each of these calls", "x", measure.ratios(used), facts=spent),
    ]
