"""Ladder diagrams as text: what they look like, and that they keep to their width whatever they show."""

import os
from contextlib import suppress

import pytest
from heartline_lab.drawing.ladder import Ladder, Step, as_text
from heartline_lab.drawing.ladder.steps import KINDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXCHANGE = Ladder(
    "One exchange, and a cable",
    ("client", "server"),
    (
        Step(0, "client", "server", "SYN", "opens a connection", kind="control"),
        Step(0.00004, "server", "client", "SYN, ACK", kind="control"),
        Step(0.0002, "server", "server", "handler"),
        Step(0.0003, "client", "server", "heartbeat", kind="heartbeat"),
        Step(5, "client", "client", "cable pulled", kind="fault"),
        Step(5.001, "server", "client", "FIN", lost=True),
    ),
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
BOUNDED = settings(
    max_examples=100,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],  # it measures the machine, which may be busy
)
CROSS = "\N{BOX DRAWINGS LIGHT DIAGONAL CROSS}"
LANES = ("client", "a middlebox with a long name", "server")


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Any ladder, with any text in it."""
    lanes = LANES[: draw(st.integers(2, 3))]
    step = st.builds(
        Step,
        at=st.floats(0, 1e5),
        source=st.sampled_from(lanes),
        target=st.sampled_from(lanes),
        label=WORDS,
        note=WORDS,
        lost=st.booleans(),
        kind=st.sampled_from(KINDS),
    )
    return Ladder(draw(WORDS), lanes, tuple(draw(st.lists(step, max_size=5))))


def test_a_ladder_reads_downwards_with_times_labels_and_notes() -> None:
    assert as_text(EXCHANGE, 60).splitlines() == [
        "One exchange, and a cable",
        "",
        "     ms  client           server",
        "            │                │",
        "   0.00     ├───── SYN ─────▶│  opens a connection",
        "   0.04     │◀── SYN, ACK ───┤",
        "   0.20     │        handler ●",
        "   0.30     ├╌╌ heartbeat ╌╌▶│",
        "            ┊                ┊",
        "5000.00     ● cable pulled   │",
        f"5001.00     │    {CROSS}─── FIN ───┤",
        "            │                │",
    ]


def test_what_does_not_fit_on_its_arrow_stands_above_it_in_several_lines() -> None:
    ladder = Ladder("", ("a", "b"), (Step(0, "a", "b", "a label of many words", "and its own note"),))
    assert as_text(ladder, 28).splitlines()[3:] == [
        " 0  │   a    │  and its own",
        "    │ label  │  note",
        "    │   of   │",
        "    │  many  │",
        "    │ words  │",
        "    ├───────▶│",
        "    │        │",
    ]


def test_an_arrow_crosses_the_lanes_between_its_ends() -> None:
    ladder = Ladder("", ("a", "b", "c"), (Step(0, "c", "a", ""),))
    assert as_text(ladder).splitlines()[3] == " 0  │◀──────┼───────┤"


@BOUNDED
@given(ladders(), st.integers(1, 120))
def test_no_line_is_longer_than_the_width(ladder: Ladder, width: int) -> None:
    with suppress(ValueError):
        assert max(map(len, as_text(ladder, width).split("\n"))) <= width


@BOUNDED
@given(ladders())
def test_every_ladder_of_three_lanes_fits_a_terminal_and_shows_only_what_prints(ladder: Ladder) -> None:
    assert as_text(ladder, 80).replace("\n", "").isprintable()


def test_a_width_that_cannot_be_is_told_with_the_least_that_can() -> None:
    with pytest.raises(ValueError, match=r"^20 columns are too narrow for this ladder: it needs 35$"):
        as_text(EXCHANGE, 20)


def test_the_least_width_that_is_told_is_enough() -> None:
    assert max(map(len, as_text(EXCHANGE, 35).split("\n"))) <= 35


def test_times_have_as_many_decimals_as_tell_steps_apart() -> None:
    apart = {gap: Ladder("", ("a", "b"), (Step(0, "a", "b", ""), Step(gap, "b", "a", ""))) for gap in (2e-6, 0.02, 15)}
    assert {gap: ladder.times() for gap, ladder in apart.items()} == {
        2e-6: ["0.000", "0.002"],
        0.02: ["0", "20"],
        15: ["0", "15000"],
    }


@pytest.mark.parametrize(
    ("lanes", "step"),
    [
        (("a",), Step(0, "a", "a", "")),
        (("a", "a"), Step(0, "a", "a", "")),
        (("a", "b"), Step(0, "a", "c", "")),
        (("a", "b"), Step(0, "a", "b", "", kind="colourful")),
    ],
)
def test_a_ladder_with_missing_lanes_or_unknown_kinds_is_refused(lanes: tuple[str, ...], step: Step) -> None:
    with pytest.raises(ValueError, match=r"two lanes|not between|none of"):
        Ladder("", lanes, (step,))
