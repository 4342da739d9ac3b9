"""One machine alone: what it does when, to the instant."""

from itertools import cycle

import pytest
from heartline.session import LATE_SHARE, EndReason, Heartbeat, HeartbeatAck, Session, State
from heartline.timing import EARLIEST_BEAT, Timing


def opened(timing: Timing | None = None, *, passive: bool = False) -> Session:
    session = Session(0.0, 10.0)
    session.open(timing or Timing(15.0, 10.0), 0.0, passive=passive)
    return session


class TestOpening:
    def test_a_session_that_nobody_opens_is_over_when_the_opening_timeout_is(self) -> None:
        session = Session(100.0, 5.0)
        assert session.deadline() == 105.0
        assert session.tick(105.0) is None
        assert session.end_reason is EndReason.OPENING_TIMEOUT

    def test_an_opening_in_time_starts_the_first_interval(self) -> None:
        session = Session(100.0, 5.0)
        session.open(Timing(15.0, 10.0), 104.9)
        assert session.deadline() == pytest.approx(119.9)

    def test_a_late_tick_while_opening_grants_the_whole_opening_timeout_again(self) -> None:
        session = Session(0.0, 5.0)
        assert session.tick(60.0) is None
        assert session.state is State.OPENING
        assert session.deadline() == 65.0

    @pytest.mark.parametrize(("delay", "state"), [(1.25, State.CLOSED), (1.26, State.OPENING)])
    def test_a_tick_while_opening_is_late_from_a_quarter_of_the_opening_timeout_on(
        self, delay: float, state: State
    ) -> None:
        session = Session(0.0, 5.0)
        session.tick(5.0 + delay)
        assert session.state is state

    def test_the_settings_of_the_welcome_are_in_force(self) -> None:
        session = opened(Timing(1.0, 0.5))
        assert session.deadline() == 1.0
        session.tick(1.0)
        session.tick(1.375)
        assert session.deadline() == 1.5


class TestSilence:
    def test_the_first_beat_comes_after_one_interval_of_silence(self) -> None:
        assert opened().tick(15.0) == Heartbeat(sequence=1, events_sent=0)

    def test_any_frame_puts_the_beat_off(self) -> None:
        session = opened()
        session.receive(None, 14.0)
        assert session.tick(15.0) is None
        assert session.deadline() == 29.0

    def test_beats_are_numbered_from_one(self) -> None:
        session = opened()
        sequences = []
        for _ in range(3):
            beat = session.tick(session.deadline() or 0.0)
            assert beat is not None
            sequences.append(beat.sequence)
            session.receive(HeartbeatAck(beat.sequence, 0), session.heard_at + 15.0)
        assert sequences == [1, 2, 3]

    def test_a_peer_that_stays_silent_is_dead_after_interval_and_timeout(self) -> None:
        session = opened()
        session.tick(15.0)
        session.tick(22.5)
        assert session.deadline() == 25.0
        session.tick(25.0)
        assert session.end_reason is EndReason.HEARTBEAT_TIMEOUT

    def test_times_run_from_the_due_instant_so_small_delays_do_not_add_up(self) -> None:
        session = opened()
        assert session.tick(15.0 + 2.4) is not None
        session.tick(22.5 + 2.4)
        assert session.deadline() == 25.0

    @pytest.mark.parametrize("heard_at", [15.001, 22.499, 22.6, 24.999])
    def test_a_frame_within_the_timeout_saves_the_peer(self, heard_at: float) -> None:
        session = opened()
        for due in (15.0, 22.5):
            if due < heard_at:
                session.tick(due)
        session.receive(None, heard_at)
        assert session.state is State.OPEN
        assert session.deadline() == heard_at + 15.0

    def test_a_frame_that_is_read_before_the_verdict_saves_the_peer_even_past_the_deadline(self) -> None:
        session = opened()
        session.tick(15.0)
        session.tick(22.5)
        session.receive(None, 25.5)
        assert session.tick(25.5) is None
        assert session.state is State.OPEN

    def test_a_beat_carries_the_count_of_events_sent(self) -> None:
        session = opened()
        session.events_sent = 42
        assert session.tick(15.0) == Heartbeat(1, events_sent=42)


class TestLateTicks:
    def test_a_late_tick_in_open_sends_a_beat_and_grants_a_full_timeout(self) -> None:
        session = opened()
        assert session.tick(3600.0) == Heartbeat(1, 0)
        session.tick(3607.5)
        assert session.deadline() == 3610.0
        assert session.end_reason is None

    def test_a_late_tick_in_probing_sends_another_beat_and_grants_a_full_timeout(self) -> None:
        session = opened()
        session.tick(15.0)
        assert session.tick(3600.0) == Heartbeat(2, 0)
        session.tick(3607.5)
        assert session.deadline() == 3610.0

    def test_a_late_tick_in_doubt_sends_another_beat_and_grants_a_full_timeout(self) -> None:
        session = opened()
        session.tick(15.0)
        session.tick(22.5)
        assert session.tick(3600.0) == Heartbeat(2, 0)
        assert session.state is State.PROBING
        session.tick(3607.5)
        assert session.deadline() == 3610.0

    def test_a_peer_that_is_silent_after_a_late_tick_is_given_up_all_the_same(self) -> None:
        session = opened()
        for due in (3600.0, 3607.5, 3610.0):
            session.tick(due)
        assert session.end_reason is EndReason.HEARTBEAT_TIMEOUT

    @pytest.mark.parametrize(("delay", "next_due"), [(2.5, 22.5), (2.501, 15.0 + 2.501 + 7.5)])
    def test_a_tick_is_late_from_a_quarter_of_the_timeout_on(self, delay: float, next_due: float) -> None:
        assert LATE_SHARE == 0.25
        session = opened()
        session.tick(15.0 + delay)
        assert session.deadline() == pytest.approx(next_due)

    def test_a_hold_up_that_ends_just_after_the_timeout_is_noticed(self) -> None:
        session = opened()
        session.tick(15.0)
        assert session.tick(25.1) is not None, "held up from the beat until past the verdict: it may not judge"
        assert session.state is State.PROBING


class TestListening:
    def test_a_passive_session_has_no_deadline_whatever_it_hears(self) -> None:
        session = opened(passive=True)
        assert session.deadline() is None
        session.receive(None, 1.0)
        assert session.deadline() is None
        assert session.tick(1e6) is None

    def test_a_passive_peer_that_asks_is_answered(self) -> None:
        assert opened(passive=True).receive(Heartbeat(1, 0), 1.0) == HeartbeatAck(1, 0)

    @pytest.mark.parametrize("ticks", [(), (15.0,), (15.0, 22.5)])
    def test_a_half_closed_session_has_no_deadline_any_more(self, ticks: tuple[float, ...]) -> None:
        session = opened()
        for now in ticks:
            session.tick(now)
        session.half_close(23.0)
        assert session.deadline() is None
        session.receive(None, 24.0)
        assert session.deadline() is None
        assert session.state is State.LISTENING

    def test_a_half_closed_session_ends_as_any_other(self) -> None:
        session = opened()
        session.half_close(1.0)
        session.end(2.0)
        assert session.end_reason is EndReason.ENDED


class TestJitter:
    def test_the_beat_comes_earlier_by_the_jitter(self) -> None:
        session = Session(0.0, 10.0, lambda: EARLIEST_BEAT)
        session.open(Timing(15.0, 10.0), 0.0)
        assert session.deadline() == 12.0

    def test_it_is_drawn_anew_for_each_beat_and_not_for_each_frame(self) -> None:
        shares = cycle([0.8, 0.9, 0.85])
        session = Session(0.0, 10.0, lambda: next(shares))
        session.open(Timing(10.0, 10.0), 0.0)
        session.receive(None, 5.0)
        session.receive(None, 6.0)
        assert session.deadline() == 14.0
        session.tick(14.0)
        session.receive(HeartbeatAck(1, 0), 15.0)
        assert session.deadline() == 24.0

    def test_it_does_not_touch_the_timeout(self) -> None:
        session = Session(0.0, 10.0, lambda: 0.8)
        session.open(Timing(15.0, 10.0), 0.0)
        session.tick(12.0)
        session.tick(19.5)
        assert session.deadline() == 22.0
