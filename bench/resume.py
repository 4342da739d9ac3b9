"""Server CPU for 5,000 sessions that are cut at once and resume, against 5,000 openings of a bare stream.

The load resets its TCP connections, 50 with 100 sessions each, and waits until the server has seen to it; three
events are published; then all sessions are opened again at once, each after its own position, which is up to two events
further back. Each must get the events that it missed, in order, and then, as its next frame, one that is published to
all: nothing lost, nothing double. The bare server gets the same bytes on as many streams and connections, and answers
each with as many frames, on the average as long. Judged: the openings, from the first byte to the last event. Told
beside: what the cut itself costs. Clients are given time enough to come back before they show as offline.
"""

from collections.abc import Sequence
from dataclasses import replace

from heartline.v1.request_service_pb2 import PublishResponse
from heartline.v1.session_service_pb2 import ConnectResponse
from heartline_lab.processes import cpu_ns

from bench import measure, servers
from bench.calls import Connection, connected
from bench.crowd import Crowd, greeted
from bench.messages import LONGEST, publish, returning, stand_in
from bench.plan import Plan
from bench.report import Figure
from bench.script import PUBLISH, Exchange, Script
from bench.servers import BenchError, Server

SESSIONS = 5000
SESSIONS_EACH = 100
"""On one TCP connection."""
REPEATS = 3
LIMIT = 1.3
MISSED = 3
"""Events that are published while nobody is there."""
BEHIND = 3
"""Sessions differ in how far back they are, by fewer events than this."""
FRAMES = 3
"""What greets a session that comes back: welcome, subscribed, events."""
ONE = publish([""])


class _Load:
    """One server, its sessions, and what their cutting costs."""

    def __init__(self, server: Server, control: Connection, sessions: int, *, bare: bool) -> None:
        self._server = server
        self._control = control
        self._count = sessions
        self._bare = bare
        self._epoch = ""
        self._answer = b""
        self.script = Script()
        self.cut_us: list[float] = []

    async def publish(self) -> int:
        """Publishes an event; returns its offset."""
        self._answer = await self._control.ask(PUBLISH, ONE)
        receipt = PublishResponse.FromString(self._answer).receipts[0]
        self._epoch = receipt.epoch
        return receipt.offset

    async def resumption(self) -> float:
        """The server's CPU for each session that resumes, in microseconds."""
        newest = 0
        for _ in range(MISSED):
            newest = await self.publish()
        after = [max(0, newest - MISSED - index % BEHIND) for index in range(self._count)]
        hellos = [returning(f"client-{index}", self._epoch, offset) for index, offset in enumerate(after)]
        async with connected(self._server, -(-self._count // SESSIONS_EACH)) as connections:
            before = cpu_ns(self._server.pid)
            sessions = await greeted(connections, hellos, FRAMES * self._count)
            spent = cpu_ns(self._server.pid) - before
            crowd = Crowd(self._server, [call for call, _ in sessions], self._control)
            fence = await crowd.push(ONE)
            if not self._bare:
                for offset, (_, greeting), last in zip(after, sessions, fence, strict=True):
                    must_follow([*greeting, last], offset, newest + 1)
            # The second session is as far behind as all are on the average.
            self.script = Script(tuple(sessions[1][1]), (Exchange(PUBLISH, self._answer, ONE, fence[1]),))
            before = cpu_ns(self._server.pid)
        await measure.idle(self._server.pid)
        self.cut_us.append((cpu_ns(self._server.pid) - before) / self._count / 1000)
        return spent / self._count / 1000


def must_follow(frames: Sequence[bytes], after: int, last: int) -> None:
    """Raises BenchError unless a session heard the events after one offset up to another, each once and in order."""
    heard = [event.offset for frame in frames for event in ConnectResponse.FromString(frame).events.events]
    if heard != list(range(after + 1, last + 1)):
        raise BenchError(f"a session that had seen event {after} of {last} got {heard}")


async def run(plan: Plan, sessions: int = SESSIONS, repeats: int = REPEATS) -> list[Figure]:
    """Measures it."""
    connections = -(-sessions // SESSIONS_EACH)
    role = stand_in(ONE)
    role = replace(role, greeting=(*role.greeting, role.exchanges[1].push))
    with servers.apart():
        async with plan.server(role, "memory:", "--grace", f"{LONGEST}s") as server, connected(server, 1) as (control,):
            ours = _Load(server, control, sessions, bare=plan.self_check)
            for _ in range(BEHIND):
                await ours.publish()
            # The first time all clients come online, and what the bare server is to say is learnt.
            first = await ours.resumption()
            async with plan.floor(ours.script) as floor, connected(floor, 1) as (to_floor,):
                bare = _Load(floor, to_floor, sessions, bare=True)
                await bare.resumption()
                rows = await measure.in_turns(plan.repeats(repeats), ours.resumption, bare.resumption)
    facts = {**measure.both(rows, "us"), "coming online us": first}
    cuts = list(zip(ours.cut_us[1:], bare.cut_us[1:], strict=True))
    told = f"each of {sessions} sessions on {connections} connections"
    return [
        Figure("resume", f"{told} resumes", "x", measure.ratios(rows), at_most=LIMIT, facts=facts),
        Figure("resume", f"{told} is cut", "x", measure.ratios(cuts), facts=measure.both(cuts, "us")),
    ]
