"""What every store that nodes share does for presence: standings that are compared and set, nodes that beat, leases."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from heartline_service.stores.base import NewMessage, PresenceRecord, StoreUnavailable
from heartline_service.stores.redis.store import RedisStore
from heartline_service.stores.shared import SharedStore, Standing
from service.shared_memory import Shared, SharedMemoryStore
from stores.kinds import RETAIN, bodies

KINDS = [
    pytest.param("memory", id="memory"),
    pytest.param("redis_url", id="redis", marks=pytest.mark.needs("redis")),
    pytest.param("cluster_url", id="cluster", marks=pytest.mark.needs("redis")),
]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[SharedStore]:
    """A new store of each kind."""
    made: SharedStore
    if request.param == "memory":
        made = SharedMemoryStore(Shared(time.time))
    else:
        made = RedisStore(request.getfixturevalue(request.param), RETAIN)
    await made.open(lambda *change: None)
    yield made
    await made.close()


def standing(client_id: str = "one", *, online: bool = True, lease: float = 0.0, **rest: object) -> Standing:
    """A standing with odd numbers, which must come back as they are."""
    record = PresenceRecord(client_id, online, "CONNECTED", 1700000000.123457, "at 80 %", lease)
    return Standing(record, **rest)  # type: ignore[arg-type]


async def put(store: SharedStore, new: Standing, old: Standing | None = None, text: bytes = b"") -> Standing:
    """Changes a standing, which must succeed."""
    done, now = await store.change_standing(old, new, NewMessage("", text) if text else None)
    assert done
    assert now == new
    return now


async def test_a_standing_comes_back_as_it_was(store: SharedStore) -> None:
    await store.beat("node", 10.0, join=True)
    new = standing(leased_at=5.25, holders={"node": 2}, check_outs=3, lease=1800000000.5)
    await put(store, new)
    assert await store.standing("one") == new
    assert await store.standings("", 10, None) == [new]
    assert await store.presence("one") == new.record
    assert await store.standing("nobody") is None


async def test_a_node_is_told_once_and_with_its_beat_which_of_its_sessions_are_followed_elsewhere(
    store: SharedStore,
) -> None:
    await store.beat("one", 10.0, join=True)
    await store.beat("two", 10.0, join=True)
    await store.follow("one", "session-1", "phone 7")
    await store.follow("one", "session-2", "phone-8")
    assert (await store.beat("two", 10.0)).followed == []
    assert (await store.beat("one", 10.0)).followed == [("session-1", "phone 7"), ("session-2", "phone-8")]
    assert (await store.beat("one", 10.0)).followed == []


async def test_a_change_and_its_event_are_stored_together_or_not_at_all(store: SharedStore) -> None:
    first = await put(store, standing(), text=b"came")
    second = await put(store, standing(check_outs=1), old=first, text=b"left")
    for outdated in (None, first):
        assert await store.change_standing(outdated, standing(), NewMessage("", b"never")) == (False, second)
    assert await bodies(store, "$presence") == [b"came", b"left"]
    assert await store.standing("one") == second


async def test_of_many_that_change_it_at_once_one_does(store: SharedStore) -> None:
    changes = (store.change_standing(None, standing(check_outs=n), NewMessage("", b"x")) for n in range(20))
    answers = await asyncio.gather(*changes)
    assert sorted(done for done, _ in answers) == [False] * 19 + [True]
    assert len({now.check_outs for _, now in answers if now is not None}) == 1
    assert await bodies(store, "$presence") == [b"x"]


async def test_standings_are_listed_by_client_and_by_online(store: SharedStore) -> None:
    made = {name: await put(store, standing(name, online=name != "b")) for name in ("c", "a", "b")}
    assert await store.standings("", 2, None) == [made["a"], made["b"]]
    assert await store.standings("b", 2, None) == [made["c"]]
    assert await store.standings("", 10, True) == [made["a"], made["c"]]
    assert await store.standings("", 10, False) == [made["b"]]


async def test_a_node_is_known_from_when_it_joins_until_it_is_forgotten(store: SharedStore) -> None:
    assert not (await store.beat("node", 10.0)).known
    await store.beat("node", 10.0, join=True)
    assert (await store.beat("node", 10.0)).known
    await store.forget_node("node")
    assert not (await store.beat("node", 10.0)).known


async def test_a_node_that_ceases_to_beat_is_silent(store: SharedStore) -> None:
    await store.beat("well", 10.0, join=True)
    await store.beat("dead", 0.0, join=True)
    assert (await store.beat("well", 10.0)).silent_nodes == ["dead"]


async def test_only_a_node_that_is_known_may_hold_a_client(store: SharedStore) -> None:
    with pytest.raises(StoreUnavailable):
        await store.change_standing(None, standing(holders={"stranger": 1}), None)
    assert await store.standing("one") is None


async def test_a_node_holds_those_whose_standing_says_so(store: SharedStore) -> None:
    for node in ("x", "y"):
        await store.beat(node, 10.0, join=True)
    one = await put(store, standing("one", holders={"x": 1}))
    await put(store, standing("two", holders={"x": 1, "y": 2}))
    assert sorted(await store.held_by("x", 10)) == ["one", "two"]
    assert len(await store.held_by("x", 1)) == 1
    await put(store, standing("one", holders={"y": 1}), old=one)
    assert await store.held_by("x", 10) == ["two"]
    assert sorted(await store.held_by("y", 10)) == ["one", "two"]


async def test_leases_that_are_over_are_due_until_they_are_taken_away(store: SharedStore) -> None:
    now = store.time()
    over = await put(store, standing("over", lease=now - 1.0))
    await put(store, standing("lasting", lease=now + 60.0))
    await put(store, standing("none"))
    assert (await store.beat("node", 10.0, join=True)).due_leases == ["over"]
    await put(store, standing("over"), old=over)
    assert (await store.beat("node", 10.0)).due_leases == []


async def test_its_time_is_the_present(store: SharedStore) -> None:
    assert abs(store.time() - time.time()) < 1.0
