"""Push latency at half load: from the sending of a Publish to the reading of its event by each of 200 sessions.

One clock, as load and server are on one machine. Half load is the rate at which the bare server's core is half busy,
found in the same run; both servers then get events at this very rate, at the same random moments (a Poisson process, as
from many publishers that know nothing of each other), each of 100 bytes, to sessions on a TCP connection each. The load
reads raw sockets on another core. Judged: the 99th percentile. Told beside: the median, and both when the events come
evenly spaced, so that no event waits for another.
"""

import asyncio
import gc
import random
import time
from collections.abc import Sequence
from functools import partial
from itertools import accumulate, repeat
from statistics import quantiles

from heartline.v1.session_service_pb2 import ConnectResponse
from heartline_lab.processes import cpu_ns

from bench import measure, servers
from bench.calls import Heard
from bench.crowd import Crowd, crowd
from bench.messages import hello, publish, stand_in
from bench.plan import Plan
from bench.push import learn
from bench.report import Figure
from bench.script import PUBLISH

SESSIONS = 200
SECONDS = 1.5
"""How long a sample lasts."""
REPEATS = 6
TRIAL = 40
"""How many events tell what one costs."""
LIMIT = 1.3
GREETING = 2


class _Stopwatch:
    """The latencies of one sample. A log is in order, so the n-th event that a session reads is the n-th sent."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self.sent: list[float] = []
        self.seconds: list[float] = []
        for call in crowd.calls:
            call.heard = self._reader()

    def _reader(self) -> Heard:
        read = 0

        def hear(frame: bytes) -> None:
            nonlocal read
            now = time.perf_counter()
            for _ in ConnectResponse.FromString(frame).events.events:
                self.seconds.append(now - self.sent[read])
                read += 1
                self._crowd.heard.count(frame)

        return hear

    async def publish(self, request: bytes, moments: Sequence[float]) -> None:
        """Publishes at these moments, in seconds from now, and returns when every session has read it all."""
        loop, control = asyncio.get_running_loop(), self._crowd.control
        self._crowd.heard.expect(len(moments) * len(self._crowd.calls))

        def send() -> None:
            self.sent.append(time.perf_counter())
            control.open(PUBLISH, request, _ignore, last=True)

        began = loop.time()
        for moment in moments:
            loop.call_at(began + moment, send)
        await self._crowd.heard.all("what was published")


def _ignore(_answer: bytes) -> None:
    pass


class _Load:
    """What one server is measured with."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self._crowd = crowd
        self._request = request
        self.busy: list[float] = []
        self.medians: list[float] = []

    async def cost(self) -> float:
        """The server's CPU for an event that reaches all sessions, in seconds."""
        stopwatch = _Stopwatch(self._crowd)
        before = cpu_ns(self._crowd.server.pid)
        for _ in range(TRIAL):
            await stopwatch.publish(self._request, [0.0])
        return (cpu_ns(self._crowd.server.pid) - before) / TRIAL / 1e9

    async def p99_ms(self, moments: Sequence[float]) -> float:
        """The 99th percentile, in milliseconds; keeps the median, and how busy the server was."""
        stopwatch = _Stopwatch(self._crowd)
        before, began = cpu_ns(self._crowd.server.pid), time.perf_counter()
        gc.disable()
        try:
            await stopwatch.publish(self._request, moments)
        finally:
            gc.enable()
        self.busy.append((cpu_ns(self._crowd.server.pid) - before) / 1e9 / (time.perf_counter() - began))
        hundredths = quantiles(stopwatch.seconds, n=100)
        self.medians.append(hundredths[49] * 1000)
        return hundredths[98] * 1000


async def run(plan: Plan, sessions: int = SESSIONS, seconds: float = SECONDS) -> list[Figure]:
    """Measures it."""
    request = publish([""])
    hellos = [hello(f"client-{index}") for index in range(sessions)]
    with servers.apart():
        async with plan.server(stand_in(request)) as server:
            script = await learn(server, request)
            async with (
                plan.floor(script) as floor,
                crowd(server, hellos, GREETING * sessions) as ours,
                crowd(floor, hellos, GREETING * sessions) as bare,
            ):
                return await _measure(plan, ours, bare, request, seconds)


async def _measure(plan: Plan, ours: Crowd, bare: Crowd, request: bytes, seconds: float) -> list[Figure]:
    trial = _Load(bare, request)
    await trial.cost()
    rate = 0.5 / await trial.cost()
    count = max(2, round(rate * seconds))
    figures = []
    for how, limit in (("at random moments", LIMIT), ("evenly spaced", None)):
        seed = random.Random(5)
        real, floor = _Load(ours, request), _Load(bare, request)
        rows = []
        for _ in range(plan.repeats(REPEATS)):
            pauses = repeat(1 / rate, count) if limit is None else (seed.expovariate(rate) for _ in range(count))
            moments = list(accumulate(pauses))
            rows += await measure.in_turns(1, partial(real.p99_ms, moments), partial(floor.p99_ms, moments))
        medians = list(zip(real.medians, floor.medians, strict=True))
        busy = list(zip(real.busy, floor.busy, strict=True))
        facts = {**measure.both(rows, "ms"), "events/s": rate, **measure.both(busy, "busy")}
        told = f"at half load, {len(ours.calls)} sessions, {how}"
        figures.append(Figure("latency", f"p99 {told}", "x", measure.ratios(rows), at_most=limit, facts=facts))
        middle = measure.both(medians, "ms")
        figures.append(Figure("latency", f"median {told}", "x", measure.ratios(medians), facts=middle))
    return figures
