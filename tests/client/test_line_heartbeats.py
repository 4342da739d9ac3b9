"""A line on the stream: its states, heartbeats, and the way back when the server is lost."""

import asyncio
from itertools import pairwise

import pytest
from client.fake_server import INTERVAL, TIMEOUT, FakeServer, States
from heartline.errors import Refused
from heartline.v1.session_service_pb2 import ConnectResponse, Heartbeat, HeartbeatAck
from virtual_time import VirtualTimeLoop, eventually, settle, virtual


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual
async def test_states_are_told_with_their_reasons() -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append) as line:
        await settle()
        assert line.state.name == "online"
        assert line.state.reason == "session s1 with fake"
    assert states.names == ["online", "closed"]
    assert line.state.reason == "closed by this program"


@virtual
async def test_a_callback_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(state: object) -> None:
        raise ZeroDivisionError

    server = FakeServer()
    async with server.line(on_state=fail, on_heartbeat=fail) as line:
        await asyncio.sleep(3600)
        assert line.state.name == "online"
    assert "a callback failed; the line goes on" in caplog.text


@virtual
async def test_an_idle_hour_is_one_session_with_a_heartbeat_for_each_interval() -> None:
    server = FakeServer()
    beats: list[float] = []
    async with server.line(on_heartbeat=beats.append):
        await asyncio.sleep(3600)
        assert len(server.hellos) == 1
    assert 3600 / (0.95 * INTERVAL) - 1 <= len(beats) <= 3600 / (0.8 * INTERVAL)


@virtual
async def test_a_heartbeat_carries_the_wall_clock() -> None:
    server = FakeServer()
    async with server.line():
        await settle()
        await eventually(lambda: server.frames[-1].HasField("heartbeat"))
        beat = server.frames[-1].heartbeat
        assert (beat.sequence, beat.events_sent, beat.send_time.seconds) == (1, 0, int(1_800_000_000 + now()))


@virtual
async def test_a_heartbeat_carries_the_status_when_it_has_changed() -> None:
    server = FakeServer()
    battery = ["80%"]
    async with server.line(status=lambda: battery[0]):
        await settle()
        await eventually(lambda: server.frames[-1].HasField("heartbeat"))
        assert server.frames[0].hello.status == "80%"
        assert server.frames[-1].heartbeat.status == ""
        battery[0] = "79%"
        await asyncio.sleep(10 * INTERVAL)
        told = [frame.heartbeat.status for frame in server.frames if frame.HasField("heartbeat")]
        assert [one for one in told if one] == ["79%"]


@virtual
async def test_a_status_that_cannot_be_had_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    server = FakeServer()
    async with server.line(status=fail) as line:
        await asyncio.sleep(3600)
        assert line.state.name == "online"
    assert "a callback failed; the line goes on" in caplog.text


@virtual
async def test_the_servers_heartbeat_is_answered_before_other_work() -> None:
    server = FakeServer()
    async with server.line() as line:
        await settle()
        publish = asyncio.create_task(line.publish("orders", "x"))
        await asyncio.sleep(0)
        server.sessions[0].send(ConnectResponse(heartbeat=Heartbeat(sequence=1)))
        await publish
        kinds = [frame.WhichOneof("frame") for frame in server.frames]
        assert kinds.index("heartbeat_ack") < kinds.index("publish")


@virtual
async def test_a_silent_server_is_noticed_within_interval_and_timeout(caplog: pytest.LogCaptureFixture) -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append) as line:
        await settle()
        server.silent = True
        since = now()
        await eventually(lambda: line.state.name == "waiting")
        assert now() - since <= INTERVAL + TIMEOUT
        assert "the server is silent" in line.state.reason
        server.silent = False
        await eventually(lambda: line.state.name == "online")
    assert [record.levelname for record in caplog.records if "given up" in record.message] == ["WARNING"]


@virtual
async def test_a_loop_that_was_held_up_judges_nobody_before_it_has_listened() -> None:
    server, states = FakeServer(), States()
    async with server.line(on_state=states.append):
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        for _ in range(3):
            await asyncio.sleep(20)
            loop.stall(600)
        await asyncio.sleep(60)
        assert states.names == ["online"]


@virtual
async def test_an_answer_that_is_here_already_counts_though_the_verdict_is_due() -> None:
    server, states = FakeServer(), States()
    server.answers_heartbeats = False
    async with server.line(on_state=states.append):
        await settle()
        await eventually(lambda: server.frames[-1].HasField("heartbeat"))
        answer = ConnectResponse(heartbeat_ack=HeartbeatAck(sequence=1))
        loop = asyncio.get_running_loop()
        loop.call_at(now() + TIMEOUT, loop.call_soon, server.sessions[0].send, answer)
        await asyncio.sleep(TIMEOUT + 1)
        assert states.names == ["online"]


@virtual
async def test_a_session_that_died_by_silence_is_followed_by_one_on_a_new_connection() -> None:
    server = FakeServer()
    async with server.line() as line:
        await settle()
        before = len(server.connections)
        server.silent = True
        await eventually(lambda: line.state.name == "waiting")
        assert server.connections[before - 1].closed
        server.silent = False
        await eventually(lambda: line.state.name == "online")
        assert len(server.connections) > before


@virtual
async def test_a_new_session_names_the_one_that_it_replaces() -> None:
    server = FakeServer()
    async with server.line() as line:
        await settle()
        server.cut()
        await settle()
        await eventually(lambda: line.state.name == "online")
    assert [hello.replaces for hello in server.hellos] == ["", "s1"]


@virtual
async def test_after_a_session_that_was_steady_the_first_attempt_comes_at_once() -> None:
    server = FakeServer()
    server.reachable = False
    async with server.line() as line:
        await asyncio.sleep(300)
        server.reachable = True
        await eventually(lambda: line.state.name == "online")
        await asyncio.sleep(20)
        server.cut()
        await settle()
        before = now()
        await eventually(lambda: line.state.name == "online")
        assert now() - before <= 0.2


@virtual
async def test_attempts_are_spread_by_a_growing_back_off() -> None:
    server = FakeServer()
    server.reachable = False
    async with server.line(transport="stream") as line:
        await asyncio.sleep(600)
        waits = [later - earlier for earlier, later in pairwise(server.dials_at)]
        assert max(waits[:3]) <= 0.8
        assert max(waits) <= 10
        assert 4 < sum(waits[10:]) / len(waits[10:]) < 6
        assert line.state.name in ("waiting", "connecting")
        assert "connection refused" in line.state.reason


@virtual
async def test_a_server_that_says_never_come_back_closes_the_line() -> None:
    server = FakeServer()
    async with server.line() as line:
        orders = line.subscribe("orders")
        await settle()
        server.goodbye("ENDED_BY_OPERATOR", retry=False)
        with pytest.raises(Refused, match="ended by operator"):
            await anext(orders)
        assert line.state.name == "closed"
        with pytest.raises(Refused):
            await line.publish("orders", "x")
