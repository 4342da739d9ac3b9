"""How the returns of many clients are spread."""

import random
from bisect import bisect

import pytest
from heartline_service.spreading import spread
from hypothesis import given
from hypothesis import strategies as st

WINDOW = 0.1
"""Seconds."""


def most_in_a_window(instants: list[float]) -> int:
    """The fullest window, wherever it begins."""
    return max(bisect(instants, at + WINDOW) - number for number, at in enumerate(instants))


@pytest.mark.parametrize("seed", range(50))
def test_of_a_thousand_no_tenth_of_a_second_gets_more_than_its_share_and_two(seed: int) -> None:
    instants = spread(1000, 2.0, random.Random(seed).random)
    assert most_in_a_window(instants) <= 1000 * WINDOW / 2.0 + 2


@given(period=st.floats(0.001, 3600), chances=st.lists(st.floats(0, 1)))
def test_whatever_chance_says_everyone_has_a_place_of_its_own(period: float, chances: list[float]) -> None:
    count = len(chances)
    instants = spread(count, period, iter(chances).__next__)
    assert len(instants) == count
    for number, at in enumerate(instants):
        assert period * number / count <= at * (1 + 1e-9)
        assert at <= period * (number + 1) / count * (1 + 1e-9)


def test_chance_decides_within_a_place() -> None:
    assert spread(4, 8.0, lambda: 0.0) == [0.0, 2.0, 4.0, 6.0]
    assert spread(4, 8.0, lambda: 0.5) == [1.0, 3.0, 5.0, 7.0]
