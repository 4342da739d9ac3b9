"""The back-off: bounds that double, drawn with full jitter."""

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
