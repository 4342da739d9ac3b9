"""What every store does with a channel's log: appends, ids, reads, and retention."""

import asyncio

import pytest
from heartline_service.stores.base import DEDUPE_WINDOW, Head, IdConflict, NewMessage, Receipt, Store, StoredEvent
from stores.kinds import bodies, messages


async def test_offsets_are_counted_from_one_in_each_channel(store: Store) -> None:
    assert await store.append("a", messages(b"x", b"y"), 1.0) == [
        Receipt(store.epoch, 1, False),
        Receipt(store.epoch, 2, False),
    ]
    assert await store.append("b", messages(b"z"), 1.0) == [Receipt(store.epoch, 1, False)]
    assert await store.append("a", messages(b"w"), 2.5) == [Receipt(store.epoch, 3, False)]
    assert await store.read("a", 0, 10, 1000) == [
        StoredEvent(1, 1.0, b"x"),
        StoredEvent(2, 1.0, b"y"),
        StoredEvent(3, 2.5, b"w"),
    ]


async def test_the_epoch_is_sixteen_hex_digits(store: Store) -> None:
    assert len(store.epoch) == 16
    assert int(store.epoch, 16) >= 0


async def test_many_callers_leave_no_holes_and_keep_their_own_order(store: Store) -> None:
    async def caller(name: int) -> list[int]:
        return [(await store.append("a", messages(b"%d %d" % (name, n)), 1.0))[0].offset for n in range(20)]

    offsets = await asyncio.gather(*map(caller, range(30)))
    assert sorted(offset for own in offsets for offset in own) == list(range(1, 601))
    stored = await bodies(store, "a")
    assert [[stored[offset - 1] for offset in own] for own in offsets] == [
        [b"%d %d" % (name, n) for n in range(20)] for name in range(30)
    ]


async def test_a_batch_of_a_thousand_is_stored_in_its_order(store: Store) -> None:
    batch = [NewMessage(f"id-{n}", b"%d" % n) for n in range(1000)]
    assert [receipt.offset for receipt in await store.append("a", batch, 1.0)] == list(range(1, 1001))
    assert await bodies(store, "a") == [message.body for message in batch]


async def test_a_body_of_a_megabyte_comes_back_whole(store: Store) -> None:
    large = bytes(range(256)) * 4096
    await store.append("a", messages(b"", large, large[::-1]), 1.0)
    assert await bodies(store, "a") == [b"", large, large[::-1]]


async def test_an_id_used_again_with_the_same_body_gives_the_first_receipt(store: Store) -> None:
    await store.append("a", messages(b"before", b"x", id=""), 1.0)
    (first,) = await store.append("a", messages(b"x", id="m"), 1.0)
    assert await store.append("a", messages(b"x", id="m"), 2.0) == [Receipt(store.epoch, first.offset, True)]
    assert await bodies(store, "a") == [b"before", b"x", b"x"]


async def test_an_id_counts_for_its_channel_alone(store: Store) -> None:
    await store.append("a", messages(b"x", id="m"), 1.0)
    assert await store.append("b", messages(b"y", id="m"), 1.0) == [Receipt(store.epoch, 1, False)]


async def test_messages_without_an_id_are_never_compared(store: Store) -> None:
    receipts = await store.append("a", messages(b"x", b"x"), 1.0)
    assert [(receipt.offset, receipt.duplicate) for receipt in receipts] == [(1, False), (2, False)]


async def test_an_id_twice_in_a_batch_is_stored_once(store: Store) -> None:
    batch = [NewMessage("m", b"x"), NewMessage("n", b"y"), NewMessage("m", b"x"), NewMessage("", b"z")]
    receipts = await store.append("a", batch, 1.0)
    assert [(receipt.offset, receipt.duplicate) for receipt in receipts] == [
        (1, False),
        (2, False),
        (1, True),
        (3, False),
    ]
    assert await bodies(store, "a") == [b"x", b"y", b"z"]


async def test_two_callers_with_one_id_store_it_once(store: Store) -> None:
    answers = await asyncio.gather(*(store.append("a", messages(b"x", id="m"), 1.0) for _ in range(10)))
    assert sorted(receipt.duplicate for (receipt,) in answers) == [False] + [True] * 9
    assert await bodies(store, "a") == [b"x"]


@pytest.mark.parametrize("earlier", [True, False], ids=["used before", "used in the batch"])
async def test_an_id_used_with_another_body_is_refused_and_changes_nothing(store: Store, earlier: bool) -> None:
    await store.append("a", messages(b"x", id="m" if earlier else "other"), 1.0)
    batch = [NewMessage("", b"1"), NewMessage("n", b"2"), NewMessage("m", b"3"), NewMessage("m", b"4")]
    with pytest.raises(IdConflict) as conflict:
        await store.append("a", batch, 2.0)
    assert conflict.value.index == (2 if earlier else 3)
    assert await store.head("a") == Head(store.epoch, 1, 1)
    assert await store.append("a", messages(b"other", id="n"), 2.0) == [Receipt(store.epoch, 2, False)]


async def test_a_refused_batch_does_not_make_its_channel(store: Store) -> None:
    with pytest.raises(IdConflict):
        await store.append("a", messages(b"x", b"y", id="m"), 1.0)
    assert await store.channels("", 10) == []


async def test_a_refused_caller_does_not_disturb_the_others(store: Store) -> None:
    batches = [messages(b"1"), messages(b"2", id="m"), messages(b"3", id="m"), messages(b"4"), messages(b"2", id="m")]
    answers = await asyncio.gather(*(store.append("a", b, 1.0) for b in batches), return_exceptions=True)
    assert [type(answer) for answer in answers] == [list, list, IdConflict, list, list]
    assert await bodies(store, "a") == [b"1", b"2", b"4"]


async def test_an_id_is_remembered_for_the_dedupe_window(store: Store) -> None:
    await store.append("a", messages(b"x", id="m"), 1.0)
    just_within = 1.0 + DEDUPE_WINDOW - 0.001
    await store.trim(just_within)
    assert (await store.append("a", messages(b"x", id="m"), just_within))[0].duplicate
    assert await store.append("a", messages(b"y", id="m"), 1.0 + DEDUPE_WINDOW) == [Receipt(store.epoch, 2, False)]


async def test_an_id_outlives_its_event(store: Store) -> None:
    await store.append("brief.a", messages(b"x", id="m"), 1.0)
    await store.trim(100.0)
    assert await bodies(store, "brief.a") == []
    assert await store.append("brief.a", messages(b"x", id="m"), 100.0) == [Receipt(store.epoch, 1, True)]
    with pytest.raises(IdConflict):
        await store.append("brief.a", messages(b"y", id="m"), 100.0)


async def test_an_id_outlives_an_event_that_newer_ones_pushed_out(store: Store) -> None:
    batch = [NewMessage(f"m{n}", b"%d" % n) for n in range(5)]
    await store.append("few.a", batch, 1.0)
    await store.append("few.a", messages(b"x", b"y", b"z"), 1.0)
    assert [receipt.duplicate for receipt in await store.append("few.a", batch, 2.0)] == [True] * 5
    with pytest.raises(IdConflict):
        await store.append("few.a", messages(b"y", id="m0"), 2.0)


async def test_an_id_is_known_though_its_batch_pushes_it_out_at_once(store: Store) -> None:
    await store.append("few.a", messages(b"x", id="m"), 1.0)
    batch = [NewMessage("m", b"x"), *messages(b"1", b"2", b"3")]
    assert (await store.append("few.a", batch, 2.0))[0] == Receipt(store.epoch, 1, True)


async def test_an_id_that_was_forgotten_is_new_and_then_remembered_anew(store: Store) -> None:
    await store.append("a", messages(b"x", id="m"), 1.0)
    await store.trim(1.0 + DEDUPE_WINDOW)
    await store.append("a", messages(b"x", id="m"), 1.0 + DEDUPE_WINDOW)
    assert await store.append("a", messages(b"x", id="m"), 2 * DEDUPE_WINDOW) == [Receipt(store.epoch, 2, True)]


async def test_a_read_starts_after_the_offset_and_takes_at_most_so_many(store: Store) -> None:
    await store.append("a", messages(*(b"%d" % n for n in range(1, 10))), 1.0)
    assert [event.offset for event in await store.read("a", 3, 4, 1000)] == [4, 5, 6, 7]
    assert [event.offset for event in await store.read("a", 7, 4, 1000)] == [8, 9]
    assert await store.read("a", 9, 4, 1000) == []


async def test_a_read_takes_at_most_so_many_bytes_but_at_least_one_event(store: Store) -> None:
    await store.append("a", messages(b"x" * 10, b"y" * 10, b"z" * 10), 1.0)
    assert [event.offset for event in await store.read("a", 0, 10, 20)] == [1, 2]
    assert [event.offset for event in await store.read("a", 0, 10, 29)] == [1, 2]
    assert [event.offset for event in await store.read("a", 1, 10, 1)] == [2]


async def test_asking_for_a_channel_does_not_make_it(store: Store) -> None:
    assert await store.head("a") == Head(store.epoch, 1, 0)
    assert await store.read("a", 0, 10, 1000) == []
    assert await store.channels("", 10) == []


async def test_retention_by_count_is_exact_after_each_append(store: Store) -> None:
    await store.append("few.a", messages(b"1", b"2"), 1.0)
    assert await store.head("few.a") == Head(store.epoch, 1, 2)
    await store.append("few.a", messages(b"3", b"4"), 1.0)
    assert await store.head("few.a") == Head(store.epoch, 2, 4)
    await store.append("few.a", messages(*(b"%d" % n for n in range(5, 12))), 1.0)
    assert await store.head("few.a") == Head(store.epoch, 9, 11)
    assert await bodies(store, "few.a") == [b"9", b"10", b"11"]


async def test_retention_by_age_keeps_what_is_just_old_enough(store: Store) -> None:
    for now in (1.0, 5.0, 9.0):
        await store.append("brief.a", messages(b"%d" % now), now)
    await store.trim(15.0)
    assert await bodies(store, "brief.a") == [b"5", b"9"]
    assert await store.head("brief.a") == Head(store.epoch, 2, 3)


async def test_a_log_that_is_trimmed_empty_goes_on_where_it_was(store: Store) -> None:
    await store.append("brief.a", messages(b"1", b"2"), 1.0)
    await store.trim(100.0)
    assert await store.head("brief.a") == Head(store.epoch, 3, 2)
    assert await store.channels("", 10) == [("brief.a", Head(store.epoch, 3, 2))]
    assert await store.append("brief.a", messages(b"3"), 100.0) == [Receipt(store.epoch, 3, False)]
    assert await store.read("brief.a", 0, 10, 1000) == [StoredEvent(3, 100.0, b"3")]
    await store.trim(200.0)
    assert await store.head("brief.a") == Head(store.epoch, 4, 3)


async def test_a_trim_of_very_many_events_leaves_none(store: Store) -> None:
    for channel in ("brief.a", "brief.b", "brief.c"):
        await store.append(channel, messages(*[b"x"] * 2500), 1.0)
    await store.append("brief.b", messages(b"new"), 100.0)
    await store.trim(100.0)
    heads = dict(await store.channels("", 10))
    assert heads == {
        "brief.a": Head(store.epoch, 2501, 2500),
        "brief.b": Head(store.epoch, 2501, 2501),
        "brief.c": Head(store.epoch, 2501, 2500),
    }


async def test_channels_are_listed_by_name_in_pages(store: Store) -> None:
    for channel in ("b", "ä", "a", "c", "B"):
        await store.append(channel, messages(b"x"), 1.0)
    head = Head(store.epoch, 1, 1)
    assert await store.channels("", 2) == [("B", head), ("a", head)]
    assert await store.channels("a", 2) == [("b", head), ("c", head)]
    assert await store.channels("c", 2) == [("ä", head)]
    assert await store.channels("ä", 2) == []
