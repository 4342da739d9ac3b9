"""The project that the proofs of docker-compose.yml bring up: commands to it, and what the engine knows of it.

It is a project of its own, so a server that someone keeps running with compose loses nothing; only the ports must be
free.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tools import path

ROOT = Path(__file__).parent.parent.parent
PROJECT = "heartline-proof"
ONE, CLUSTER = "127.0.0.1:50051", "127.0.0.1:50052"
"""Where the single server and the profile `cluster` are called."""
GUARD = 180.0
"""Seconds after which a wait gives up. Long, because an engine on a busy machine takes its time."""


def run(*command: str, timeout: float = GUARD) -> str:
    """What the command prints. Raises AssertionError with all that it said when it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def compose(*arguments: str, timeout: float = GUARD) -> str:
    """Runs docker-compose, or compose as docker's own command, for this project."""
    command = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")
    return run(*command, "-p", PROJECT, *arguments, timeout=timeout)


def cluster(*arguments: str, timeout: float = GUARD) -> str:
    """Runs compose with the profile `cluster`."""
    return compose("--profile", "cluster", *arguments, timeout=timeout)


def container(service: str) -> str:
    """The id of a service's container."""
    return cluster("ps", "-aq", service).strip()


def inspect(service: str) -> dict[str, Any]:
    """What the engine knows of a service's container."""
    known: dict[str, Any] = json.loads(run("docker", "inspect", container(service)))[0]
    return known


def published(service: str) -> list[tuple[str, str]]:
    """The addresses and ports of this machine at which a service can be reached."""
    bindings = [binding for port in inspect(service)["NetworkSettings"]["Ports"].values() for binding in port or []]
    return [(binding["HostIp"], binding["HostPort"]) for binding in bindings]


def check_is_unprivileged(service: str) -> None:
    """Its first process is not root, can do nothing that users cannot, and will not; its root file system is sealed."""
    status = dict(re.findall(r"^(\w+):\t(.*)$", cluster("exec", "-T", service, "cat", "/proc/1/status"), re.M))
    assert "0" not in status["Uid"].split("\t")
    assert [int(status[kind], 16) for kind in ("CapEff", "CapPrm", "CapBnd")] == [0, 0, 0]
    assert status["NoNewPrivs"] == "1"
    assert inspect(service)["HostConfig"]["ReadonlyRootfs"]


def grpcurl(method: str, address: str = ONE, **request: Any) -> dict[str, Any]:
    """Calls a method of the server from outside, by reflection."""
    answer = run(path("grpcurl"), "-plaintext", "-max-time", "10", "-d", json.dumps(request), address, method)
    parsed: dict[str, Any] = json.loads(answer)
    return parsed


def poll(channel: str, address: str = ONE) -> list[str]:
    """All texts of a channel."""
    everything = {"channel": channel, "start": "START_EARLIEST"}
    answer = grpcurl("heartline.v1.RequestService/Poll", address, subscriptions=[everything])
    return [event["text"] for event in answer["batches"][0].get("events", [])]
