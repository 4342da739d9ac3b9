"""Thousands of fault schedules, drawn by Hypothesis: what holds in each of them.

Times are whole milliseconds. In CI the draws are fixed, so a run that passed passes again.
"""

import os
from dataclasses import dataclass
from functools import partial

from heartline.session import EndReason, Heartbeat, HeartbeatAck, State
from heartline.timing import EARLIEST_BEAT, Timing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session.pair import End, Pair

BOUNDED = settings(
    max_examples=150,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],  # it measures the machine, which may be busy
)
SPAN = 15
"""How many times interval + timeout a schedule lasts."""
EPSILON = 1e-6
"""Seconds: what sums of floats may be off by."""


@dataclass(frozen=True)
class Freeze:
    """One end does nothing for a while. Times are in shares of interval + timeout."""

    of_client: bool
    start: float
    length: float


@dataclass(frozen=True)
class Schedule:
    """What a line goes through."""

    timing: Timing
    round_trip_share: float
    uplink_share: float
    shares: tuple[float, ...]
    batches: tuple[tuple[bool, float], ...]

    @property
    def round_trip(self) -> float:
        """Seconds."""
        return self.round_trip_share * self.timing.timeout

    @property
    def patience(self) -> float:
        """Seconds: interval + timeout."""
        return self.timing.interval + self.timing.timeout

    @property
    def span(self) -> float:
        """Seconds."""
        return SPAN * self.patience

    def instant(self, share: float) -> float:
        """Seconds: that share of the span, counted from when both ends are open."""
        return self.round_trip + 0.001 + share * self.span

    def pair(self) -> Pair:
        """The line, with its data, before its faults."""
        draws = iter(range(10**9))
        pair = Pair(self.timing, opening_timeout=1e6, jitter=lambda: self.shares[next(draws) % len(self.shares)])
        pair.client.latency = self.round_trip * self.uplink_share
        pair.server.latency = self.round_trip * (1 - self.uplink_share)
        for from_client, share in self.batches:
            end = pair.client if from_client else pair.server
            pair.at(self.instant(share), end.send_events)
        return pair


def apply(freezes: list[Freeze], pair: Pair, schedule: Schedule) -> None:
    for freeze in freezes:
        end = pair.client if freeze.of_client else pair.server
        start = schedule.instant(freeze.start)
        until = start + freeze.length * schedule.patience
        pair.at(start, partial(end.freeze, until))


shares = st.floats(0.0, 1.0, allow_subnormal=False)
timings = st.builds(
    lambda milliseconds, ratio: Timing(milliseconds / 1000, milliseconds * ratio / 1000),
    st.integers(1000, 60_000),
    st.sampled_from([0.1, 0.3, 0.5, 0.67, 1, 2, 5, 10]),
)


def schedules(max_round_trip: float) -> st.SearchStrategy[Schedule]:
    """Lines whose round-trip is at most this share of the timeout."""
    return st.builds(
        Schedule,
        timing=timings,
        round_trip_share=st.floats(0.0, max_round_trip, allow_subnormal=False),
        uplink_share=shares,
        shares=st.lists(st.floats(EARLIEST_BEAT, 0.95), min_size=1, max_size=5).map(tuple),
        batches=st.lists(st.tuples(st.booleans(), shares), max_size=20).map(tuple),
    )


def freezes(of_client: st.SearchStrategy[bool], longest: float) -> st.SearchStrategy[list[Freeze]]:
    """Freezes of at most this share of interval + timeout."""
    return st.lists(st.builds(Freeze, of_client, shares, st.floats(0.0, longest, allow_subnormal=False)), max_size=8)


def ends(pair: Pair) -> tuple[End, End]:
    return pair.client, pair.server


@BOUNDED
@given(schedules(max_round_trip=0.99))
def test_a_live_peer_is_never_given_up_while_answers_come_within_the_timeout(schedule: Schedule) -> None:
    pair = schedule.pair()
    pair.run(schedule.span)
    for end in ends(pair):
        assert end.session.end_reason is None


@BOUNDED
@given(schedules(max_round_trip=0.5), st.booleans(), st.data())
def test_an_end_that_is_held_up_however_often_and_long_never_gives_up_a_peer_that_answers_within_half_the_timeout(
    schedule: Schedule, of_client: bool, data: st.DataObject
) -> None:
    pair = schedule.pair()
    apply(data.draw(freezes(st.just(of_client), longest=3.0)), pair, schedule)
    pair.run(schedule.span)
    held_up = pair.client if of_client else pair.server
    assert held_up.session.end_reason is not EndReason.HEARTBEAT_TIMEOUT


@BOUNDED
@given(schedules(max_round_trip=0.99), shares, freezes(st.booleans(), longest=2.0))
def test_a_dead_line_is_always_noticed_within_interval_and_timeout(
    schedule: Schedule, cut_share: float, held_up: list[Freeze]
) -> None:
    pair = schedule.pair()
    pair.at(schedule.instant(cut_share), pair.cut)
    apply(held_up, pair, schedule)
    pair.run(2 * schedule.span)
    for end in ends(pair):
        assert end.session.state is State.CLOSED
        awake_at = max(end.frozen_until, max(end.heard_at))
        assert end.verdict_at <= awake_at + schedule.patience + EPSILON or end.session.end_reason is EndReason.ENDED


@BOUNDED
@given(schedules(max_round_trip=0.99), shares, st.booleans())
def test_a_line_that_dies_one_way_ends_for_both_as_soon_as_the_deaf_end_is_due(
    schedule: Schedule, cut_share: float, client_is_deaf: bool
) -> None:
    pair = schedule.pair()
    deaf = pair.client if client_is_deaf else pair.server
    cut_at = schedule.instant(cut_share)
    pair.at(cut_at, lambda: setattr(deaf.peer, "cut_at", cut_at))
    pair.run(2 * schedule.span)
    assert deaf.session.end_reason is EndReason.HEARTBEAT_TIMEOUT
    assert deaf.verdict_at <= max(deaf.heard_at) + schedule.patience + EPSILON
    assert deaf.peer.session.state is State.CLOSED
    assert min(deaf.verdict_at, deaf.peer.verdict_at) >= cut_at


@BOUNDED
@given(schedules(max_round_trip=0.99), shares, freezes(st.booleans(), longest=2.0))
def test_a_verdict_is_never_early(schedule: Schedule, cut_share: float, held_up: list[Freeze]) -> None:
    pair = schedule.pair()
    pair.at(schedule.instant(cut_share), pair.cut)
    apply(held_up, pair, schedule)
    pair.run(2 * schedule.span)
    for end in ends(pair):
        if end.session.end_reason is EndReason.HEARTBEAT_TIMEOUT:
            silence = end.verdict_at - max(end.heard_at)
            assert silence >= EARLIEST_BEAT * schedule.timing.interval + schedule.timing.timeout - EPSILON


@BOUNDED
@given(schedules(max_round_trip=0.99), shares, st.data())
def test_a_batch_that_is_swallowed_always_shows_once_the_data_ends(
    schedule: Schedule, lost_share: float, data: st.DataObject
) -> None:
    pair = schedule.pair()
    end = data.draw(st.sampled_from(ends(pair)))
    lost_at = schedule.instant(lost_share)
    pair.at(lost_at, lambda: end.send_events(lose=True))
    pair.run(2 * schedule.span)
    assert end.peer.session.end_reason is EndReason.EVENTS_LOST
    quiet_at = max([lost_at, *(schedule.instant(share) for _, share in schedule.batches)]) + schedule.round_trip
    assert end.peer.verdict_at <= quiet_at + schedule.patience + EPSILON


@BOUNDED
@given(schedules(max_round_trip=0.99), freezes(st.booleans(), longest=0.2))
def test_a_heartbeat_is_answered_once_and_beats_are_never_closer_than_the_rule_says(
    schedule: Schedule, held_up: list[Freeze]
) -> None:
    pair = schedule.pair()
    apply(held_up, pair, schedule)
    pair.run(schedule.span)
    for end in ends(pair):
        answers = [sent.frame for sent in pair.frames(HeartbeatAck, end.peer)]
        questions = [sent.frame for sent in pair.frames(Heartbeat, end)]
        answered = [frame.sequence for frame in answers if isinstance(frame, HeartbeatAck)]
        assert answered == list(range(1, len(answered) + 1))
        assert len(answered) <= len(questions)
        earliest = EARLIEST_BEAT * schedule.timing.interval
        assert len(questions) <= schedule.span / min(earliest, schedule.timing.timeout) + len(held_up) + 1


@BOUNDED
@given(schedules(max_round_trip=0.99), freezes(st.booleans(), longest=0.5))
def test_one_schedule_gives_one_trace(schedule: Schedule, held_up: list[Freeze]) -> None:
    traces = []
    for _ in range(2):
        pair = schedule.pair()
        apply(held_up, pair, schedule)
        pair.run(schedule.span)
        traces.append([(sent.at, sent.by.name, sent.frame) for sent in pair.sent])
    assert traces[0] == traces[1]
