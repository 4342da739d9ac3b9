"""Server CPU for each delivered event: from 10 to 2,000 subscribers of one channel, and from 1 to 10,000 channels.

All sizes are measured in turns, each on a server of its own, and no event is published before the one before it has
reached everybody. Ten sessions share a TCP connection, whatever their number. A Publish costs something by itself: what
it costs without a subscriber is measured in the same turns. Subscribers: judged is what delivering costs, without the
Publish; told beside, all of it, which a small audience has to pay alone. Channels: 500 sessions, five of them on each
channel that is published to, the channels taken in random order; a session reads up to 100 channels, and those that
have none to read are idle. Judged is all of it: a Publish and its five deliveries.
"""

import random
import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack

from heartline_lab.processes import cpu_ns

from bench import measure, servers
from bench.crowd import Crowd, crowd
from bench.messages import CHANNEL, hello, publish, stand_in
from bench.plan import Plan
from bench.report import Figure
from bench.script import PUBLISH

SUBSCRIBERS = (10, 50, 200, 1000, 2000)
CHANNELS = (1, 10, 100, 1000, 10_000)
READERS = 5
SESSIONS = 500
SESSIONS_EACH = 10
DELIVERIES = 2000
"""Deliveries in a sample, at least."""
PUBLISHES = 100
"""Publishes in a sample, at least, where there are few subscribers."""
REPEATS = 12
TURNS = 4
"""How many turns are taken together: the furthest of five noisy figures would tell of the noise alone."""
LIMIT = 20.0

Row = tuple[float, ...]


class _Audience:
    """Sessions of one server, and what is published to them, in turn."""

    def __init__(self, crowd: Crowd, requests: Sequence[bytes], readers: int, publishes: int) -> None:
        self._crowd = crowd
        self._requests = requests
        self._at = 0
        self._readers = readers
        self._publishes = publishes

    async def cost(self) -> float:
        """The server's CPU for a Publish and its deliveries, in microseconds."""
        crowd, before = self._crowd, cpu_ns(self._crowd.server.pid)
        for _ in range(self._publishes):
            request = self._requests[self._at % len(self._requests)]
            self._at += 1
            crowd.heard.expect(self._readers)
            await crowd.control.ask(PUBLISH, request)
            await crowd.heard.all("what was published")
        return (cpu_ns(crowd.server.pid) - before) / self._publishes / 1000


async def run(plan: Plan, subscribers: Sequence[int] = SUBSCRIBERS, channels: Sequence[int] = CHANNELS) -> list[Figure]:
    """Measures it."""
    with servers.apart():
        return await _by_subscribers(plan, subscribers) + await _by_channels(plan, channels)


async def _by_subscribers(plan: Plan, sizes: Sequence[int]) -> list[Figure]:
    request = publish([""])
    async with AsyncExitStack() as stack:
        ours: list[_Audience] = []
        bare: list[_Audience] = []
        for size in (0, *sizes):
            hellos = [hello(f"client-{index}") for index in range(size)]
            publishes = PUBLISHES if not size else max(2, min(PUBLISHES, DELIVERIES // size))
            for audiences in (ours, bare):
                server = await stack.enter_async_context(
                    plan.floor(stand_in(request)) if audiences is bare else plan.server(stand_in(request))
                )
                opened = await stack.enter_async_context(crowd(server, hellos, 2 * size, sessions_each=SESSIONS_EACH))
                audiences.append(_Audience(opened, [request], size, publishes))
        samples = [audience.cost for audience in (*ours, *bare)]
        rows = await measure.warm_in_turns(plan.repeats(REPEATS), *samples)
    half = len(ours)
    told = f"{sizes[0]} to {sizes[-1]} subscribers of a channel"
    return [
        _figure(f"{told}, an event delivered", sizes, [_each(row[:half], sizes) for row in rows], LIMIT),
        _figure(f"{told}, with its share of the Publish", sizes, [_shared(row[:half], sizes) for row in rows], None),
        _figure(f"{told}, the bare server's event delivered", sizes, [_each(row[half:], sizes) for row in rows], None),
        Figure(
            "flat",
            "a Publish that nobody reads",
            "us",
            tuple(row[0] for row in rows),
            facts={"floor us": measure.column(rows, half)},
        ),
    ]


def _each(row: Row, sizes: Sequence[int]) -> Row:
    return tuple((whole - row[0]) / size for whole, size in zip(row[1:], sizes, strict=True))


def _shared(row: Row, sizes: Sequence[int]) -> Row:
    return tuple(whole / size for whole, size in zip(row[1:], sizes, strict=True))


async def _by_channels(plan: Plan, counts: Sequence[int]) -> list[Figure]:
    async with AsyncExitStack() as stack:
        audiences = []
        for count in counts:
            names = [f"{CHANNEL}-{index}" for index in range(count)]
            read = _shares(names)
            hellos = [hello(f"client-{index}", each) for index, each in enumerate(read)]
            frames = sum(1 + len(each) for each in read)
            requests = [publish([""], name) for name in names]
            random.Random(5).shuffle(requests)
            server = await stack.enter_async_context(plan.server(stand_in()))
            opened = await stack.enter_async_context(crowd(server, hellos, frames, sessions_each=SESSIONS_EACH))
            audiences.append(_Audience(opened, requests, READERS, PUBLISHES))
        samples = [audience.cost for audience in audiences]
        rows = await measure.warm_in_turns(plan.repeats(REPEATS), *samples)
    told = f"{counts[0]} to {counts[-1]} channels, an event to {READERS} of {SESSIONS} sessions"
    return [_figure(told, counts, [tuple(whole / READERS for whole in row) for row in rows], LIMIT)]


def _shares(names: Sequence[str]) -> list[list[str]]:
    """What each session reads, so that each channel has its readers."""
    read: list[list[str]] = [[] for _ in range(SESSIONS)]
    for index in range(len(names) * READERS):
        read[index % SESSIONS].append(names[index // READERS])
    return read


def _figure(what: str, sizes: Sequence[int], rows: Sequence[Row], limit: float | None) -> Figure:
    """How far the size that is furthest from the median of all is from it, by the medians of a few turns each time."""
    turns = [rows[first : first + TURNS] for first in range(0, len(rows), TURNS)]
    medians = [[measure.column(some, index) for index in range(len(sizes))] for some in turns]
    off = tuple(100 * max(abs(one / statistics.median(row) - 1) for one in row) for row in medians)
    facts = {f"us at {size}": measure.column(rows, index) for index, size in enumerate(sizes)}
    return Figure("flat", f"{what}, furthest from the median", "%", off, at_most=limit, facts=facts)
