"""What a heartbeat weighs on the wire: the figures of docs/protocol.md, counted on real frames."""

from collections.abc import Callable

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse, Heartbeat, HeartbeatAck

NOW = Timestamp(seconds=1_780_000_000, nanos=987_654_321)
Make = Callable[..., ConnectRequest | ConnectResponse]
FRAMES: list[Make] = [
    lambda **fields: ConnectRequest(heartbeat=Heartbeat(send_time=NOW, **fields)),
    lambda **fields: ConnectRequest(heartbeat_ack=HeartbeatAck(send_time=NOW, **fields)),
    lambda **fields: ConnectResponse(heartbeat=Heartbeat(send_time=NOW, **fields)),
    lambda **fields: ConnectResponse(heartbeat_ack=HeartbeatAck(send_time=NOW, **fields)),
]
NAMES = ["client-heartbeat", "client-ack", "server-heartbeat", "server-ack"]


@pytest.mark.parametrize("make", FRAMES, ids=NAMES)
@pytest.mark.parametrize(("sequence", "size"), [(1, 18), (1000, 19), (1_000_000, 20)])
def test_a_heartbeat_and_its_answer_take_18_to_20_bytes(make: Make, sequence: int, size: int) -> None:
    assert len(make(sequence=sequence).SerializeToString()) == size


@pytest.mark.parametrize("make", FRAMES, ids=NAMES)
@pytest.mark.parametrize(("events_sent", "more"), [(0, 0), (127, 2), (16_383, 3), (2_097_151, 4)])
def test_the_count_of_events_adds_a_few_bytes(make: Make, events_sent: int, more: int) -> None:
    assert make(sequence=1, events_sent=events_sent).ByteSize() == make(sequence=1).ByteSize() + more


@pytest.mark.parametrize("make", FRAMES, ids=NAMES)
@pytest.mark.parametrize(("length", "more"), [(0, 0), (1, 3), (100, 102), (255, 259)])
def test_a_status_adds_its_length_and_two_to_four_bytes(make: Make, length: int, more: int) -> None:
    assert make(sequence=1, status="x" * length).ByteSize() == make(sequence=1).ByteSize() + more
