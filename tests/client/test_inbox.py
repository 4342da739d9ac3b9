"""The inbox of a subscription: order, once, bounds, cursors, acks."""

from datetime import UTC, datetime

from heartline.events import Event, Gap, GapReason, Position
from heartline.inbox import GapMark, Inbox
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2027, 1, 15, tzinfo=UTC)


def place(offset: int, epoch: str = "e1") -> Position:
    return Position("orders", epoch, offset)


def events(first: int, last: int, epoch: str = "e1") -> list[Event]:
    return [Event("orders", offset, epoch, "", str(offset), {}, AT) for offset in range(first, last + 1)]


def offsets(inbox: Inbox) -> list[int]:
    """Takes out everything."""
    taken = []
    while (item := inbox.take()) is not None:
        assert isinstance(item, Event)
        taken.append(item.offset)
    return taken


def test_events_come_out_in_order() -> None:
    inbox = Inbox(100, place(0))
    assert inbox.put(events(1, 2), place(2), None)
    assert inbox.put(events(3, 3), place(3), None)
    assert offsets(inbox) == [1, 2, 3]


def test_what_came_before_is_dropped() -> None:
    inbox = Inbox(100, place(0))
    inbox.put(events(1, 3), place(3), None)
    assert inbox.put(events(2, 5), place(5), None)
    assert offsets(inbox) == [1, 2, 3, 4, 5]


def test_a_hole_that_no_gap_explains_is_refused() -> None:
    inbox = Inbox(100, place(0))
    assert not inbox.put(events(2, 3), place(3), None)
    assert not inbox.put([], place(9), None)
    assert (inbox.received, len(inbox)) == (place(0), 0)


def test_another_epoch_without_a_gap_is_refused() -> None:
    inbox = Inbox(100, place(3))
    assert not inbox.put(events(4, 4, "e2"), place(4, "e2"), None)
    assert len(inbox) == 0


def test_a_gap_takes_its_place_in_the_order_and_moves_the_cursor() -> None:
    inbox = Inbox(100, place(0))
    inbox.put(events(1, 1), place(1), None)
    gap = Gap(GapReason.TRIMMED, 5, 6)
    assert inbox.put(events(5, 6), place(6), gap)
    first = inbox.take()
    assert isinstance(first, Event)
    assert inbox.take() == GapMark(gap, place(4))
    assert inbox.position == place(4)
    assert offsets(inbox) == [5, 6]


def test_a_gap_without_events_moves_the_cursor_to_the_batchs() -> None:
    inbox = Inbox(100, place(9))
    gap = Gap(GapReason.AHEAD, 1, 3)
    assert inbox.put([], place(3), gap)
    assert inbox.take() == GapMark(gap, place(3))
    assert inbox.received == place(3)


def test_the_first_place_that_the_server_tells_counts_and_later_ones_do_not() -> None:
    inbox = Inbox(100)
    inbox.begin(place(7))
    inbox.begin(place(9))
    assert inbox.received == inbox.position == place(7)


def test_a_place_without_an_epoch_is_one_in_the_log_that_is_there() -> None:
    inbox = Inbox(100, place(2, epoch=""))
    inbox.begin(place(2))
    assert inbox.put(events(3, 3), place(3), None)
    assert offsets(inbox) == [3]


def test_an_item_is_handled_when_the_next_one_is_asked_for() -> None:
    inbox = Inbox(2, place(0))
    inbox.put(events(1, 2), place(2), None)
    inbox.take()
    assert inbox.ack(now=True) is None
    inbox.finish()
    assert inbox.ack(now=True) == place(1)
    assert inbox.ack(now=True) is None


def test_acks_wait_for_half_of_the_capacity_unless_asked_for_now() -> None:
    inbox = Inbox(6, place(0))
    inbox.put(events(1, 6), place(6), None)
    acks = []
    for _ in range(6):
        inbox.take()
        inbox.finish()
        acks.append(inbox.ack(now=False))
    assert acks == [None, None, place(3), None, None, place(6)]


def test_forgotten_acks_are_due_again() -> None:
    inbox = Inbox(6, place(0))
    inbox.put(events(1, 1), place(1), None)
    inbox.take()
    inbox.finish()
    assert inbox.ack(now=True) == place(1)
    inbox.forget_acks()
    assert inbox.ack(now=True) == place(1)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 6)), max_size=40))
def test_whatever_batches_come_the_events_taken_are_1_2_3_without_hole_or_repeat(runs: list[tuple[int, int]]) -> None:
    inbox = Inbox(1000, place(0))
    taken = []
    for first, length in runs:
        inbox.put(events(first, first + length), place(first + length), None)
        taken += offsets(inbox)
    assert taken == list(range(1, len(taken) + 1))
