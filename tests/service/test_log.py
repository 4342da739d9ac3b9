"""Where a reader goes on in a log, how much fits an answer, and what of a log is kept in memory."""

import pytest
from heartline_service.reading.log import EVENT_OVERHEAD, TAIL_BYTES, GapKind, Tail, fitting, place
from heartline_service.stores.base import Head, StoredEvent
from hypothesis import given
from hypothesis import strategies as st
from service.draws import BOUNDED

PUBLISHED_AT = 1_800_000_000.0


def events(first: int, last: int, size: int = 100) -> list[StoredEvent]:
    """The events with these offsets, both included, each costing `size` bytes in a batch."""
    return [StoredEvent(offset, PUBLISHED_AT, bytes(size - EVENT_OVERHEAD)) for offset in range(first, last + 1)]


def offsets(found: object) -> list[int]:
    assert isinstance(found, list)
    return [event.offset for event in found]


class TestPlace:
    HEAD = Head("e1", oldest=11, latest=20)

    @pytest.mark.parametrize("epoch", ["e1", ""])
    @pytest.mark.parametrize("offset", [10, 15, 20])
    def test_a_reader_whose_next_event_is_kept_or_not_published_yet_misses_nothing(
        self, epoch: str, offset: int
    ) -> None:
        assert place(self.HEAD, epoch, offset) == (offset, None)

    @pytest.mark.parametrize("offset", [0, 9])
    def test_a_reader_behind_the_oldest_goes_on_before_it_and_is_told(self, offset: int) -> None:
        assert place(self.HEAD, "e1", offset) == (10, GapKind.TRIMMED)

    @pytest.mark.parametrize("offset", [21, 2**63])
    def test_a_reader_ahead_of_the_log_goes_on_at_the_latest_and_is_told(self, offset: int) -> None:
        assert place(self.HEAD, "e1", offset) == (20, GapKind.AHEAD)

    @pytest.mark.parametrize("offset", [0, 10, 15, 20, 21])
    def test_a_reader_of_another_log_goes_on_before_the_oldest_of_this_one_and_is_told(self, offset: int) -> None:
        assert place(self.HEAD, "e0", offset) == (10, GapKind.EPOCH_CHANGED)

    def test_a_log_of_which_nothing_is_kept_places_readers_at_its_end(self) -> None:
        assert place(Head("e1", 21, 20), "e1", 3) == (20, GapKind.TRIMMED)

    def test_the_start_of_a_log_that_was_never_published_to_is_no_gap(self) -> None:
        assert place(Head("e1", 1, 0), "e1", 0) == (0, None)


class TestFitting:
    def test_the_count_bounds_it(self) -> None:
        assert offsets(fitting(events(1, 10), 2, 3, 10_000)) == [3, 4, 5]

    def test_the_size_bounds_it_with_what_each_event_costs_beside_its_body(self) -> None:
        assert offsets(fitting(events(1, 10), 0, 100, 300)) == [1, 2, 3]
        assert offsets(fitting(events(1, 10), 0, 100, 299)) == [1, 2]

    def test_one_event_goes_however_large_it_is(self) -> None:
        assert offsets(fitting(events(1, 3, size=1000), 1, 100, 10)) == [2]

    def test_past_the_end_there_is_nothing(self) -> None:
        assert not fitting(events(1, 3), 3, 100, 1000)


class TestTail:
    def test_it_gives_what_came_after_an_offset(self) -> None:
        tail = Tail(5)
        tail.grow(events(6, 9))
        assert offsets(tail.read(7, 100, 10_000)) == [8, 9]

    def test_it_gives_nothing_new_at_its_end(self) -> None:
        tail = Tail(5)
        tail.grow(events(6, 9))
        assert tail.read(9, 100, 10_000) == []

    def test_it_says_so_when_it_does_not_hold_what_is_asked_for(self) -> None:
        tail = Tail(5)
        tail.grow(events(6, 9))
        assert tail.read(4, 100, 10_000) is None

    def test_the_oldest_leave_when_it_is_full(self) -> None:
        size = TAIL_BYTES // 4
        tail = Tail(0)
        tail.grow(events(1, 6, size))
        assert tail.read(1, 100, TAIL_BYTES) is None
        assert offsets(tail.read(2, 100, TAIL_BYTES)) == [3, 4, 5, 6]

    def test_the_newest_event_stays_however_large_it_is(self) -> None:
        tail = Tail(0)
        tail.grow(events(1, 1, 2 * TAIL_BYTES))
        assert offsets(tail.read(0, 100, 10)) == [1]

    @BOUNDED
    @given(
        st.lists(st.lists(st.integers(EVENT_OVERHEAD, TAIL_BYTES // 3), max_size=5), max_size=8),
        st.integers(0, 45),
    )
    def test_what_it_holds_is_the_log_without_holes_and_within_its_bound(
        self, growth: list[list[int]], after: int
    ) -> None:
        log: list[StoredEvent] = []
        tail = Tail(0)
        for sizes in growth:
            grown = [events(len(log) + index, len(log) + index, size)[0] for index, size in enumerate(sizes, 1)]
            log += grown
            tail.grow(grown)
        held = log[tail.after :]
        assert sum(len(event.body) + EVENT_OVERHEAD for event in held) <= TAIL_BYTES
        found = tail.read(after, len(log) + 1, 2 * TAIL_BYTES)
        assert found == (None if after < tail.after else log[after:])
