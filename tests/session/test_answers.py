"""What the two heartbeat frames bring: the answer, the round-trip, and events that are missing."""

import pytest
from heartline.session import EndReason, Heartbeat, HeartbeatAck, Session, UnknownHeartbeat
from heartline.timing import Timing


def opened() -> Session:
    session = Session(0.0, 10.0)
    session.open(Timing(15.0, 10.0), 0.0)
    return session


def state_of(session: Session) -> dict[str, object]:
    return {name: getattr(session, name) for name in Session.__slots__}


def test_a_heartbeat_is_answered_with_its_number_and_the_own_count() -> None:
    session = opened()
    session.events_sent = 3
    assert session.receive(Heartbeat(7, events_sent=0), 1.0) == HeartbeatAck(7, events_sent=3)


def test_an_answer_is_not_answered() -> None:
    session = opened()
    session.tick(15.0)
    assert session.receive(HeartbeatAck(1, 0), 15.1) is None


@pytest.mark.parametrize("sequence", [0, 2, 2**64 - 1])
def test_an_answer_to_a_heartbeat_never_sent_raises_and_changes_nothing(sequence: int) -> None:
    session = opened()
    session.tick(15.0)
    before = state_of(session)
    with pytest.raises(UnknownHeartbeat, match="was never sent"):
        session.receive(HeartbeatAck(sequence, 0), 16.0)
    assert state_of(session) == before


def test_the_answer_gives_the_round_trip() -> None:
    session = opened()
    assert session.round_trip is None
    session.tick(15.0)
    session.receive(HeartbeatAck(1, 0), 15.25)
    assert session.round_trip == 0.25


def test_with_two_beats_in_flight_only_the_newest_gives_the_round_trip() -> None:
    session = opened()
    session.tick(15.0)
    session.tick(100.0)
    session.receive(HeartbeatAck(1, 0), 100.125)
    assert session.round_trip is None
    session.receive(HeartbeatAck(2, 0), 100.25)
    assert session.round_trip == 0.25


def test_an_answer_that_comes_after_another_frame_still_gives_the_round_trip() -> None:
    session = opened()
    session.tick(15.0)
    session.receive(None, 15.125)
    session.receive(HeartbeatAck(1, 0), 15.5)
    assert session.round_trip == 0.5


@pytest.mark.parametrize("frame", [Heartbeat(1, events_sent=5), HeartbeatAck(1, events_sent=5)])
def test_a_count_above_what_came_ends_the_session(frame: Heartbeat | HeartbeatAck) -> None:
    session = opened()
    session.tick(15.0)
    session.events_received = 4
    assert session.receive(frame, 15.1) is None
    assert session.end_reason is EndReason.EVENTS_LOST


def test_a_count_below_what_came_is_a_count_made_earlier() -> None:
    session = opened()
    session.events_received = 5
    assert session.receive(Heartbeat(1, events_sent=4), 1.0) is not None
