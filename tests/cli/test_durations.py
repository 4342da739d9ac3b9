"""Lengths of time, as people write and read them."""

import pytest
from heartline.durations import format_duration, parse_duration
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("15s", 15),
        ("5m", 300),
        ("2h", 7200),
        ("7d", 604800),
        ("1.5h", 5400),
        ("20", 20),
        ("0.1", 0.1),
        ("0", 0),
        (" 3s ", 3),
    ],
)
def test_a_duration_is_a_number_and_a_unit_or_plain_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "5 s", "-5s", "5S", "1h30m", "5sec", "1e3", "nan", ".5s", "\u0665s"])
def test_what_is_not_a_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write 500ms, 15s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["10000000d", "9" * 400])
def test_a_duration_beyond_what_the_contract_can_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.0006, "0.6ms"),
        (0.0099, "9.9ms"),
        (0.48, "480ms"),
        (0.9996, "1s"),
        (2.5, "2.5s"),
        (15, "15s"),
        (59.6, "1m"),
        (312, "5m12s"),
        (3600, "1h"),
        (4800, "1h20m"),
        (86400, "1d"),
        (273600, "3d4h"),
        (-3, "-3s"),
    ],
)
def test_a_duration_is_shown_in_at_most_two_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_any_duration_can_be_shown_shortly(seconds: float) -> None:
    assert 2 <= len(format_duration(seconds)) <= 10
