"""The service's values as the contract's messages: times that every language can read."""

import pytest
from google.protobuf.duration_pb2 import Duration
from heartline_service import wire


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, Duration()),
        (0.1, Duration(nanos=100_000_000)),
        (15.0, Duration(seconds=15)),
        (1.9999999999, Duration(seconds=2)),
    ],
)
def test_a_duration_is_rounded_to_the_nanosecond_and_never_has_a_whole_second_of_them(
    seconds: float, told: Duration
) -> None:
    assert wire.duration(seconds) == told
