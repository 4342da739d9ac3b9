"""One event's way to a client, as a ladder diagram tells it."""

import pytest
from heartline_lab.contrast.journal import Journal, Published
from heartline_lab.contrast.way import LANES, way
from heartline_lab.drawing.ladder import Ladder, Step

MS = 1_000_000
START = 5_000 * MS
PUBLISHED = [Published(START, START + 2 * MS)]
POLLS = Journal(
    arrivals=[(0, START + 31 * MS)],
    calls=[(START - 72 * MS, START - 70 * MS, 0), (START + 28 * MS, START + 30 * MS, 1)],
    pending_ns=START + 128 * MS,
)


def told(steps: tuple[Step, ...]) -> list[tuple[int, str, str, str]]:
    """When, in milliseconds, from where to where, and what."""
    return [(round(step.at * 1000), step.source, step.target, step.label) for step in steps]


def test_polls_at_intervals_ask_in_vain_before_and_get_the_event_after_the_publish() -> None:
    assert told(way("kept", POLLS, PUBLISHED)) == [
        (-72, "client", "server", "Poll"),
        (-70, "server", "client", "nothing new"),
        (0, "publisher", "server", "Publish"),
        (2, "server", "publisher", "receipt"),
        (28, "client", "server", "Poll"),
        (30, "server", "client", "1 event"),
        (128, "client", "server", "Poll"),
    ]


def test_a_short_poll_connects_each_time() -> None:
    assert [step.label for step in way("short", POLLS, PUBLISHED) if step.source == "client"] == ["connect, Poll"] * 3


def test_a_long_poll_is_pending_before_the_publish() -> None:
    seen = Journal(
        arrivals=[(0, START + 4 * MS)], calls=[(START - 50 * MS, START + 4 * MS, 1)], pending_ns=START + 5 * MS
    )
    assert told(way("long-poll", seen, PUBLISHED)) == [
        (-50, "client", "server", "Poll that waits"),
        (0, "publisher", "server", "Publish"),
        (2, "server", "publisher", "receipt"),
        (4, "server", "client", "1 event"),
        (5, "client", "server", "Poll that waits"),
    ]


def test_a_stream_was_opened_once_and_the_event_is_pushed() -> None:
    seen = Journal(arrivals=[(0, START + 3 * MS)], opened_ns=START - 900 * MS)
    assert told(way("stream", seen, PUBLISHED)) == [
        (-900, "client", "server", "connect, hello, subscribe"),
        (0, "publisher", "server", "Publish"),
        (2, "server", "publisher", "receipt"),
        (3, "server", "client", "the event, pushed"),
    ]


def test_the_event_that_is_told_has_the_median_latency() -> None:
    published = [Published(START + number * 1000 * MS, START + (number * 1000 + 1) * MS) for number in range(3)]
    arrivals = [(number, published[number].begun_ns + late * MS) for number, late in enumerate((1, 9, 4))]
    steps = way("stream", Journal(arrivals=arrivals, opened_ns=START), published)
    assert [step.note for step in steps if step.note.startswith("handled")] == [
        "handled 4.0 ms after the publish call began"
    ]


@pytest.mark.parametrize("mode", ["short", "kept", "long-poll", "stream"])
def test_a_client_that_got_nothing_has_no_way_to_tell(mode: str) -> None:
    assert way(mode, Journal(), PUBLISHED) == ()


@pytest.mark.parametrize("mode", ["short", "kept", "long-poll"])
def test_a_ladder_can_be_drawn_from_it(mode: str) -> None:
    steps = [
        Step(step.at, step.source, step.target, step.label, kind=step.kind) for step in way(mode, POLLS, PUBLISHED)
    ]
    assert Ladder(mode, LANES, tuple(steps)).steps
