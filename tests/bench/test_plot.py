"""The picture of the figures: the same figures give the same bytes, and each server's cost can be read from it."""

from typing import Any

import pytest

from bench.fanout import WAYS
from bench.plot import picture

MEDIANS = {"Heartline": 43.21, "bare grpc.aio": 41.0, "NATS": 0.567}
FIGURES: list[dict[str, Any]] = [
    {"what": f"{way}: {name}", "unit": "us", "median": median, "middle_half": [median * 0.9, median * 1.2]}
    for way in WAYS.values()
    for name, median in MEDIANS.items()
]


@pytest.fixture(scope="module")
def svg() -> str:
    """The picture of FIGURES."""
    return picture(FIGURES)


def test_the_same_figures_give_the_same_picture_and_what_is_not_a_cost_is_not_drawn(svg: str) -> None:
    ratio = {"what": "one at a time: Heartline against NATS", "unit": "x", "median": 3.0, "middle_half": [2.0, 4.0]}
    assert picture([*FIGURES, ratio]) == svg


def test_every_server_is_named_with_its_median_in_both_ways(svg: str) -> None:
    for words in (*MEDIANS, "43.2 µs", "41 µs", "0.567 µs"):
        assert svg.count(f">{words}<") == len(WAYS)


def test_the_picture_follows_the_readers_scheme_on_a_ground_of_its_own(svg: str) -> None:
    assert "prefers-color-scheme: dark" in svg
    assert '<rect width="100%" height="100%" fill="var(--paper)"/>' in svg
