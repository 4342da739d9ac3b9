"""The heartbeat settings: which are taken, and which are refused."""

import math

import pytest
from heartline.timing import MAX_DURATION, MIN_DURATION, Timing


@pytest.mark.parametrize("name", ["interval", "timeout"])
@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, -1.0, 0.0, 0.0999, 600.001])
def test_a_duration_out_of_bounds_is_refused_by_name(name: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=f"heartbeat_{name} must be from"):
        Timing(**{name: seconds})


@pytest.mark.parametrize("seconds", [0.2, 1.0, MAX_DURATION])
def test_durations_within_the_bounds_are_taken(seconds: float) -> None:
    assert Timing(seconds, seconds) == Timing(interval=seconds, timeout=seconds)


@pytest.mark.parametrize(("interval", "timeout"), [(0.1, 0.1), (0.12, 0.1), (0.1, 0.119)])
def test_two_settings_that_leave_no_room_for_the_largest_frame_are_refused(interval: float, timeout: float) -> None:
    with pytest.raises(ValueError, match="for a frame of 4 MiB"):
        Timing(interval, timeout)


@pytest.mark.parametrize(("interval", "timeout"), [(MIN_DURATION, 0.125), (0.13, MIN_DURATION)])
def test_each_setting_can_be_the_shortest_when_the_other_leaves_room(interval: float, timeout: float) -> None:
    assert Timing(interval, timeout).interval == interval
