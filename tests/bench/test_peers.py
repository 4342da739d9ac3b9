"""Every server that is compared is really run, and brings a few subscribers exactly what was published."""

import socket
from dataclasses import replace

import pytest

from bench.peers import contest
from bench.peers.audience import audience
from bench.peers.contest import FLOOR, HEARTLINE, MARK
from bench.peers.programs import MOSQUITTO, NATS, REDIS
from bench.plan import Plan
from bench.servers import BenchError, Server

SUBSCRIBERS = 3


@pytest.mark.parametrize(
    "name",
    [
        HEARTLINE,
        FLOOR,
        pytest.param(NATS.name, marks=pytest.mark.needs("nats")),
        pytest.param(MOSQUITTO.name, marks=pytest.mark.needs("mosquitto")),
        pytest.param(REDIS.name, marks=pytest.mark.needs("redis")),
    ],
)
async def test_each_subscriber_gets_each_event_once_alone_or_in_a_burst(name: str) -> None:
    (one,) = [each for each in await contest.contestants(Plan(), 1, 5) if each.name == name]
    async with one.serving() as server:
        with one.audience(server, SUBSCRIBERS) as listening:
            listening.push(1)
            listening.push(5)
            listening.join(1)
            listening.push(1)
            assert (listening.count, listening.attend()) == (SUBSCRIBERS + 1, 0)


async def test_a_peer_that_is_not_there_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contest, "PEERS", (replace(NATS, program="no-such-server"),))
    assert [each.name for each in await contest.contestants(Plan(self_check=True), 1)] == [HEARTLINE, FLOOR]
    assert capsys.readouterr().err == "bench: without NATS: to have it compared, apt-get install nats-server\n"


def test_a_server_that_ends_a_connection_stops_the_benchmark() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(0, listening.getsockname()[1])
        with audience(server, REDIS.protocol(MARK), MARK) as empty:
            listening.accept()[0].close()
            with pytest.raises(BenchError, match="closed a connection"):
                empty.attend()
