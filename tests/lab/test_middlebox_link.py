"""What happens to a chunk on its way, and when, in time that is an argument."""

import random
from collections.abc import Callable

import pytest
from heartline_lab.middlebox.faults import Faults
from heartline_lab.middlebox.link import QUEUE, WINDOW, Item, Link, Mark, Wire

NONE = Faults()
Arrivals = list[tuple[float, Item]]


def link(chance: Callable[[], float] = lambda: 0.0) -> Link:
    return Link("up", chance)


def arrivals(link: Link, faults: Faults, wire: Wire, start: float = 0.0) -> Arrivals:
    """What comes out and when, looking at each deadline."""
    now: float | None = start
    out: Arrivals = []
    while now is not None:
        while (item := link.take(now, faults, wire, room=True)) is not None:
            out.append((round(now, 6), item))
        now = link.deadline(now, faults)
    return out


def test_without_faults_all_passes_at_once_and_in_order() -> None:
    way = link()
    for item in (b"a", b"b", Mark.FIN):
        way.put(5.0, item)
    assert arrivals(way, NONE, Wire(0.0), 5.0) == [(5.0, b"a"), (5.0, b"b"), (5.0, Mark.FIN)]


def test_latency_delays_each_chunk_by_itself() -> None:
    way, late = link(), Faults(latency=0.05)
    way.put(1.0, b"a")
    assert way.take(1.0, late, Wire(0.0), room=True) is None
    way.put(1.02, b"b")
    assert arrivals(way, late, Wire(0.0), 1.02) == [(1.05, b"a"), (1.07, b"b")]


def test_jitter_never_changes_the_order() -> None:
    draws = iter([0.9, 0.1, 0.5])
    way, faults = link(lambda: next(draws)), Faults(latency=1.0, jitter=1.0)
    for name in (b"a", b"b", b"c"):
        way.put(0.0, name)
    assert arrivals(way, faults, Wire(0.0)) == [(1.9, b"a"), (1.9, b"b"), (1.9, b"c")]


def test_the_same_seed_gives_the_same_jitter() -> None:
    def run() -> Arrivals:
        way, faults = link(random.Random(7).random), Faults(jitter=0.5)
        for at in range(20):
            way.put(float(at), b"x")
        return arrivals(way, faults, Wire(0.0), 19.0)

    assert run() == run()
    assert len({at for at, _ in run()}) > 1


def test_bandwidth_lets_a_chunk_trickle() -> None:
    way, slow, wire = link(), Faults(bandwidth=1000), Wire(0.0)
    way.put(0.0, bytes(100))
    out = arrivals(way, slow, wire)
    assert [at for at, _ in out] == [0.02, 0.04, 0.06, 0.08, 0.1]
    assert sum(len(item) for _, item in out if isinstance(item, bytes)) == 100


def test_bandwidth_is_reached_even_when_the_timers_come_late() -> None:
    way, slow, wire = link(), Faults(bandwidth=1000), Wire(0.0)
    way.put(0.0, bytes(1000))
    passed = 0
    for now in (0.033, 0.071, 0.109, 0.51):
        while (item := way.take(now, slow, wire, room=True)) is not None:
            passed += len(item) if isinstance(item, bytes) else 0
    assert passed == 500


def test_all_connections_share_the_bandwidth() -> None:
    faults, wire = Faults(bandwidth=1000), Wire(0.0)
    one, other = link(), link()
    one.put(0.0, bytes(40))
    other.put(0.0, bytes(40))
    taken = []
    for step in range(9):
        now = step / 100
        for name, way in (("one", one), ("other", other)):
            while way.take(now, faults, wire, room=True) is not None:
                taken.append((now, name))
    assert taken == [(0.02, "one"), (0.04, "other"), (0.06, "one"), (0.08, "other")]


def test_a_handshake_and_a_fin_take_latency_but_no_bandwidth() -> None:
    way, faults = link(), Faults(latency=1.0, bandwidth=1)
    way.put(0.0, Mark.SYN)
    way.put(0.0, Mark.FIN)
    assert arrivals(way, faults, Wire(0.0)) == [(1.0, Mark.SYN), (1.0, Mark.FIN)]


@pytest.mark.parametrize("hole", ["up", "both"])
def test_a_black_hole_holds_what_comes_until_it_is_over(hole: str) -> None:
    way = link()
    swallowing = Faults(black_hole=hole)  # type: ignore[arg-type]
    way.put(0.0, b"a")
    way.put(1.0, Mark.FIN)
    assert way.take(60.0, swallowing, Wire(0.0), room=True) is None
    assert way.deadline(60.0, swallowing) is None
    assert arrivals(way, NONE, Wire(99.0), 99.0) == [(99.0, b"a"), (99.0, Mark.FIN)]


def test_a_black_hole_of_the_other_way_changes_nothing() -> None:
    way = link()
    way.put(0.0, b"a")
    assert way.take(0.0, Faults(black_hole="down"), Wire(0.0), room=True) == b"a"


def test_what_had_left_before_the_black_hole_arrives() -> None:
    way, wire = link(), Wire(0.0)
    way.put(0.0, b"a")
    assert way.take(0.0, Faults(latency=1.0), wire, room=True) is None
    assert way.take(1.0, Faults(black_hole="both"), wire, room=True) == b"a"


def test_what_a_black_hole_held_takes_latency_and_bandwidth_when_it_is_over() -> None:
    way, faults = link(), Faults(latency=1.0, bandwidth=1000)
    way.put(0.0, bytes(10))
    way.take(10.0, Faults(black_hole="up"), Wire(0.0), room=True)
    assert arrivals(way, faults, Wire(10.0), 10.0) == [(11.01, bytes(10))]


def test_less_latency_lets_nothing_overtake() -> None:
    way, wire = link(), Wire(0.0)
    way.put(0.0, b"a")
    assert way.take(0.0, Faults(latency=5.0), wire, room=True) is None
    way.put(1.0, b"b")
    assert arrivals(way, NONE, wire, 1.0) == [(5.0, b"a"), (5.0, b"b")]


def test_a_queue_that_was_slow_goes_at_the_new_speed() -> None:
    way = link()
    way.put(0.0, bytes(10_000))
    way.take(0.0, Faults(bandwidth=10), Wire(0.0), room=True)
    assert arrivals(way, NONE, Wire(1.0), 1.0)[-1][0] == 1.0


def test_it_is_full_when_the_queue_before_the_wire_is() -> None:
    way, hole = link(), Faults(black_hole="up")
    way.put(0.0, bytes(QUEUE - 1))
    assert way.take(0.0, hole, Wire(0.0), room=True) is None
    assert not way.full
    way.put(0.0, b"x")
    assert way.full
    assert len(arrivals(way, NONE, Wire(0.0))) == 2
    assert not way.full


def test_what_is_under_way_is_bounded_too() -> None:
    way, far, chunk = link(), Faults(latency=60.0), bytes(QUEUE)
    taken = 0
    while not way.full:
        way.put(0.0, chunk)
        assert way.take(0.0, far, Wire(0.0), room=True) is None
        taken += len(chunk)
    assert taken == WINDOW + QUEUE


def test_without_room_bytes_and_a_fin_wait_and_a_handshake_does_not() -> None:
    way = link()
    for item in (Mark.ACK, b"a", Mark.FIN):
        way.put(0.0, item)
    assert way.take(0.0, NONE, Wire(0.0), room=False) is Mark.ACK
    assert way.take(0.0, NONE, Wire(0.0), room=False) is None
    assert arrivals(way, NONE, Wire(0.0)) == [(0.0, b"a"), (0.0, Mark.FIN)]


def test_a_reset_comes_after_what_is_under_way_and_drops_what_still_queues() -> None:
    way, wire = link(), Wire(0.0)
    way.put(0.0, b"under way")
    assert way.take(0.0, Faults(latency=1.0), wire, room=True) is None
    way.put(0.5, b"queued")
    way.put(0.5, Mark.RST)
    assert arrivals(way, Faults(latency=1.0), wire, 0.5) == [(1.0, b"under way"), (1.5, Mark.RST)]


def test_a_reset_needs_no_room() -> None:
    way = link()
    way.put(0.0, b"a")
    assert way.take(0.0, NONE, Wire(0.0), room=False) is None
    way.put(0.0, Mark.RST)
    assert way.take(0.0, NONE, Wire(0.0), room=False) is Mark.RST
    assert arrivals(way, NONE, Wire(0.0)) == []


def test_idle_counts_from_the_last_byte() -> None:
    assert Faults(idle_timeout=30.0).idle_at(100.0) == 130.0
    assert NONE.idle_at(100.0) is None


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"latency": -1.0}, "latency is a number of seconds from 0"),
        ({"latency": "soon"}, "latency is a number of seconds from 0"),
        ({"jitter": float("nan")}, "jitter is a number of seconds from 0"),
        ({"bandwidth": 0}, "bandwidth is a number of bytes a second above 0"),
        ({"idle_timeout": True}, "idle_timeout is a number of seconds above 0"),
        ({"black_hole": "left"}, "black_hole is up, down, both"),
        ({"idle_action": "fin"}, "idle_action is silent or rst"),
        ({"refuse": 1}, "refuse is true or false"),
    ],
)
def test_faults_that_cannot_be_are_told_as_a_sentence(changes: dict[str, object], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        Faults(**changes)  # type: ignore[arg-type]
