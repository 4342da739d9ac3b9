"""What the page of a contrast says in words and tables."""

from dataclasses import replace

import pytest
from heartline_lab.contrast.results import Choice, Workload
from heartline_lab.contrast.sheet import Cell, choices, groups, headline, spread
from heartline_lab.drawing.units import number, size, span
from lab.contrast_example import contrast, mode


def row(label: str, **changes: object) -> tuple[Cell, ...]:
    """The cells of one row of the table."""
    return next(row.cells for group in groups(contrast(**changes)) for row in group.rows if row.label == label)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 µs"), (0.00085, "850 µs"), (0.0019, "1.9 ms"), (0.9996, "1 s"), (12.44, "12.4 s"), (3600, "3,600 s")],
)
def test_lengths_of_time_keep_three_digits_and_a_short_unit(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(90, "90 B"), (9000, "9 kB"), (1_254_000, "1.25 MB"), (3e9, "3 GB")])
def test_sizes_keep_three_digits_and_a_short_unit(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("value", "text"), [(1234567, "1,234,567"), (22.44, "22.4"), (0.00551, "0.00551")])
def test_numbers_keep_what_counts(value: float, text: str) -> None:
    assert number(value) == text


def test_the_headline_is_the_contrast_in_one_sentence() -> None:
    assert headline(contrast()) == (
        "With 10 clients and 5 events a second, a stream brings an event in 2 ms; polling over a kept connection every "
        "200 ms takes 100 ms, 4 times the server CPU and about the same bytes."
    )


def test_the_headline_tells_when_pushing_is_the_dearer_way() -> None:
    modes = (mode("short", server_cpu_us_per_event=50.0, bytes_up=0), mode("long-poll"))
    sentence = headline(contrast(modes=modes, workload=Workload(1, 1, 3, 100, 0.2, 3)))
    assert sentence.startswith("With 1 client and 1 event a second, a long poll brings an event in 3 ms; ")
    assert sentence.endswith("takes 110 ms, 8% of the server CPU and 25% of the bytes.")


def test_the_headline_leaves_out_a_cost_too_small_to_measure() -> None:
    modes = (mode("kept", bytes_up=120_000), mode("stream", server_cpu_us_per_event=-0.2))
    assert headline(contrast(modes=modes)).endswith("every 200 ms takes 100 ms, 4 times the bytes.")


def test_the_headline_compares_nothing_that_delivered_nothing() -> None:
    assert headline(contrast(modes=(mode("kept"), mode("stream", delivered=0)))) == (
        "With 10 clients and 5 events a second, polling over a kept connection every 200 ms brings an event in 100 ms."
    )


def test_a_figure_stands_with_its_spread_and_its_share_of_the_row() -> None:
    assert row("Median")[1] == Cell("100 ms", "90–110 ms", 100 / 110, bad=False)  # noqa: RUF001


def test_a_figure_that_never_varied_has_no_spread() -> None:
    assert row("Calls made")[0].spread == ""


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.001, 0.002, "1–2 ms"), (0.0005, 0.002, "500 µs – 2 ms"), (0.002, 0.002001, "")],  # noqa: RUF001
)
def test_a_spread_has_its_unit_once_where_it_is_the_same(low: float, high: float, text: str) -> None:
    assert spread(low, high, span) == text


def test_a_cost_that_came_out_below_nothing_has_no_bar() -> None:
    modes = (mode("kept"), mode("stream", server_cpu_us_per_event=-0.2))
    assert [cell.share for cell in row("Server CPU for a delivered event", modes=modes)] == [1, 0]


def test_losses_are_marked() -> None:
    modes = (mode("short", delivered=148, lost=2), mode("stream"))
    assert [cell.bad for cell in row("Lost", modes=modes)] == [True, False]
    assert [cell.bad for cell in row("Delivered, of 150", modes=modes)] == [True, False]


def test_a_choice_that_is_too_old_is_marked_and_says_so() -> None:
    assert [(cell.spread, cell.bad) for cell in choices(contrast().advice)[1].cells] == [
        ("too old", True),
        ("", False),
        ("", False),
        ("", False),
    ]


def test_no_interval_that_is_short_enough_is_told() -> None:
    late = Choice("kept", None, False, 0.5, 0.1, 9000.0, 10.0)
    assert choices(replace(contrast().advice, choices=(late,)))[0].cells == (
        Cell("no interval will do", "", None, True),
    )
