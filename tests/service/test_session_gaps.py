"""What a session is told of events that are gone."""

from heartline.v1.events_pb2 import GAP_REASON_AHEAD, GAP_REASON_EPOCH_CHANGED, GAP_REASON_TRIMMED, Batch, Position
from heartline_service.stores.base import Acked
from service.fragile import keeping
from service.news import ACKED, after, numbers, with_news
from service.peer import house
from virtual_time import settle, virtual


def gap_of(batch: Batch) -> tuple[int, int, int]:
    """Why events are missing, the oldest and the latest offset."""
    assert batch.HasField("gap")
    return batch.gap.reason, batch.gap.oldest_offset, batch.gap.latest_offset


class TestGaps:
    @virtual
    async def test_trimmed_events_are_told_with_what_there_is(self) -> None:
        async with house(keeping(3)) as server:
            await with_news(server, 10)
            peer = await server.client("", after(4))
            told, events = peer.batches()
            assert gap_of(told) == (GAP_REASON_TRIMMED, 8, 10)
            assert not told.events
            assert told.position.offset == 7
            assert [event.text for event in events.events] == numbers(8, 10)
            assert not events.HasField("gap")

    @virtual
    async def test_a_log_of_which_nothing_is_left_is_told(self) -> None:
        async with house() as server:
            await with_news(server, 3)
            await server.store.trim(server.hub.clock.wall() + 1e9)
            peer = await server.client("", after(1))
            (told,) = peer.batches()
            assert gap_of(told) == (GAP_REASON_TRIMMED, 4, 3)
            assert told.position.offset == 3

    @virtual
    async def test_a_position_of_another_log_is_told_and_goes_on_at_the_oldest(self) -> None:
        async with house(keeping(3)) as server:
            await with_news(server, 10)
            peer = await server.client("", after(9, epoch="before"))
            told, events = peer.batches()
            assert gap_of(told) == (GAP_REASON_EPOCH_CHANGED, 8, 10)
            assert told.position == Position(channel="news", epoch=server.store.epoch, offset=7)
            assert [event.text for event in events.events] == numbers(8, 10)

    @virtual
    async def test_a_position_that_was_never_given_is_told_and_goes_on_at_the_latest(self) -> None:
        async with house() as server:
            await with_news(server, 3)
            peer = await server.client("", after(1000))
            (told,) = peer.batches()
            assert gap_of(told) == (GAP_REASON_AHEAD, 1, 3)
            assert told.position.offset == 3
            await server.publish("news", "4")
            assert peer.texts() == ["4"]

    @virtual
    async def test_subscribed_carries_the_position_before_the_gap_so_that_who_is_cut_off_is_told_again(self) -> None:
        async with house(keeping(3)) as server:
            await with_news(server, 10)
            peer = await server.client("", after(4))
            assert peer.the("subscribed").position.offset == 4

    @virtual
    async def test_who_falls_behind_retention_while_it_reads_nothing_is_told(self) -> None:
        async with house(keeping(3)) as server:
            peer = await server.client("", "news")
            peer.block()
            await with_news(server, 10)
            peer.unblock()
            await settle()
            first, told, events = peer.batches()
            assert [event.text for event in first.events] == ["1"]
            assert gap_of(told) == (GAP_REASON_TRIMMED, 8, 10)
            assert [event.text for event in events.events] == numbers(8, 10)

    @virtual
    async def test_who_falls_behind_retention_by_age_is_told(self) -> None:
        async with house() as server:
            peer = await server.client("", after(0, max_unacked=1))
            await with_news(server, 5)
            await server.store.trim(server.hub.clock.wall() + 1e9)
            peer.ack("news", 1)
            await settle()
            assert gap_of(peer.batches()[-1]) == (GAP_REASON_TRIMMED, 6, 5)

    @virtual
    async def test_events_that_go_while_they_are_being_read_are_told(self) -> None:
        async with house(keeping(3)) as server:
            await with_news(server, 3)
            server.store.hang_reads()
            peer = await server.client("", after(0))
            await server.publish("news", *numbers(4, 5))
            server.store.go_on()
            await settle()
            told, events = peer.batches()
            assert gap_of(told) == (GAP_REASON_TRIMMED, 3, 5)
            assert told.position.offset == 2
            assert [event.text for event in events.events] == numbers(3, 5)

    @virtual
    async def test_credit_counts_from_the_place_after_a_gap(self) -> None:
        async with house(keeping(5)) as server:
            peer = await server.client("", after(0, max_unacked=2))
            await with_news(server, 20)
            assert peer.texts() == numbers(1, 2)
            peer.ack("news", 1)
            await settle()
            assert peer.texts() == [*numbers(1, 2), *numbers(16, 17)]
            peer.ack("news", 17)
            await settle()
            assert peer.texts()[-2:] == numbers(18, 19)

    @virtual
    async def test_an_acked_cursor_of_another_log_is_told_and_the_next_ack_takes_its_place(self) -> None:
        async with house() as server:
            await with_news(server, 3)
            await server.store.ack("phone-7", [Acked("news", "before", 900)])
            peer = await server.client("phone-7", ACKED)
            assert gap_of(peer.batches()[0]) == (GAP_REASON_EPOCH_CHANGED, 1, 3)
            peer.ack("news", 2)
            await settle()
            assert await server.acked("phone-7") == {"news": 2}
