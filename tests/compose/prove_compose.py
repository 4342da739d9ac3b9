"""What docker-compose.yml promises, proved from outside with the real grpcurl: `make test-compose`.

It brings up a project of its own, so a server that someone keeps running with compose loses nothing; only the port must
be free. It needs a Docker engine, so it is no part of `make test`.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools import path

ROOT = Path(__file__).parent.parent.parent
PROJECT = "heartline-proof"
ADDRESS = "127.0.0.1:50051"
HEALTHY_WITHIN = 10.0
"""Seconds from the container's start until its health check passes."""


def run(*command: str, timeout: float = 60.0) -> str:
    """What the command prints. Raises AssertionError with all that it said when it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def compose(*arguments: str, timeout: float = 60.0) -> str:
    """Runs docker-compose, or compose as docker's own command, for this project."""
    command = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")
    return run(*command, "-p", PROJECT, *arguments, timeout=timeout)


def inspect() -> dict[str, Any]:
    """What the engine knows of the container."""
    known: dict[str, Any] = json.loads(run("docker", "inspect", compose("ps", "-aq", "heartline").strip()))[0]
    return known


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


def grpcurl(method: str, **request: Any) -> dict[str, Any]:
    """Calls a method of the server from outside, by reflection."""
    answer = run(path("grpcurl"), "-plaintext", "-max-time", "10", "-d", json.dumps(request), ADDRESS, method)
    parsed: dict[str, Any] = json.loads(answer)
    return parsed


def poll() -> list[str]:
    """All texts of the channel "orders"."""
    everything = {"channel": "orders", "start": "START_EARLIEST"}
    answer = grpcurl("heartline.v1.RequestService/Poll", subscriptions=[everything])
    return [event["text"] for event in answer["batches"][0].get("events", [])]


@pytest.fixture(scope="module", autouse=True)
def seconds_to_health() -> Iterator[float]:
    """The project, built and up, with no data of an earlier run; how long it took to be healthy."""
    compose("down", "--volumes")
    compose("--profile", "lab", "build", timeout=600)
    yield until_healthy("up", "-d")
    compose("--profile", "lab", "down", "--volumes", "--rmi", "local")


def test_it_is_healthy_within_ten_seconds(seconds_to_health: float) -> None:
    print(f"healthy {seconds_to_health:.1f} s after the container's start")
    assert seconds_to_health < HEALTHY_WITHIN


def test_it_answers_the_health_service_from_outside() -> None:
    assert grpcurl("grpc.health.v1.Health/Check") == {"status": "SERVING"}


def test_it_is_published_on_the_loopback_address_alone() -> None:
    bindings = [binding for port in inspect()["NetworkSettings"]["Ports"].values() for binding in port or []]
    assert [(binding["HostIp"], binding["HostPort"]) for binding in bindings] == [("127.0.0.1", "50051")]


def test_it_runs_without_privileges() -> None:
    status = compose("exec", "-T", "heartline", "cat", "/proc/1/status")
    ids, capabilities = re.search(r"^Uid:\t(.*)$", status, re.M), re.search(r"^CapEff:\t(.*)$", status, re.M)
    assert ids is not None
    assert "0" not in ids[1].split("\t")
    assert capabilities is not None
    assert int(capabilities[1], 16) == 0


def test_it_can_write_nothing_but_its_data() -> None:
    assert inspect()["HostConfig"]["ReadonlyRootfs"]


def test_a_restart_keeps_the_events() -> None:
    grpcurl("heartline.v1.RequestService/Publish", channel="orders", messages=[{"id": "1", "text": "kept"}])
    assert poll() == ["kept"]
    until_healthy("restart")
    assert poll() == ["kept"]


def test_it_stops_when_asked_and_says_that_all_went_well() -> None:
    compose("stop")
    assert inspect()["State"]["ExitCode"] == 0


def test_the_lab_contrasts_the_ways_of_calling() -> None:
    brief = ["--clients", "2", "--rate", "5", "--seconds", "1", "--repeats", "1"]
    modes = json.loads(lab("contrast", *brief, "--json", "-"))["modes"]
    assert [mode["mode"] for mode in modes] == ["short", "kept", "long-poll", "stream"]


def test_the_lab_pulls_a_real_cable_and_has_a_real_proxy() -> None:
    table = lab("detect", "--only", "power", "proxy")
    assert "needs" not in table, table


def test_the_lab_takes_a_connection_apart() -> None:
    assert "SYN" in lab("anatomy", "--only", "short")
