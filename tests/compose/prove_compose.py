"""What docker-compose.yml promises of one server and of the lab, proved from outside with the real grpcurl.

`make test-compose` runs it, and prove_cluster.py and prove_image.py. They need a Docker engine, so they are no part of
`make test`.
"""

import asyncio
import json
import subprocess
import time

import pytest
from compose.project import ONE, PROJECT, check_is_unprivileged, compose, grpcurl, inspect, poll, published
from e2e.raw import session

HEALTHY_WITHIN = 10.0
"""Seconds from the container's start until its health check passes."""


def until_healthy(*arguments: str) -> float:
    """Runs compose, waits until the container is healthy, and tells how many seconds after its start that was."""
    since = time.time()
    compose(*arguments)
    events = ["docker", "events", "--format", "{{json .}}", "--filter", f"label=com.docker.compose.project={PROJECT}"]
    with subprocess.Popen(
        [*events, "--since", f"{since:.9f}", "--until", f"{since + 60:.0f}"], stdout=subprocess.PIPE, text=True
    ) as stream:
        assert stream.stdout is not None
        started = 0
        for event in map(json.loads, stream.stdout):
            if event["Action"] == "start":
                started = event["timeNano"]
            elif event["Action"] == "health_status: healthy":
                stream.terminate()
                return float(event["timeNano"] - started) / 1e9
    raise AssertionError(f"not healthy within a minute\n{compose('logs')}")


def lab(*command: str) -> str:
    """What a command of the lab prints, in the container of the profile `lab`."""
    return compose("--profile", "lab", "run", "--rm", "-T", "lab", *command, timeout=120)


@pytest.fixture(scope="module", autouse=True)
def seconds_to_health() -> float:
    """The server, up; how long it took to be healthy."""
    return until_healthy("up", "-d")


def test_it_is_healthy_within_ten_seconds(seconds_to_health: float) -> None:
    print(f"healthy {seconds_to_health:.1f} s after the container's start")
    assert seconds_to_health < HEALTHY_WITHIN


def test_it_answers_the_health_service_from_outside() -> None:
    assert grpcurl("grpc.health.v1.Health/Check") == {"status": "SERVING"}


def test_it_is_published_on_the_loopback_address_alone() -> None:
    assert published("heartline") == [("127.0.0.1", "50051")]


def test_it_runs_without_privileges_and_can_write_nothing_but_its_data() -> None:
    check_is_unprivileged("heartline")


def test_a_restart_keeps_the_events() -> None:
    grpcurl("heartline.v1.RequestService/Publish", channel="orders", messages=[{"id": "1", "text": "kept"}])
    assert poll("orders") == ["kept"]
    until_healthy("restart")
    assert poll("orders") == ["kept"]


async def test_when_stopped_it_asks_sessions_to_go_and_says_that_all_went_well() -> None:
    async with session(ONE) as peer:
        stopping = asyncio.create_task(asyncio.to_thread(compose, "stop"))
        await peer.next("drain")
        peer.call.cancel()
        await stopping
    assert inspect("heartline")["State"]["ExitCode"] == 0


def test_the_lab_contrasts_the_ways_of_calling() -> None:
    brief = ["--clients", "2", "--rate", "5", "--seconds", "1", "--repeats", "1"]
    modes = json.loads(lab("contrast", *brief, "--json", "-"))["modes"]
    assert [mode["mode"] for mode in modes] == ["short", "kept", "long-poll", "stream"]


def test_the_lab_pulls_a_real_cable_and_has_a_real_proxy() -> None:
    table = lab("detect", "--only", "power", "proxy")
    assert "needs" not in table, table


def test_the_lab_takes_a_connection_apart() -> None:
    assert "SYN" in lab("anatomy", "--only", "short")
