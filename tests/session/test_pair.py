"""Both ends at once, joined by a fake link in virtual time."""

from functools import partial
from itertools import cycle

import pytest
from heartline.session import EndReason, Heartbeat, HeartbeatAck, State
from heartline.timing import Timing
from session.pair import End, Events, Pair

INTERVAL, TIMEOUT = 15.0, 10.0
HOUR = 3600.0


def opened(*, latency: float = 0.02, shares: tuple[float, ...] = (0.8, 0.95, 0.87)) -> Pair:
    """A pair whose two ends have just opened."""
    draws = cycle(shares)
    pair = Pair(Timing(INTERVAL, TIMEOUT), latency=latency, jitter=lambda: next(draws))
    pair.run(2 * latency)
    return pair


def send_each(pair: Pair, end: End, period: float, until: float) -> None:
    """One event each `period` seconds."""
    for number in range(1, int(until / period) + 1):
        pair.at(number * period, end.send_events)


def both_open(pair: Pair) -> bool:
    return all(end.session.end_reason is None and end.session.state is not State.OPENING for end in ends(pair))


def ends(pair: Pair) -> tuple[End, End]:
    return pair.client, pair.server


class TestIdle:
    def test_an_hour_of_heartbeats_keeps_both_ends_open(self) -> None:
        pair = opened()
        pair.run(HOUR)
        assert both_open(pair)
        assert HOUR / INTERVAL <= len(pair.frames(Heartbeat)) <= HOUR / (0.8 * INTERVAL)

    def test_the_clients_beats_pre_empt_the_servers(self) -> None:
        pair = opened()
        pair.run(HOUR)
        assert not pair.frames(Heartbeat, pair.server)

    def test_an_interval_costs_one_beat_and_one_answer_and_nothing_else(self) -> None:
        pair = opened()
        opening = len(pair.sent)
        pair.run(HOUR)
        beats, answers = pair.frames(Heartbeat), pair.frames(HeartbeatAck)
        assert [beat.frame for beat in beats] == [Heartbeat(n, 0) for n in range(1, len(beats) + 1)]
        assert [answer.frame for answer in answers] == [HeartbeatAck(n, 0) for n in range(1, len(beats) + 1)]
        assert len(pair.sent) == opening + len(beats) + len(answers)

    def test_when_both_beat_at_the_same_instant_each_answers_once_and_no_more(self) -> None:
        pair = opened(latency=1.0, shares=(1.0,))
        pair.run(30.0)
        assert len(pair.frames(Heartbeat, pair.client)) == len(pair.frames(HeartbeatAck, pair.server)) == 1
        assert len(pair.frames(Heartbeat, pair.server)) == len(pair.frames(HeartbeatAck, pair.client)) == 1

    def test_each_end_knows_the_round_trip(self) -> None:
        pair = opened(latency=1.0)
        pair.run(60.0)
        assert pair.client.session.round_trip == pytest.approx(2.0)

    def test_a_round_trip_just_below_the_timeout_is_enough(self) -> None:
        pair = opened(latency=TIMEOUT / 2 - 0.01)
        pair.run(HOUR)
        assert both_open(pair)


class TestData:
    def test_data_both_ways_costs_no_heartbeat(self) -> None:
        pair = opened()
        for end in ends(pair):
            send_each(pair, end, 10.0, HOUR)
        pair.run(HOUR)
        assert both_open(pair)
        assert not pair.frames(Heartbeat)

    def test_data_to_the_client_alone_costs_the_servers_question_and_its_answer_once_an_interval(self) -> None:
        pair = opened()
        send_each(pair, pair.server, 1.0, HOUR)
        pair.run(HOUR)
        assert not pair.frames(Heartbeat, pair.client), "the client hears data, so it has nothing to ask"
        assert len(pair.frames(Heartbeat, pair.server)) == pytest.approx(HOUR / INTERVAL, abs=2)
        assert len(pair.frames(HeartbeatAck)) == len(pair.frames(Heartbeat))

    def test_data_to_the_client_that_it_acknowledges_costs_no_heartbeat(self) -> None:
        pair = opened()
        send_each(pair, pair.server, 10.0, HOUR)
        for number in range(1, 360):
            pair.at(number * 10.0 + 1.0, lambda: pair.client.send(Events(0)))
        pair.run(HOUR)
        assert not pair.frames(Heartbeat)

    def test_counts_that_agree_end_nothing(self) -> None:
        pair = opened()
        send_each(pair, pair.server, 31.0, HOUR)
        pair.run(HOUR)
        assert both_open(pair)
        assert pair.client.session.events_received == pair.server.session.events_sent > 100

    def test_a_batch_that_was_swallowed_shows_within_one_interval(self) -> None:
        pair = opened()
        pair.at(100.0, lambda: pair.server.send_events(3, lose=True))
        pair.run(200.0)
        assert pair.client.session.end_reason is EndReason.EVENTS_LOST
        assert pair.client.verdict_at <= 100.0 + INTERVAL + 0.04

    def test_a_loss_shows_even_while_data_goes_on_one_way(self) -> None:
        pair = opened()
        send_each(pair, pair.server, 1.0, 200.0)
        pair.at(100.5, lambda: pair.server.send_events(3, lose=True))
        pair.run(200.0)
        assert pair.client.session.end_reason is EndReason.EVENTS_LOST
        assert pair.client.verdict_at <= 100.5 + INTERVAL + 0.04

    def test_while_data_goes_both_ways_nobody_counts_and_the_loss_shows_once_it_ends(self) -> None:
        pair = opened()
        for end in ends(pair):
            send_each(pair, end, 1.0, 200.0)
        pair.at(100.5, lambda: pair.server.send_events(3, lose=True))
        pair.run(200.5)
        assert both_open(pair)
        pair.run(300.0)
        assert pair.client.session.end_reason is EndReason.EVENTS_LOST
        assert pair.client.verdict_at <= 200.0 + INTERVAL + 0.06


class TestDeath:
    @pytest.mark.parametrize("cut_at", [0.04, 1.0, 13.0, 14.06, 20.0, 1000.0])
    def test_a_cut_line_is_noticed_by_both_ends_within_interval_and_timeout(self, cut_at: float) -> None:
        pair = opened()
        pair.at(cut_at, pair.cut)
        pair.run(cut_at + 60.0)
        for end in ends(pair):
            assert end.session.end_reason is EndReason.HEARTBEAT_TIMEOUT
            assert end.verdict_at <= max(end.heard_at) + INTERVAL + TIMEOUT

    def test_a_server_that_can_not_be_heard_is_given_up_and_told_so(self) -> None:
        pair = opened()
        pair.run(100.0)
        pair.server.cut_at = pair.now
        pair.run(200.0)
        assert pair.client.session.end_reason is EndReason.HEARTBEAT_TIMEOUT
        assert pair.client.verdict_at <= max(pair.client.heard_at) + INTERVAL + TIMEOUT
        assert pair.server.session.end_reason is EndReason.ENDED

    def test_a_client_that_can_not_be_heard_is_given_up_and_told_so(self) -> None:
        pair = opened()
        pair.run(100.0)
        pair.client.cut_at = pair.now
        pair.run(200.0)
        assert pair.server.session.end_reason is EndReason.HEARTBEAT_TIMEOUT
        assert pair.server.verdict_at <= max(pair.server.heard_at) + INTERVAL + TIMEOUT
        assert pair.client.session.end_reason is EndReason.ENDED

    def test_a_stopped_peer_is_given_up_within_interval_and_timeout(self) -> None:
        pair = opened()
        pair.run(100.0)
        pair.server.freeze(1000.0)
        pair.run(1100.0)
        assert pair.client.session.end_reason is EndReason.HEARTBEAT_TIMEOUT
        assert pair.client.verdict_at <= 100.0 + INTERVAL + TIMEOUT
        assert pair.server.session.end_reason is EndReason.ENDED, "it was told when it woke, and judged nobody"


class TestHoldUps:
    @pytest.mark.parametrize("length", [1.0, 7.4, 9.9, 10.0, 10.1, 12.4, 12.6, 20.0, 24.9])
    @pytest.mark.parametrize("since_beat", [-0.01, 0.01, 5.0])
    def test_an_end_that_was_held_up_judges_nobody_for_it(self, since_beat: float, length: float) -> None:
        pair = opened(latency=0.02)
        start = (pair.client.session.deadline() or 0.0) + since_beat
        pair.at(start, lambda: pair.client.freeze(start + length))
        pair.run(500.0)
        assert pair.client.session.end_reason is not EndReason.HEARTBEAT_TIMEOUT

    def test_a_short_hold_up_of_either_end_is_no_death(self) -> None:
        pair = opened()
        for start in range(20, 3000, 10):
            end = pair.client if start % 20 else pair.server
            pair.at(start, partial(end.freeze, start + 4.9))
        pair.run(HOUR)
        assert both_open(pair)

    def test_a_laptop_that_slept_for_less_than_its_server_waits_goes_on(self) -> None:
        pair = opened()
        pair.client.send_events()
        pair.client.freeze(pair.now + INTERVAL + TIMEOUT - 1.0)
        pair.run(200.0)
        assert both_open(pair)


class TestOpening:
    def test_a_server_that_never_answers_is_given_up_after_the_opening_timeout(self) -> None:
        pair = Pair(opening_timeout=5.0)
        pair.client.cut_at = 0.0
        pair.run(60.0)
        for end in ends(pair):
            assert end.session.end_reason is EndReason.OPENING_TIMEOUT
            assert end.verdict_at == 5.0

    def test_a_welcome_that_is_lost_ends_both(self) -> None:
        pair = Pair(opening_timeout=5.0)
        pair.server.cut_at = 0.0
        pair.run(60.0)
        assert pair.client.session.end_reason is EndReason.OPENING_TIMEOUT
        assert pair.server.session.end_reason is EndReason.ENDED


class TestPassive:
    def test_a_passive_pair_sends_nothing_for_an_hour_and_stays(self) -> None:
        pair = Pair()
        pair.client.passive = pair.server.passive = True
        pair.run(1.0)
        opening = len(pair.sent)
        pair.run(HOUR)
        assert len(pair.sent) == opening
        assert {end.session.state for end in ends(pair)} == {State.LISTENING}

    def test_after_the_client_half_closed_the_server_asks_no_more(self) -> None:
        pair = opened()
        pair.run(100.0)
        pair.server.session.half_close(pair.now)
        pair.client.session.half_close(pair.now)
        before = len(pair.frames(Heartbeat))
        pair.run(HOUR)
        assert len(pair.frames(Heartbeat)) == before
        assert pair.server.session.state is State.LISTENING
