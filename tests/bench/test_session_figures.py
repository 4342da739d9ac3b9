"""The benchmarks of sessions run for real, tiny: what they hand back, and what they check on the way. Never times."""

import pytest
from heartline.v1.events_pb2 import Batch, Event
from heartline.v1.session_service_pb2 import ConnectResponse

from bench import flat, heartbeat, latency, resume
from bench.plan import Plan
from bench.servers import BenchError

TINY = Plan(quick=True)


def frame(*offsets: int) -> bytes:
    """A frame of events."""
    return ConnectResponse(events=Batch(events=[Event(offset=offset) for offset in offsets])).SerializeToString()


async def test_heartbeats_are_measured_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's, against an echo, and the server's own."""
    monkeypatch.setattr(heartbeat, "BEAT_INTERVAL", 0.1)
    monkeypatch.setattr(heartbeat, "REPEATS", 2)
    together, in_turn, own = await heartbeat.run(TINY, sessions=3)
    assert (together.at_most, in_turn.at_most, own.at_most) == (1.2, None, None)
    assert min(*together.samples, *in_turn.samples, *own.samples) > 0


async def test_latency_is_measured_at_one_rate_for_both_servers() -> None:
    """The rate is told, and how busy it made them."""
    figures = await latency.run(TINY, sessions=3, seconds=0.1)
    assert [figure.at_most for figure in figures] == [1.3, None, None, None]
    assert {"events/s", "server busy", "floor busy"} <= set(figures[0].facts)


async def test_sessions_that_are_cut_resume_with_exactly_what_they_missed() -> None:
    """The benchmark itself checks it, and would have raised."""
    resumed, cut = await resume.run(TINY, sessions=6)
    assert (resumed.at_most, cut.at_most) == (1.3, None)


async def test_flatness_is_told_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fact for each."""
    monkeypatch.setattr(flat, "SESSIONS", 10)
    monkeypatch.setattr(flat, "PUBLISHES", 3)
    figures = await flat.run(TINY, subscribers=(2,), channels=(3,))
    assert [figure.at_most for figure in figures] == [20, None, None, None, 20]
    assert [list(figure.facts) for figure in figures[::4]] == [["us at 2"], ["us at 3"]]


@pytest.mark.parametrize("frames", [[frame(4, 6)], [frame(4, 5)], [frame(4, 5), frame(5, 6)], [frame(5, 4), frame(6)]])
def test_an_event_lost_doubled_or_out_of_order_is_an_error(frames: list[bytes]) -> None:
    """A session that had seen 3 of 6 must get 4, 5, 6."""
    resume.must_follow([frame(4, 5), frame(6)], 3, 6)
    with pytest.raises(BenchError, match="had seen event 3 of 6"):
        resume.must_follow(frames, 3, 6)
