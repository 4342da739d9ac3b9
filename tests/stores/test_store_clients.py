"""What every store keeps of clients: how far they have come, and their presence."""

import asyncio

import pytest
from heartline_service.stores.base import Acked, Head, IdConflict, NewMessage, PresenceRecord, Store
from stores.kinds import Told, bodies, messages

OTHER_EPOCH = "00000000000000ff"


def record(client_id: str, *, online: bool = True, status: str = "") -> PresenceRecord:
    """A presence record with odd numbers, which must come back as they are."""
    return PresenceRecord(client_id, online, "CONNECTED" if online else "GOODBYE", 1700000000.123457, status, 0.1)


async def test_an_ack_is_kept_for_its_client_and_channel(store: Store) -> None:
    acks = [Acked("a", store.epoch, 3), Acked("b", store.epoch, 4)]
    assert await store.ack("one", acks) == acks
    assert await store.ack("two", [Acked("a", store.epoch, 1)]) == [Acked("a", store.epoch, 1)]
    assert await store.acked("one") == {"a": acks[0], "b": acks[1]}
    assert await store.acked("nobody") == {}


async def test_an_ack_never_goes_back(store: Store) -> None:
    await store.ack("one", [Acked("a", store.epoch, 3), Acked("b", store.epoch, 3)])
    assert await store.ack("one", [Acked("b", store.epoch, 5), Acked("a", store.epoch, 2)]) == [
        Acked("b", store.epoch, 5),
        Acked("a", store.epoch, 3),
    ]


async def test_acks_at_once_come_to_the_highest(store: Store) -> None:
    await asyncio.gather(*(store.ack("one", [Acked("a", store.epoch, n)]) for n in (4, 9, 2, 7)))
    assert await store.acked("one") == {"a": Acked("a", store.epoch, 9)}


async def test_a_first_ack_is_kept_only_where_there_is_none(store: Store) -> None:
    assert await store.ack("one", [Acked("a", store.epoch, 3)], first=True) == [Acked("a", store.epoch, 3)]
    assert await store.ack("one", [Acked("a", store.epoch, 8)], first=True) == [Acked("a", store.epoch, 3)]
    assert await store.acked("one") == {"a": Acked("a", store.epoch, 3)}


@pytest.mark.parametrize("first", [True, False])
async def test_an_ack_of_another_epoch_is_replaced(store: Store, first: bool) -> None:
    await store.ack("one", [Acked("a", OTHER_EPOCH, 50)])
    assert await store.ack("one", [Acked("a", store.epoch, 2)], first=first) == [Acked("a", store.epoch, 2)]
    assert await store.acked("one") == {"a": Acked("a", store.epoch, 2)}


async def test_a_presence_record_and_its_event_are_stored_together(store: Store, told: Told) -> None:
    await store.save_presence(record("one", status="at 80 %"), NewMessage("", b"came"), 5.0)
    assert await store.presence("one") == record("one", status="at 80 %")
    assert await bodies(store, "$presence") == [b"came"]
    assert [(channel, head) for channel, head, _ in told] == [("$presence", Head(store.epoch, 1, 1))]


async def test_a_presence_record_may_come_without_an_event(store: Store, told: Told) -> None:
    await store.save_presence(record("one"), None, 5.0)
    await store.save_presence(record("one", online=False), None, 6.0)
    assert await store.presence("one") == record("one", online=False)
    assert await store.channels("", 10) == []
    assert told == []


async def test_a_presence_event_that_is_refused_leaves_the_record_as_it_was(store: Store) -> None:
    await store.append("$presence", messages(b"x", id="m"), 5.0)
    with pytest.raises(IdConflict):
        await store.save_presence(record("one"), NewMessage("m", b"y"), 5.0)
    assert await store.presence("one") is None


async def test_the_last_of_many_records_at_once_is_kept(store: Store) -> None:
    await asyncio.gather(
        *(store.save_presence(record("one", status=str(n)), NewMessage("", b"%d" % n), 5.0) for n in range(5))
    )
    assert await store.presence("one") == record("one", status="4")
    assert await bodies(store, "$presence") == [b"0", b"1", b"2", b"3", b"4"]


async def test_presence_is_listed_by_client_in_pages_and_by_online(store: Store) -> None:
    for client_id, online in (("c", True), ("a", False), ("b", True), ("d", False)):
        await store.save_presence(record(client_id, online=online), None, 5.0)

    async def listed(after: str, limit: int, online: bool | None) -> list[str]:
        return [found.client_id for found in await store.presences(after, limit, online)]

    assert await listed("", 3, None) == ["a", "b", "c"]
    assert await listed("c", 3, None) == ["d"]
    assert await listed("", 10, True) == ["b", "c"]
    assert await listed("a", 10, False) == ["d"]
    assert await store.presence("nobody") is None
