"""The back-off: bounds that double, drawn with full jitter."""

import random
from collections import Counter
from itertools import pairwise

import pytest
from heartline.backoff import BASE, CAP, Backoff
from hypothesis import given
from hypothesis import strategies as st


@given(chance=st.floats(0, 1), failures=st.integers(0, 200))
def test_every_wait_lies_between_nothing_and_the_cap(chance: float, failures: int) -> None:
    backoff = Backoff(lambda: chance)
    for _ in range(failures):
        backoff.next()
    assert 0 <= backoff.next() <= min(CAP, BASE * 2**failures)


def test_the_bound_doubles_with_each_failure_up_to_the_cap() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.next() for _ in range(8)] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])


def test_after_a_success_the_bound_is_at_its_base_again() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(9):
        backoff.next()
    backoff.reset()
    assert backoff.next() == BASE


def test_a_server_that_asks_for_a_longer_wait_gets_it() -> None:
    assert Backoff(lambda: 0.5).next(at_least=42.0) == 42.0
    assert Backoff(lambda: 0.5).next(at_least=0.01) == 0.1


CLIENTS = 1000
PERIODS = [0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 22.6]
"""When clients that always drew the longest wait would try: in seconds after their server died."""


def knocks(seed: int) -> Counter[int]:
    """How many tries fall into each 0.1 s, while a thousand clients that were cut at once find no server."""
    chance, found = random.Random(seed), Counter[int]()
    for _ in range(CLIENTS):
        backoff, at = Backoff(chance.random), 0.0
        while (at := at + backoff.next()) < PERIODS[-1]:
            found[int(at * 10)] += 1
    return found


@pytest.mark.parametrize("seed", range(10))
def test_of_a_thousand_clients_of_a_dead_server_no_tenth_of_a_second_gets_more_than_twice_the_mean_of_its_period(
    seed: int,
) -> None:
    found = knocks(seed)
    for begin, end in pairwise(PERIODS):
        windows = [found[at] for at in range(round(begin * 10), round(end * 10))]
        assert max(windows) <= 2 * sum(windows) / len(windows)


@pytest.mark.parametrize("seed", range(10))
def test_no_wave_is_higher_than_the_first_and_they_end_at_a_fifth_of_the_clients_a_second(seed: int) -> None:
    found = knocks(seed)
    assert max(found, key=found.__getitem__) < PERIODS[1] * 10
    late = sum(found[at] for at in range(126, 226)) / 10
    assert late == pytest.approx(CLIENTS / 5, rel=0.1)
