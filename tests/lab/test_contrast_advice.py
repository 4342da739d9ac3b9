"""Which mode is advised for one's own numbers, from given costs, and what would change that."""

import pytest
from heartline_lab.contrast.advice import advise, pick, turning_point
from heartline_lab.contrast.costs import choices, costs_of, poll_interval
from heartline_lab.contrast.results import Advice, Choice
from lab.contrast_runs import RUN, costs


def advice(clients: int = 10, rate: float = 5.0, fresh_within: float = 1.0, **changes: float) -> Advice:
    """The advice, with these costs, for a Publish of 1 ms."""
    return advise(costs(**changes), 1000.0, clients, rate, fresh_within)


def choice(mode: str, **numbers: float) -> Choice:
    """What a mode would cost for ten clients."""
    asked = {"rate": 5.0, "fresh_within": 1.0} | numbers
    return next(each for each in choices(costs(), 10, **asked) if each.mode == mode)


def text(made: Advice) -> str:
    """All that it says."""
    return " ".join(made.text)


@pytest.mark.parametrize(
    ("fresh_within", "answer", "interval"),
    [(1.0, 0.005, 0.99), (0.1, 0.005, 0.095), (60.0, 0.005, 59.0), (0.02, 0.005, 0.015)],
)
def test_the_poll_interval_and_an_answer_fit_into_the_freshness(
    fresh_within: float, answer: float, interval: float
) -> None:
    assert poll_interval(fresh_within, answer) == pytest.approx(interval)


def test_no_poll_interval_will_do_where_a_call_takes_longer_than_its_turn() -> None:
    assert poll_interval(0.009, 0.005) is None


def test_a_polls_news_is_as_old_as_an_interval_and_an_answer() -> None:
    assert choice("kept").staleness_seconds == pytest.approx(0.995)


def test_polls_cost_calls_at_their_interval_and_the_events_that_they_bring() -> None:
    cpu_us, size = 800.0 / 0.99 + 5 * 2.0, 200.0 / 0.99 + 5 * 200.0
    assert choice("kept").server_cores == pytest.approx(10 * cpu_us / 1e6)
    assert choice("kept").bytes_per_second == pytest.approx(10 * size)


def test_a_kept_connection_is_used_often_enough_to_be_kept() -> None:
    assert choice("kept", fresh_within=600.0).poll_interval_seconds == 50.0
    assert choice("short", fresh_within=600.0).poll_interval_seconds == pytest.approx(590.0)


def test_a_long_poll_is_asked_anew_for_each_event() -> None:
    assert choice("long-poll", rate=5.0).calls_per_second == pytest.approx(10 / (0.001 + 0.2))


def test_a_long_poll_is_asked_anew_after_its_wait_where_nothing_happens() -> None:
    assert choice("long-poll", rate=0.001).calls_per_second == pytest.approx(10 / 30, rel=0.02)


def test_an_event_a_frame_is_what_a_stream_costs() -> None:
    assert choice("stream").server_cores == pytest.approx(10 * 5 * 200 / 1e6)


def test_a_stream_where_nothing_moves_costs_its_heartbeats() -> None:
    assert choice("stream", rate=1e-9).server_cores == pytest.approx(10 * 200 / 15 / 1e6)


def test_what_a_call_costs_is_what_a_run_cost_without_publishing_and_events_by_its_calls() -> None:
    made = costs_of("kept", [RUN], 1000.0, 2.0, 150.0)
    assert made.cpu_us_per_call == (100_000 - 10 * 1000 - 100 * 2) / 50
    assert made.bytes_per_call == (45_000 - 100 * 150) / 50


def test_what_a_pushed_event_costs_is_what_a_run_cost_without_publishing_by_its_events() -> None:
    made = costs_of("stream", [RUN], 1000.0, 2.0, 150.0)
    assert (made.cpu_us_per_call, made.cpu_us_per_event, made.bytes_per_event) == (0.0, 900.0, 450.0)


def test_the_cheapest_mode_that_is_fresh_enough_is_advised() -> None:
    assert (advice(rate=20.0).mode, advice(rate=20.0).poll_interval_seconds) == ("kept", 0.99)
    assert advice(rate=1.0).mode == "stream"


def test_a_mode_that_is_too_slow_is_not_advised_however_cheap() -> None:
    assert advice(rate=20.0, fresh_within=0.009).mode == "stream"


def test_the_fresher_is_advised_where_costs_are_the_same_within_a_tenth() -> None:
    even = 10 * 5 * 200 / 1e6
    options = (
        Choice("kept", 1.0, True, 1.0, even, 1.0, 1.0),
        Choice("stream", None, True, 0.008, even * 1.09, 1.0, 1.0),
    )
    assert pick(options).mode == "stream"
    assert pick((options[0], Choice("stream", None, True, 0.008, even * 1.11, 1.0, 1.0))).mode == "kept"


def test_where_no_mode_is_fresh_enough_the_freshest_is_named_and_said_to_be_too_slow() -> None:
    made = advice(fresh_within=0.001)
    assert made.mode == "stream"
    assert not any(each.fresh for each in made.choices)
    assert "no mode is fresh enough" in text(made)


def test_polls_over_new_connections_are_advised_where_news_may_be_minutes_old() -> None:
    assert advice(rate=0.1, fresh_within=600.0).mode == "short"


def test_the_number_of_clients_scales_the_cost_and_never_the_choice() -> None:
    few, many = advice(clients=10), advice(clients=10_000)
    assert few.mode == many.mode
    assert many.choices[0].server_cores == pytest.approx(1000 * few.choices[0].server_cores)


def test_it_says_what_to_take_what_it_costs_and_how_fresh_it_is() -> None:
    assert text(advice(rate=20.0)).startswith(
        "For 10 clients, 20 events a second, news at most 1 s old: take polls over a kept connection, every 990 ms. "
        "This costs the server 0.85% of a core and 42 kB a second; an event is at most 995 ms old when it arrives."
    )


def test_it_says_what_comes_second() -> None:
    assert "Second is polls over a new connection each, every 990 ms, with 1.8 x the server's CPU" in text(
        advice(rate=20.0)
    )


def test_it_says_at_which_rate_and_which_freshness_it_would_be_another() -> None:
    said = text(advice(rate=20.0))
    assert "It would be a stream below about 4." in said
    assert "where news must be fresher than about " in said


def test_it_does_not_play_two_ways_of_pushing_off_against_each_other_for_a_millisecond() -> None:
    assert "fresher than" not in text(advice(rate=1.0))


def test_it_says_what_publishing_costs_whatever_is_taken() -> None:
    assert "Publishing costs another 2% of a core, whichever it is." in text(advice(rate=20.0))


def test_it_says_when_one_server_cannot_do_it() -> None:
    assert "more than one server can do" in text(advice(clients=2000, rate=20.0))


def test_a_turning_point_is_the_first_place_where_the_answer_is_another() -> None:
    def mode_at(value: float) -> str:
        return "more" if value > 7 else "less"

    at, mode = turning_point(mode_at, 1.0, 1.05) or (0.0, "")
    assert (7 < at < 7.35, mode) == (True, "more")
    assert turning_point(mode_at, 1.0, 1 / 1.05) is None
