"""The choice between the stream and polling, as a table in virtual time: no time is needed at all."""

import pytest
from heartline.choice import MAX_FAILURES, PROBE_FIRST, PROBE_MAX, TRANSITIONS, Choice, Happened, State
from hypothesis import given
from hypothesis import strategies as st


def after(*happened: Happened) -> Choice:
    """A choice to which this happened."""
    choice = Choice()
    for what in happened:
        choice.note(what)
    return choice


def test_a_welcome_makes_the_stream_carry_the_line() -> None:
    assert after(Happened.WELCOMED).state is State.STREAMING


@pytest.mark.parametrize("what", [Happened.REFUSED, Happened.SWALLOWED])
def test_a_stream_that_is_refused_or_swallowed_falls_back_at_once(what: Happened) -> None:
    assert after(what).state is State.POLLING


def test_a_stream_that_cannot_be_opened_falls_back_at_the_third_time() -> None:
    choice = Choice()
    states = [choice.note(Happened.FAILED) for _ in range(MAX_FAILURES)]
    assert states == [State.TRYING, State.TRYING, State.POLLING]


def test_a_stream_that_is_cut_young_falls_back_at_the_third_time() -> None:
    choice = Choice()
    for _ in range(MAX_FAILURES - 1):
        choice.note(Happened.WELCOMED)
        assert choice.note(Happened.FAILED) is State.TRYING
    choice.note(Happened.WELCOMED)
    assert choice.note(Happened.FAILED) is State.POLLING


def test_a_stream_that_was_held_wipes_out_what_happened_before() -> None:
    choice = after(Happened.FAILED, Happened.FAILED, Happened.WELCOMED, Happened.LEFT)
    assert choice.note(Happened.FAILED) is State.TRYING


def test_a_stream_that_comes_back_and_is_cut_young_again_falls_back_at_once() -> None:
    fallen = [Happened.FAILED] * MAX_FAILURES
    choice = after(*fallen, Happened.PROBE_DUE, Happened.WELCOMED)
    assert choice.state is State.STREAMING
    assert choice.note(Happened.FAILED) is State.POLLING


def test_the_distance_between_tries_doubles_from_5_s_to_60_s() -> None:
    choice = after(Happened.REFUSED)
    distances = []
    for _ in range(6):
        distances.append(choice.probe_after)
        choice.note(Happened.PROBE_DUE)
        choice.note(Happened.REFUSED)
    assert distances == [PROBE_FIRST, 10, 20, 40, PROBE_MAX, PROBE_MAX]


def test_a_held_stream_brings_the_distance_back_to_its_first() -> None:
    choice = after(Happened.REFUSED, Happened.PROBE_DUE, Happened.REFUSED, Happened.PROBE_DUE, Happened.WELCOMED)
    assert choice.probe_after == 2 * PROBE_FIRST
    choice.note(Happened.LEFT)
    assert choice.probe_after == PROBE_FIRST


@pytest.mark.parametrize("probing", [[], [Happened.PROBE_DUE]])
def test_when_polling_fails_too_the_stream_is_tried(probing: list[Happened]) -> None:
    choice = after(Happened.REFUSED, *probing, Happened.UNREACHED)
    assert choice.state is State.TRYING
    assert choice.note(Happened.FAILED) is State.TRYING


def test_a_server_that_says_not_now_changes_nothing() -> None:
    assert after(Happened.LEFT).state is State.TRYING
    assert after(Happened.REFUSED, Happened.PROBE_DUE, Happened.LEFT).state is State.POLLING


@given(st.lists(st.sampled_from([what for what in Happened if what is not Happened.FAILED_AGAIN])))
def test_what_cannot_happen_raises_and_changes_nothing(happened: list[Happened]) -> None:
    choice = Choice()
    for what in happened:
        before = (choice.state, choice.probe_after)
        if (choice.state, what) in TRANSITIONS:
            choice.note(what)
            assert PROBE_FIRST <= choice.probe_after <= PROBE_MAX
        else:
            with pytest.raises(KeyError):
                choice.note(what)
            assert (choice.state, choice.probe_after) == before
