"""From what was seen in each repeat to the figures that are shown."""

from dataclasses import replace

import pytest
from heartline_lab.contrast.figures import Delivery, deliveries, evenly, percentiles, point, push_cost, summary
from heartline_lab.contrast.results import Percentiles
from lab.contrast_runs import RUN, SPAN


def test_a_percentile_is_a_sample_that_so_many_do_not_exceed() -> None:
    assert percentiles(range(1, 101)) == Percentiles(50, 95, 99)


def test_the_order_of_samples_does_not_matter() -> None:
    assert percentiles([3.0, 1.0, 2.0]) == Percentiles(2.0, 3.0, 3.0)


def test_one_sample_is_all_percentiles() -> None:
    assert percentiles([7.0]) == Percentiles(7.0, 7.0, 7.0)


def test_samples_for_a_plot_are_picked_evenly_from_the_first_to_the_last() -> None:
    assert evenly(range(101), 5) == (0, 25, 50, 75, 100)


def test_few_samples_are_all_kept() -> None:
    assert evenly([1, 2, 3], 5) == (1, 2, 3)


def test_every_client_that_handled_an_event_once_got_it() -> None:
    assert deliveries(range(3), [[0, 1, 2], [2, 0, 1]]) == Delivery(6, 0, 0)


def test_an_event_that_a_client_never_handled_is_lost() -> None:
    assert deliveries(range(3), [[0, 2], [0, 1, 2]]) == Delivery(5, 1, 0)


def test_each_further_time_that_a_client_handles_an_event_is_a_duplicate() -> None:
    assert deliveries(range(2), [[0, 1, 1, 1], [0, 1]]) == Delivery(4, 0, 2)


def test_a_duplicate_does_not_make_up_for_a_loss() -> None:
    assert deliveries(range(2), [[0, 0]]) == Delivery(1, 1, 1)


def test_an_event_that_nobody_published_counts_as_a_duplicate_only_from_its_second_time() -> None:
    assert deliveries(range(1), [[0, 9, 9]]) == Delivery(1, 0, 1)


def test_a_figure_is_the_median_of_the_repeats_with_the_lowest_and_the_highest() -> None:
    made = summary("kept", [replace(RUN, calls=calls) for calls in (52, 48, 50)], 0.0, [1.0])
    assert made.calls == 50
    assert made.spread["calls"] == (48, 52)


def test_of_two_repeats_the_lower_is_the_median_so_that_a_count_stays_one() -> None:
    assert summary("kept", [replace(RUN, calls=50), replace(RUN, calls=51)], 0.0, [1.0]).calls == 50


def test_a_loss_in_one_repeat_is_not_hidden_by_the_others() -> None:
    runs = [RUN, replace(RUN, delivery=Delivery(97, 3, 2)), RUN]
    made = summary("stream", runs, 0.0, [1.0])
    assert (made.delivered, made.lost, made.duplicated) == (97, 3, 2)
    assert made.spread["lost"] == (0, 3)


def test_latency_is_judged_repeat_by_repeat() -> None:
    made = summary("kept", [replace(RUN, latencies_ms=(each,)) for each in (1.0, 9.0, 2.0)], 0.0, [1.0])
    assert made.latency_ms.p99 == 2.0
    assert made.spread["latency_ms.p99"] == (1.0, 9.0)
    assert made.latency_samples_ms == (1.0, 2.0, 9.0)


def test_what_publishing_costs_is_taken_off_the_servers_cpu() -> None:
    assert push_cost(RUN, 1000.0) == 90_000.0
    assert summary("kept", [RUN], 1000.0, [1.0]).server_cpu_us_per_event == 900.0


def test_connections_opened_to_get_ready_count_and_their_bytes_stand_apart() -> None:
    made = summary("kept", [RUN], 0.0, [1.0])
    assert made.connections == 10
    assert (made.bytes_up, made.opening.bytes_up, made.opening.server_cpu_ms) == (15_000, 15_000, 8.0)


def test_every_client_that_vanished_is_a_sample() -> None:
    made = summary("kept", [RUN], 0.0, [1.2, 1.9, 1.5])
    assert made.online_after_vanishing_seconds == 1.5
    assert made.spread["online_after_vanishing_seconds"] == (1.2, 1.9)


def test_every_figure_has_its_spread() -> None:
    made = summary("kept", [RUN], 0.0, [1.0])
    apart = {"mode", "latency_ms", "opening", "spread", "latency_samples_ms", "traffic", "way"}
    percents = {f"latency_ms.{name}" for name in Percentiles.__slots__}
    assert made.spread.keys() == {*type(made).__slots__} - apart | percents


def test_a_repeat_in_which_nothing_arrived_has_no_figures() -> None:
    with pytest.raises(IndexError):
        summary("kept", [replace(RUN, latencies_ms=(), delivery=Delivery(0, 100, 0))], 0.0, [1.0])


def test_a_sweeps_point_is_per_client_and_second() -> None:
    made = point("kept", 0.2, 4, RUN, 0.0)
    assert made.server_cpu_us_per_client_second == SPAN.server_cpu_us / 4 / RUN.seconds
    assert made.bytes_per_client_second == 45_000 / 4 / RUN.seconds
    assert (made.calls_per_client_second, made.empty_share) == (50 / 4 / RUN.seconds, 0.4)
