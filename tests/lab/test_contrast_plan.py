"""What is measured for the numbers that were asked about, and in which order."""

from dataclasses import replace

import pytest
from heartline_lab.contrast.plan import measurable, tasks
from heartline_lab.contrast.publishing import moments
from heartline_lab.contrast.results import MODES, Workload

DEFAULT = Workload(clients=10, rate=5.0, seconds=2.5, payload=100, poll_interval_seconds=0.2, repeats=3)


def test_the_default_is_measured_as_it_is() -> None:
    assert measurable(DEFAULT) == (DEFAULT, ())


@pytest.mark.parametrize(
    ("changes", "clients"),
    [
        ({"clients": 5000}, 60),
        ({"clients": 5000, "poll_interval_seconds": 10.0}, 100),
        ({"clients": 100, "rate": 100.0}, 15),
        ({"poll_interval_seconds": 0.01}, 3),
        ({"payload": 1_000_000}, 2),
        ({"rate": 200.0, "payload": 1_000_000}, 1),
    ],
)
def test_more_clients_than_the_machine_can_play_are_cut_and_that_is_said(
    changes: dict[str, float], clients: int
) -> None:
    asked = replace(DEFAULT, **changes)  # type: ignore[arg-type]
    made, notes = measurable(asked)
    assert made == replace(asked, clients=clients)
    assert notes[0].startswith(f"Measured with {clients} of the {asked.clients:,} clients")


def test_more_events_than_the_machine_can_publish_are_cut_and_that_is_said() -> None:
    made, notes = measurable(replace(DEFAULT, clients=1, rate=5000.0))
    assert made.rate == 200.0
    assert notes == ("Measured with 200 events a second instead of 5,000, for that reason.",)


def test_a_run_has_some_events_however_seldom_they_are() -> None:
    made, notes = measurable(replace(DEFAULT, rate=0.01))
    assert made.events == 3
    assert notes == ("Measured with 1.2 events a second instead of 0.01: a run of 2.5 s must have some.",)


def test_every_repeat_has_publishing_alone_and_every_mode() -> None:
    planned = tasks(DEFAULT, sweep=False)
    assert [{task.mode for task in planned if task.repeat == repeat} for repeat in range(3)] == [{"", *MODES}] * 3


def test_repeats_are_interleaved_each_in_the_other_direction_than_the_last() -> None:
    orders = [[t.mode for t in tasks(DEFAULT, sweep=False) if t.repeat == repeat and t.mode] for repeat in range(3)]
    assert orders == [[*MODES], [*MODES[::-1]], [*MODES]]


def test_the_default_takes_less_than_a_minute() -> None:
    assert sum(task.seconds for task in tasks(DEFAULT, sweep=False)) < 50


def test_a_sweep_changes_one_setting_and_leaves_the_rest() -> None:
    planned = [task for task in tasks(DEFAULT, sweep=True) if task.part == "poll_interval_seconds"]
    assert {task.mode for task in planned} == {"short", "kept"}
    assert {task.workload.poll_interval_seconds for task in planned} == {0.05, 0.1, 0.2, 0.4, 0.8}
    assert {replace(task.workload, poll_interval_seconds=0.2) for task in planned} == {replace(DEFAULT, repeats=1)}


def test_all_points_of_a_sweep_have_as_many_clients() -> None:
    crowd = replace(DEFAULT, clients=100)
    by_part = {part: {t.workload.clients for t in tasks(crowd, sweep=True) if t.part == part} for part in ("rate",)}
    assert by_part == {"rate": {23}}


def test_publishing_alone_is_measured_at_every_rate() -> None:
    planned = tasks(DEFAULT, sweep=True)
    rates = {task.workload.rate for task in planned}
    assert {task.workload.rate for task in planned if not task.mode} == rates


def test_events_are_due_within_the_run_in_order_and_in_number() -> None:
    due = moments(DEFAULT, 0)
    assert len(due) == DEFAULT.events
    assert due == sorted(due)
    assert due[0] >= 0
    assert due[-1] <= DEFAULT.seconds


def test_every_mode_of_a_repeat_gets_the_same_events_and_the_next_repeat_others() -> None:
    assert moments(DEFAULT, 1) == moments(DEFAULT, 1) != moments(DEFAULT, 2)
