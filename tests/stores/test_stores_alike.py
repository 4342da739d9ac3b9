"""The durable stores do what the memory store does, whatever is asked of both."""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from heartline_service.stores.base import Acked, IdConflict, NewMessage, PresenceRecord, Store
from heartline_service.stores.memory import MemoryStore
from heartline_service.stores.redis.store import RedisStore
from heartline_service.stores.sqlite.store import SqliteStore
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis_servers import RedisServer
from stores.kinds import RETAIN, Told

EPOCH = "0123456789abcdef"
CHANNELS = st.sampled_from(["a", "few.a", "brief.a", "brief.b"])
BATCHES = st.lists(
    st.builds(NewMessage, st.sampled_from(["", "", "m", "n", "o"]), st.sampled_from([b"x", b"y" * 50])), max_size=5
)
CLIENTS = st.sampled_from(["one", "two"])
Answer = Any


class Alike(RuleBasedStateMachine):
    """Asks the same of both, in virtual time."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryStore(RETAIN, EPOCH)
        self.durable = self.make(Path(self.folder.name))
        self.told: dict[Store, Told] = {self.memory: [], self.durable: []}
        self.now = 1000.0
        for store, told in self.told.items():
            self.runner.run(store.open(lambda *change, told=told: told.append(change)))

    def make(self, folder: Path) -> Store:
        """The store that is compared with the one in memory."""
        return SqliteStore(folder / "store.db", RETAIN, EPOCH)

    def teardown(self) -> None:
        self.runner.run(self.durable.close())
        self.runner.close()
        self.folder.cleanup()

    def both(self, ask: Callable[[Store], Awaitable[Answer]]) -> None:
        """Asks both, and compares what they answer and what they tell."""

        async def answer(store: Store) -> Answer:
            try:
                return await ask(store)
            except IdConflict as conflict:
                return conflict.index

        assert self.runner.run(answer(self.durable)) == self.runner.run(answer(self.memory))
        assert self.heard(self.durable) == self.heard(self.memory)

    def heard(self, store: Store) -> dict[str, tuple[object, list[object]]]:
        """What was told since: each channel's last head and all its events."""
        heads: dict[str, object] = {}
        events: dict[str, list[object]] = defaultdict(list)
        for channel, head, new in self.told[store]:
            heads[channel] = head
            events[channel] += new
        self.told[store].clear()
        return {channel: (head, events[channel]) for channel, head in heads.items()}

    @rule(seconds=st.sampled_from([1.0, 8.0, 590.0, 600.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(wanted=st.lists(st.tuples(CHANNELS, BATCHES), min_size=1, max_size=4))
    def append_at_once(self, wanted: list[tuple[str, list[NewMessage]]]) -> None:
        async def ask(store: Store) -> list[object]:
            asked = (store.append(channel, batch, self.now) for channel, batch in wanted)
            answers = await asyncio.gather(*asked, return_exceptions=True)
            return [a.index if isinstance(a, IdConflict) else a for a in answers]

        self.both(ask)

    @rule()
    def trim(self) -> None:
        self.both(lambda store: store.trim(self.now))

    @rule(channel=CHANNELS, after=st.integers(0, 12), events=st.integers(1, 5), size=st.integers(1, 200))
    def read(self, channel: str, after: int, events: int, size: int) -> None:
        self.both(lambda store: store.read(channel, after, events, size))

    @rule(
        client=CLIENTS,
        acks=st.lists(st.builds(Acked, CHANNELS, st.sampled_from([EPOCH, "f" * 16]), st.integers(0, 9)), max_size=3),
        first=st.booleans(),
    )
    def ack(self, client: str, acks: list[Acked], first: bool) -> None:
        self.both(lambda store: store.ack(client, acks, first=first))

    @rule(client=CLIENTS, online=st.booleans(), event=st.none() | st.builds(NewMessage, st.just(""), st.just(b"p")))
    def save_presence(self, client: str, online: bool, event: NewMessage | None) -> None:
        record = PresenceRecord(client, online, "CONNECTED", self.now, "", 0.0)
        self.both(lambda store: store.save_presence(replace(record, lease_until=self.now + 0.1), event, self.now))

    @rule()
    def restart_the_durable_one(self) -> None:
        self.runner.run(self.durable.close())
        self.runner.run(self.durable.open(lambda *change: self.told[self.durable].append(change)))

    @invariant()
    def they_hold_the_same(self) -> None:
        self.both(lambda store: store.channels("", 10))
        self.both(lambda store: store.acked("one"))
        self.both(lambda store: store.presences("", 10, None))


class AlikeInRedis(Alike):
    """The same with a Redis, which is emptied before each run."""

    server: RedisServer

    def make(self, folder: Path) -> Store:
        """See Alike."""
        self.server.ask("FLUSHALL")
        return RedisStore(self.server.url, RETAIN, EPOCH)


SETTINGS = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_sqlite_is_like_memory() -> None:
    run_state_machine_as_test(Alike, settings=SETTINGS)


@pytest.mark.needs("redis")
def test_redis_is_like_memory(one_redis_for_all: RedisServer) -> None:
    AlikeInRedis.server = one_redis_for_all
    run_state_machine_as_test(AlikeInRedis, settings=SETTINGS)
