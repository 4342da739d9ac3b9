"""Every server that is compared is really run, and brings a few subscribers exactly what was published."""

import re
import socket
from dataclasses import replace

import pytest

from bench.messages import PAYLOAD
from bench.peers import contest
from bench.peers.audience import audience
from bench.peers.contest import FLOOR, HEARTLINE, MARK, TUNED, Contestant
from bench.peers.programs import MOSQUITTO, NATS, REDIS, Peer
from bench.plan import Plan
from bench.servers import BenchError, Server

SUBSCRIBERS = 3
BURST = 5


async def brought_exactly(one: Contestant) -> bool:
    """Whether each subscriber gets each event once, alone or in a burst, and so does one that comes later."""
    async with one.serving() as server:
        with one.audience(server, SUBSCRIBERS) as listening:
            listening.push(1)
            listening.push(BURST)
            listening.join(1)
            listening.push(1)
            return listening.count == SUBSCRIBERS + 1 and listening.attend() == 0


async def test_heartline_and_the_floor_bring_each_event_to_each_subscriber_once() -> None:
    compared = {each.name: each for each in await contest.contestants(Plan(), 1, BURST)}
    assert await brought_exactly(compared[HEARTLINE])
    assert await brought_exactly(compared[FLOOR])


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(NATS, marks=pytest.mark.needs("nats")),
        pytest.param(MOSQUITTO, marks=pytest.mark.needs("mosquitto")),
        pytest.param(REDIS, marks=pytest.mark.needs("redis")),
    ],
    ids=lambda peer: peer.program,
)
async def test_a_peer_brings_each_event_to_each_subscriber_once_and_tells_its_version(peer: Peer) -> None:
    assert await brought_exactly(Contestant(peer.name, peer.serving, peer.protocol(PAYLOAD)))
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?", peer.version())


async def test_a_peer_that_is_not_there_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contest, "PEERS", (replace(NATS, program="no-such-server"),))
    assert [each.name for each in await contest.contestants(Plan(self_check=True), 1)] == [HEARTLINE, FLOOR, TUNED]
    assert capsys.readouterr().err == "bench: without NATS: to have it compared, apt-get install nats-server\n"


def test_a_server_that_ends_a_connection_stops_the_benchmark() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(0, listening.getsockname()[1])
        with audience(server, REDIS.protocol(MARK), MARK) as empty:
            listening.accept()[0].close()
            with pytest.raises(BenchError, match="closed a connection"):
                empty.attend()
