"""A session and a poller of one channel, through whatever may happen in whatever order.

Each of them gets every event once and in order, apart from those that it was told are gone.
"""

from dataclasses import dataclass, field

from heartline.v1.events_pb2 import GAP_REASON_TRIMMED, Batch, Position, Subscription
from heartline_service import checks
from heartline_service.reading.log import Tail
from hypothesis import given
from hypothesis import strategies as st
from service.draws import BOUNDED
from service.fragile import FragileStore, keeping
from service.peer import House, Peer, house
from virtual_time import settle, virtual


@dataclass
class Reader:
    """What one reader has seen, and where it goes on. It keeps a position and nothing else, as a client does."""

    position: Position = field(default_factory=Position)
    seen: list[int] = field(default_factory=list)
    told_gone: list[int] = field(default_factory=list)

    def take(self, batch: Batch) -> None:
        """Goes on to the end of a batch. Fails when events repeat, or are missing unsaid."""
        place = self.position.offset
        if batch.HasField("gap"):
            assert not batch.events
            assert batch.gap.reason == GAP_REASON_TRIMMED
            assert batch.position.offset == batch.gap.oldest_offset - 1
            assert place < batch.position.offset <= batch.gap.latest_offset
            self.told_gone += range(place + 1, batch.position.offset + 1)
        else:
            came = [event.offset for event in batch.events]
            assert came == list(range(place + 1, place + 1 + len(came)))
            assert [event.text for event in batch.events] == [f"event {offset}" for offset in came]
            assert batch.position.offset == place + len(came)
            self.seen += came
        self.position = batch.position


class Line:
    """A client that streams. It reads only when told to, and comes back from its last position."""

    def __init__(self, server: House, max_unacked: int) -> None:
        self.reader = Reader()
        self.peer: Peer | None = None
        self._server = server
        self._max_unacked = max_unacked
        self._taken = 0

    async def reconnect(self) -> None:
        """Loses its connection, if it had one, and opens the next."""
        if self.peer is not None:
            self.peer.cut()
        wish = Subscription(channel="news", after=self.reader.position, max_unacked=self._max_unacked)
        self._taken = 0
        self.peer = await self._server.client("", wish, passive=True)
        self.peer.block()

    async def read(self) -> None:
        """Takes what the transport and the server have for it."""
        assert self.peer is not None
        self.peer.unblock()
        await settle()
        self.peer.block()
        for batch in self.peer.batches()[self._taken :]:
            self.reader.take(batch)
            self._taken += 1

    def ack(self) -> None:
        """Frees its credit."""
        assert self.peer is not None
        self.peer.ack("news", self.reader.position.offset)


class Poller:
    """A client that polls."""

    def __init__(self, server: House) -> None:
        self.reader = Reader()
        self._server = server

    async def poll(self, max_events: int) -> None:
        """Asks once, from its last position."""
        wish = checks.wish(Subscription(channel="news", after=self.reader.position), "")
        (piece,), _ = await self._server.hub.poll("", [wish], max_events, None)
        self.reader.take(piece.batch)


OPERATIONS = st.one_of(
    st.tuples(st.just("publish"), st.integers(1, 6)),
    st.tuples(st.just("poll"), st.integers(1, 5)),
    st.tuples(st.just("publish while a read is slow"), st.integers(1, 9)),
    st.tuples(st.sampled_from(["read", "ack", "reconnect", "expire", "forget", "hang", "go on"]), st.just(0)),
)


async def do(server: House, line: Line, poller: Poller, operation: str, count: int, published: int) -> int:
    """One step. Returns how many events are published after it."""
    store: FragileStore = server.store
    if operation == "publish":
        await server.publish("news", *[f"event {published + number}" for number in range(1, count + 1)])
        return published + count
    if operation == "publish while a read is slow":
        for step in ("forget", "hang", "read"):
            await do(server, line, poller, step, 0, published)
        return await do(server, line, poller, "publish", count, published)
    if operation == "poll":
        store.go_on()
        await poller.poll(count)
    elif operation == "read":
        await line.read()
    elif operation == "ack":
        line.ack()
    elif operation == "reconnect":
        await line.reconnect()
    elif operation == "expire":
        await store.trim(server.hub.clock.wall() + 1e9)
    elif operation == "forget":
        # What was in memory has to come from the store from now on.
        channel = await server.hub.channels.get("news")
        channel._tail = Tail(channel.head.latest)
    elif operation == "hang":
        store.hang_reads()
    else:
        store.go_on()
    return published


@BOUNDED
@given(st.lists(OPERATIONS, min_size=10, max_size=60), st.integers(1, 8), st.integers(0, 4))
@virtual
async def test_each_event_comes_once_and_in_order_apart_from_told_gaps(
    operations: list[tuple[str, int]], kept: int, max_unacked: int
) -> None:
    async with house(keeping(kept)) as server:
        line, poller = Line(server, max_unacked), Poller(server)
        await line.reconnect()
        published = 0
        for operation, count in operations:
            published = await do(server, line, poller, operation, count, published)
        server.store.go_on()
        for _ in range(published + 2):
            line.ack()
            await line.read()
            await poller.poll(1000)
        for reader in (line.reader, poller.reader):
            assert reader.position.offset == published
            assert sorted(reader.seen + reader.told_gone) == list(range(1, published + 1))
