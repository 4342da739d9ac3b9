"""Every pair of state and input, driven through the public methods alone: the table and the code are one."""

import math
from collections.abc import Callable
from itertools import product

import pytest
from heartline.session import TRANSITIONS, EndReason, Heartbeat, IllegalInput, Input, Session, State, Step
from heartline.timing import Timing

TIMING = Timing(interval=16.0, timeout=8.0)
OPENING_TIMEOUT = 4.0
LATE = 5.0
"""Seconds: past the late share of both timeouts."""


def reach(state: State) -> Session:
    """A session in that state, by the shortest way; the last thing that happened to it was at `clock_of(state)`."""
    session = Session(0.0, OPENING_TIMEOUT)
    if state is State.CLOSED:
        session.end(0.0)
    elif state is State.LISTENING:
        session.open(TIMING, 0.0, passive=True)
    elif state is not State.OPENING:
        session.open(TIMING, 0.0)
        while session.state is not state:
            session.tick(due(session))
    return session


def clock_of(state: State) -> float:
    return {State.PROBING: 16.0, State.DOUBTING: 22.0}.get(state, 0.0)


def due(session: Session) -> float:
    deadline = session.deadline()
    return math.inf if deadline is None else deadline


ACTIONS: dict[Input, Callable[[Session, float], object]] = {
    Input.OPENED: lambda session, now: session.open(TIMING, now),
    Input.OPENED_PASSIVE: lambda session, now: session.open(TIMING, now, passive=True),
    Input.HEARD: lambda session, now: session.receive(None, now),
    Input.HALF_CLOSED: lambda session, now: session.half_close(now),
    Input.DUE: lambda session, now: session.tick(due(session)),
    Input.DUE_LATE: lambda session, now: session.tick(due(session) + LATE),
    Input.EVENTS_LOST: lambda session, now: session.receive(Heartbeat(1, events_sent=1), now),
    Input.ENDED: lambda session, now: session.end(now),
}
DEADLINES: dict[Step, Callable[[float, float], float | None]] = {
    Step.AWAIT_OPENING: lambda now, was_due: now + OPENING_TIMEOUT,
    Step.AWAIT_SILENCE: lambda now, was_due: now + TIMING.interval,
    Step.BEAT_FROM_DUE: lambda now, was_due: was_due + 0.75 * TIMING.timeout,
    Step.BEAT_FROM_NOW: lambda now, was_due: now + 0.75 * TIMING.timeout,
    Step.AWAIT_REST: lambda now, was_due: was_due + 0.25 * TIMING.timeout,
    Step.LISTEN: lambda now, was_due: None,
    Step.STOP: lambda now, was_due: None,
}
BEATS = {Step.BEAT_FROM_DUE, Step.BEAT_FROM_NOW}
PAIRS = list(product(State, Input))
TIME = {Input.DUE, Input.DUE_LATE}


def named(pair: tuple[State, Input]) -> str:
    return f"{pair[0].name}-{pair[1].name}"


def snapshot(session: Session) -> dict[str, object]:
    return {name: getattr(session, name) for name in Session.__slots__}


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair in TRANSITIONS], ids=named)
def test_a_pair_in_the_table_gives_its_state_and_does_its_step(pair: tuple[State, Input]) -> None:
    state, what = pair
    session = reach(state)
    was_due, now = due(session), clock_of(state) + 1.0
    if what in TIME:
        now = was_due + (LATE if what is Input.DUE_LATE else 0.0)
    next_state, step = TRANSITIONS[pair]

    outcome = ACTIONS[what](session, now)

    assert session.state is next_state
    assert session.deadline() == DEADLINES[step](now, was_due)
    assert isinstance(outcome, Heartbeat) == (step in BEATS)
    assert (session.end_reason is None) == (next_state is not State.CLOSED)


@pytest.mark.parametrize("pair", [p for p in PAIRS if p not in TRANSITIONS and p[1] not in TIME], ids=named)
def test_a_pair_that_is_not_in_the_table_raises_and_changes_nothing(pair: tuple[State, Input]) -> None:
    session = reach(pair[0])
    before = snapshot(session)
    with pytest.raises(IllegalInput, match=pair[0].name):
        ACTIONS[pair[1]](session, clock_of(pair[0]) + 1.0)
    assert snapshot(session) == before


@pytest.mark.parametrize("pair", [p for p in PAIRS if p not in TRANSITIONS and p[1] in TIME], ids=named)
def test_where_the_table_knows_no_deadline_there_is_none_and_a_tick_does_nothing(pair: tuple[State, Input]) -> None:
    session = reach(pair[0])
    before = snapshot(session)
    assert session.deadline() is None
    assert session.tick(1e9) is None
    assert snapshot(session) == before


@pytest.mark.parametrize("state", [state for state in State if state not in (State.LISTENING, State.CLOSED)])
def test_a_tick_that_comes_early_does_nothing(state: State) -> None:
    session = reach(state)
    before = snapshot(session)
    assert session.tick(due(session) - 0.001) is None
    assert snapshot(session) == before


def test_every_state_every_input_and_every_step_is_used() -> None:
    assert {state for state, _ in TRANSITIONS.values()} == set(State)
    assert {what for _, what in TRANSITIONS} == set(Input)
    assert {step for _, step in TRANSITIONS.values()} == set(Step)


@pytest.mark.parametrize(
    ("state", "what", "reason"),
    [
        (State.OPENING, Input.DUE, EndReason.OPENING_TIMEOUT),
        (State.DOUBTING, Input.DUE, EndReason.HEARTBEAT_TIMEOUT),
        (State.OPENING, Input.ENDED, EndReason.ENDED),
        (State.PROBING, Input.ENDED, EndReason.ENDED),
        (State.OPEN, Input.EVENTS_LOST, EndReason.EVENTS_LOST),
        (State.LISTENING, Input.EVENTS_LOST, EndReason.EVENTS_LOST),
    ],
)
def test_a_session_that_is_over_says_why(state: State, what: Input, reason: EndReason) -> None:
    session = reach(state)
    ACTIONS[what](session, clock_of(state) + 1.0)
    assert session.end_reason is reason
