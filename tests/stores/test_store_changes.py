"""What every store tells by on_change, and when."""

import asyncio
import contextlib

import pytest
from heartline_service.stores import open_store
from heartline_service.stores.base import Head, IdConflict, Store, StoredEvent, StoreUnavailable
from stores.kinds import RETAIN, Told, bodies, messages


async def test_each_change_is_told_with_its_head_and_its_events(store: Store, told: Told) -> None:
    await store.append("few.a", messages(b"1", b"2"), 1.0)
    await store.append("few.a", messages(b"3", b"4"), 2.0)
    assert [(channel, head, list(events)) for channel, head, events in told] == [
        ("few.a", Head(store.epoch, 1, 2), [StoredEvent(1, 1.0, b"1"), StoredEvent(2, 1.0, b"2")]),
        ("few.a", Head(store.epoch, 2, 4), [StoredEvent(3, 2.0, b"3"), StoredEvent(4, 2.0, b"4")]),
    ]


async def test_changes_are_told_in_log_order_without_holes(store: Store, told: Told) -> None:
    callers = [store.append(channel, messages(b"x"), 1.0) for _ in range(50) for channel in ("a", "b")]
    await asyncio.gather(*callers)
    for name in ("a", "b"):
        offsets = [event.offset for channel, _, events in told for event in events if channel == name]
        assert offsets == list(range(1, 51))
        heads = [(head.latest, events[-1].offset) for channel, head, events in told if channel == name]
        assert all(latest == offset for latest, offset in heads)


async def test_a_change_is_told_before_its_caller_is_answered(url: str) -> None:
    order: list[str] = []
    store = open_store(url, RETAIN)
    await store.open(lambda channel, head, events: order.append("told"))
    for _ in range(3):
        await store.append("a", messages(b"x"), 1.0)
        order.append("answered")
    await store.close()
    assert order == ["told", "answered"] * 3


async def test_what_a_caller_asked_for_before_it_was_cancelled_is_stored_and_told(url: str) -> None:
    told = asyncio.Event()
    store = open_store(url, RETAIN)
    await store.open(lambda channel, head, events: told.set())
    caller = asyncio.ensure_future(store.append("a", messages(b"x"), 1.0))
    asyncio.get_running_loop().call_soon(caller.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    async with asyncio.timeout(10):
        await told.wait()
    assert await bodies(store, "a") == [b"x"]
    await store.close()


async def test_a_trim_tells_the_channels_that_it_moved_and_no_others(store: Store, told: Told) -> None:
    await store.append("brief.a", messages(b"1", b"2"), 1.0)
    await store.append("brief.b", messages(b"1"), 20.0)
    await store.append("c", messages(b"1"), 1.0)
    told.clear()
    await store.trim(20.0)
    assert [(channel, head, list(events)) for channel, head, events in told] == [
        ("brief.a", Head(store.epoch, 3, 2), [])
    ]
    await store.trim(20.0)
    assert len(told) == 1


async def test_what_adds_nothing_tells_nothing(store: Store, told: Told) -> None:
    await store.append("a", messages(b"x", id="m"), 1.0)
    told.clear()
    await store.append("a", messages(b"x", id="m"), 1.0)
    with pytest.raises(IdConflict):
        await store.append("a", messages(b"y", id="m"), 1.0)
    await store.append("a", [], 1.0)
    assert told == []


async def test_a_closed_store_is_unavailable(store: Store) -> None:
    await store.append("a", messages(b"x"), 1.0)
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.append("a", messages(b"y"), 1.0)
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.read("a", 0, 1, 1)
    await store.close()


async def test_close_waits_for_what_was_asked_for(store: Store) -> None:
    callers = [asyncio.ensure_future(store.append("a", messages(b"x"), 1.0)) for _ in range(20)]
    await asyncio.wait(callers, timeout=0)  # so that each has asked
    await store.close()
    assert [receipts[0].offset for receipts in await asyncio.gather(*callers)] == list(range(1, 21))
