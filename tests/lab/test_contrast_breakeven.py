"""Where pushing and asking cost the same."""

import pytest
from heartline_lab.contrast.breakeven import break_evens, crossing
from heartline_lab.contrast.results import BreakEven, Percentiles, Sweep, SweepPoint

RATES = (1.0, 10.0, 100.0)


def sweep(stream: tuple[float, ...], kept: tuple[float, ...]) -> Sweep:
    """A sweep over RATES with these costs, in CPU as in bytes."""
    costs = {"stream": stream, "kept": kept}
    return Sweep(
        "rate",
        tuple(
            SweepPoint(mode, rate, Percentiles(1, 2, 3), cost, cost, 1.0, 0.0, 0, 0)
            for mode, found in costs.items()
            for rate, cost in zip(RATES, found, strict=True)
        ),
    )


def server_cpu(found: Sweep) -> BreakEven:
    """What was found of the server's CPU."""
    return next(each for each in break_evens(found) if each.measure == "server_cpu")


def test_lines_that_are_straight_in_logarithms_cross_where_they_should() -> None:
    assert crossing(RATES, (1.0, 10.0, 100.0), (30.0, 30.0, 30.0)) == pytest.approx(30.0)


def test_a_crossing_lies_between_the_two_measurements_around_it() -> None:
    assert 10 < (crossing(RATES, (1.0, 5.0, 80.0), (9.0, 9.0, 11.0)) or 0) < 100


def test_equal_costs_at_a_measurement_are_the_crossing() -> None:
    assert crossing(RATES, (1.0, 5.0, 10.0), (2.0, 5.0, 6.0)) == 10.0


def test_lines_that_never_meet_have_no_crossing() -> None:
    assert crossing(RATES, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)) is None


def test_a_cost_that_noise_made_negative_breaks_nothing() -> None:
    assert 1 < (crossing(RATES, (-3.0, 10.0, 20.0), (5.0, 5.0, 5.0)) or 0) < 10


def test_it_says_below_which_rate_pushing_is_cheaper() -> None:
    found = server_cpu(sweep(stream=(1.0, 10.0, 100.0), kept=(30.0, 30.0, 30.0)))
    assert found.rate == pytest.approx(30.0)
    assert found.text == "Pushing takes less server CPU than kept below about 30 events a second, more above."


def test_it_says_so_when_pushing_is_the_dearer_one_below() -> None:
    found = server_cpu(sweep(stream=(30.0, 30.0, 30.0), kept=(1.0, 10.0, 100.0)))
    assert found.text == "Pushing takes more server CPU than kept below about 30 events a second, less above."


def test_where_lines_do_not_cross_nothing_is_guessed() -> None:
    found = server_cpu(sweep(stream=(1.0, 2.0, 3.0), kept=(4.0, 5.0, 6.0)))
    assert found.rate is None
    assert (
        found.text == "Pushing takes less server CPU than kept at every rate measured, from 1 to 100 events a second."
    )


def test_each_other_mode_is_compared_in_cpu_and_in_bytes() -> None:
    found = break_evens(sweep(stream=(1.0, 2.0, 3.0), kept=(4.0, 5.0, 6.0)))
    assert [(each.mode, each.measure) for each in found] == [("kept", "server_cpu"), ("kept", "bytes")]
    assert [each.text.split(" than ")[0] for each in found] == [
        "Pushing takes less server CPU",
        "Pushing takes fewer bytes",
    ]
