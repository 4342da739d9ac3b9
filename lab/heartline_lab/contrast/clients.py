"""The four ways to get events, each as one client that keeps a journal.

Rules:
- Every client follows the channel from its beginning and holds its own cursor; none names itself, so none pays for
  presence (vanishing.py measures that). What differs is only who asks, and over which connection.
- `open` does what must be done once. A client of the mode `short` has nothing to do then: it connects for every poll.
- A client that polls at intervals keeps its appointments: a slow answer delays the next poll, and moves none after it.
- `run` returns when the time is over and every event has come, or at the deadline: what is missing then is lost. It
  leaves connections and pending calls as they are, so that ending them costs nothing within the time measured.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

import heartline
from heartline.convert import to_duration
from heartline.events import Start
from heartline.network import GrpcConnection
from heartline.v1.events_pb2 import START_EARLIEST, Position, Subscription
from heartline.v1.request_service_pb2 import PollRequest

from heartline_lab.contrast.journal import Journal

CALL_TIMEOUT = 10.0
"""Seconds, beside a long poll's wait, after which a call has failed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a process of subscribers is to do. Times in seconds."""

    mode: str
    target: str
    channel: str
    clients: int
    events: int
    """How many will be published, numbered from 0; the number is the event's id."""
    seconds: float
    poll_interval: float
    wait: float
    """How long a long poll waits."""
    patience: float
    """How long after `seconds` events may still come."""


class Client(ABC):
    """One subscriber; its mode says how it opens and how it runs."""

    def __init__(self, order: Order, number: int) -> None:
        self.order = order
        self.number = number
        self.journal = Journal()
        self._seen: set[int] = set()
        self._complete = asyncio.Event()

    def handle(self, event_id: str) -> None:
        """What a user's handler would be."""
        number = int(event_id)
        self.journal.arrivals.append((number, time.monotonic_ns()))
        self._seen.add(number)
        if len(self._seen) == self.order.events:
            self._complete.set()

    @abstractmethod
    async def open(self) -> None:
        """Makes ready."""

    @abstractmethod
    async def run(self, starts: float) -> None:
        """Gets events, from that moment of the monotonic clock, in seconds."""

    def wanted(self, starts: float, due: float) -> bool:
        """Whether something that is due at that moment belongs to the run."""
        past = due - starts - self.order.seconds
        return past < 0 or (not self._complete.is_set() and past < self.order.patience)

    async def ended(self, starts: float) -> None:
        """Returns when the run is over."""
        await asyncio.sleep(starts + self.order.seconds - time.monotonic())
        try:
            async with asyncio.timeout(self.order.patience):
                await self._complete.wait()
        except TimeoutError:
            pass


class Follower(Client):
    """What the two modes share to which events come by themselves."""

    @abstractmethod
    async def follow(self) -> None:
        """Gets events for ever."""

    async def run(self, starts: float) -> None:
        """Follows until the run is over."""
        follower = asyncio.create_task(self.follow())
        ends = asyncio.create_task(self.ended(starts))
        await asyncio.wait({follower, ends}, return_when=asyncio.FIRST_COMPLETED)
        if follower.done():
            follower.result()


class Poller(Client):
    """What the three modes share that ask."""

    _cursor: Position | None = None

    async def poll(self, connection: GrpcConnection, wait: float | None = None) -> None:
        """Asks once, and handles what comes."""
        begun = self.journal.pending_ns = time.monotonic_ns()
        channel, after = self.order.channel, self._cursor
        place = Subscription(channel=channel, after=after, start=START_EARLIEST if after is None else None)
        request = PollRequest(subscriptions=[place], wait=None if wait is None else to_duration(wait))
        answer = await connection.requests.Poll(request, timeout=CALL_TIMEOUT + (wait or 0.0))
        (batch,) = answer.batches
        self.journal.calls.append((begun, time.monotonic_ns(), len(batch.events)))
        self.journal.pending_ns = None
        for event in batch.events:
            self.handle(event.id)
        self._cursor = batch.position


class IntervalPoller(Poller):
    """What the two modes share that ask at intervals."""

    @abstractmethod
    async def ask(self) -> None:
        """One poll, as the mode makes it."""

    async def run(self, starts: float) -> None:
        """Polls; all clients together spread evenly over an interval."""
        interval = self.order.poll_interval
        due = starts + interval * (self.number + 0.5) / self.order.clients
        while self.wanted(starts, due):
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self.ask()
            due += max(1.0, (time.monotonic() - due) // interval) * interval


class Short(IntervalPoller):
    """A new connection for every poll."""

    async def open(self) -> None:
        """Has nothing to make ready."""

    async def ask(self) -> None:
        """Connects, asks, and hangs up."""
        async with GrpcConnection(self.order.target) as connection:
            await self.poll(connection)


class Connected(Poller):
    """What the two modes share that keep a connection."""

    async def open(self) -> None:
        """Connects, and learns its place by a first poll."""
        self.connection = GrpcConnection(self.order.target)
        await self.poll(self.connection)
        self.journal.opened_ns = time.monotonic_ns()


class Kept(Connected, IntervalPoller):
    """Every poll on one connection."""

    async def ask(self) -> None:
        """Asks."""
        await self.poll(self.connection)


class LongPoll(Connected, Follower):
    """Polls that wait for news, one after the other."""

    async def follow(self) -> None:
        """Asks anew as soon as there was an answer."""
        while True:
            await self.poll(self.connection, self.order.wait)


class Stream(Follower):
    """The library's line, over a stream."""

    async def open(self) -> None:
        """Connects and subscribes."""
        online = asyncio.Event()
        self._line = heartline.connect(
            self.order.target,
            transport="stream",
            on_state=lambda state: online.set() if state.name == "online" else None,
        )
        self._subscription = self._line.subscribe(self.order.channel, start=Start.EARLIEST)
        await online.wait()
        self.journal.opened_ns = time.monotonic_ns()

    async def follow(self) -> None:
        """Handles what is pushed."""
        async for event in self._subscription:
            self.handle(event.id)


CLIENTS: dict[str, type[Client]] = {"short": Short, "kept": Kept, "long-poll": LongPoll, "stream": Stream}
