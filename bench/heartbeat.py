"""Server CPU for a heartbeat and its answer, against an echo of the same bytes on a bare stream.

200 sessions on a TCP connection each. Judged: all ask at the same time, so that what wakes a process is shared and the
work itself counts most. Told beside: one after the other, each when the one before it has its answer; and the server's
own heartbeats, which the client answers.
"""

import asyncio
from dataclasses import replace

from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse, Heartbeat, HeartbeatAck, Hello
from heartline_lab.processes import cpu_ns

from bench import measure, servers
from bench.calls import Call, Heard, connected
from bench.crowd import Awaited, Crowd, crowd, greeted, kinds
from bench.messages import LONGEST, hello, stand_in
from bench.plan import Plan
from bench.report import Figure
from bench.script import Script
from bench.servers import BenchError, Server

SESSIONS = 200
ROUNDS = 5
REPEATS = 30
LIMIT = 1.2
GREETING = 2
"""Frames before the first heartbeat: welcome and subscribed."""
BEATS_EACH = 3
BEAT_SAMPLES = 4
BEAT_INTERVAL = 0.4
"""Seconds after which the server asks a silent client."""


def beat(sequence: int) -> bytes:
    """A client's heartbeat."""
    asked = Heartbeat(sequence=sequence)
    asked.send_time.FromNanoseconds(1_700_000_000_123_456_000)
    return ConnectRequest(heartbeat=asked).SerializeToString()


def _together(crowd: Crowd) -> measure.Sample:
    async def sample() -> float:
        before = cpu_ns(crowd.server.pid)
        for sequence in range(1, ROUNDS + 1):
            frame = beat(sequence)
            crowd.heard.expect(len(crowd.calls))
            for call in crowd.calls:
                call.send(frame)
            await crowd.heard.all("the answer to a heartbeat")
        return (cpu_ns(crowd.server.pid) - before) / ROUNDS / len(crowd.calls) / 1000

    return sample


def _in_turn(crowd: Crowd) -> measure.Sample:
    async def sample() -> float:
        frame, before = beat(1), cpu_ns(crowd.server.pid)
        for call in crowd.calls:
            crowd.heard.expect(1)
            call.send(frame)
            await crowd.heard.all("the answer to a heartbeat")
        return (cpu_ns(crowd.server.pid) - before) / len(crowd.calls) / 1000

    return sample


async def run(plan: Plan, sessions: int = SESSIONS) -> list[Figure]:
    """Measures it."""
    with servers.apart():
        role = replace(stand_in(), echo=True)
        async with plan.server(role) as server:
            async with connected(server, 1) as connections:
                ((call, greeting),) = await greeted(connections, [hello("probe")], GREETING)
                await _must_answer(call, plan.self_check)
            script = Script(tuple(greeting), echo=True)
            figures = await _asked(plan, server, script, sessions)
            if not plan.self_check:
                figures.append(await _asking(plan, server, sessions, figures[0].facts["floor us"]))
            return figures


async def _must_answer(call: Call, echoed: bool) -> None:
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    call.heard = answer.set_result
    call.send(beat(7))
    async with asyncio.timeout(5):
        told = await answer
    if not echoed and ConnectResponse.FromString(told).heartbeat_ack.sequence != 7:
        raise BenchError(f"a heartbeat was answered with {kinds([told])}")
    if len(told) != len(beat(7)):
        raise BenchError("the answer to a heartbeat is not as long as the heartbeat: an echo is no measure of it")


async def _asked(plan: Plan, server: Server, script: Script, sessions: int) -> list[Figure]:
    hellos = [hello(f"client-{index}") for index in range(sessions)]
    async with (
        plan.floor(script) as floor,
        crowd(server, hellos, GREETING * sessions) as ours,
        crowd(floor, hellos, GREETING * sessions) as bare,
    ):
        figures = []
        for what, cost, limit in (
            ("at the same time", _together, LIMIT),
            ("one after the other", _in_turn, None),
        ):
            samples = [cost(ours), cost(bare)]
            rows = await measure.warm_in_turns(plan.repeats(REPEATS), *samples)
            facts = measure.both(rows, "us")
            told = f"a heartbeat and its answer, {sessions} sessions {what}"
            figures.append(Figure("heartbeat", told, "x", measure.ratios(rows), at_most=limit, facts=facts))
        return figures


async def _asking(plan: Plan, server: Server, sessions: int, echo_us: float) -> Figure:
    first = Hello()
    first.heartbeat_interval.FromMilliseconds(int(BEAT_INTERVAL * 1000))
    first.heartbeat_timeout.FromSeconds(LONGEST)
    samples = []
    async with crowd(server, [ConnectRequest(hello=first).SerializeToString()] * sessions, sessions) as asked:
        for call in asked.calls:
            call.heard = _answering(call, asked.heard)
        for _ in range(plan.repeats(BEAT_SAMPLES)):
            before = cpu_ns(server.pid)
            asked.heard.expect(sessions * BEATS_EACH)
            await asked.heard.all("the server's heartbeats")
            samples.append((cpu_ns(server.pid) - before) / sessions / BEATS_EACH / 1000)
    told = f"the server's own heartbeat and its answer, {sessions} sessions"
    return Figure("heartbeat", told, "us", tuple(samples), facts={"floor's echo us": echo_us})


def _answering(call: Call, heard: Awaited) -> Heard:
    def answer(frame: bytes) -> None:
        asked = ConnectResponse.FromString(frame).heartbeat
        told = HeartbeatAck(sequence=asked.sequence, send_time=asked.send_time)
        call.send(ConnectRequest(heartbeat_ack=told).SerializeToString())
        heard.count(frame)

    return answer
