"""A real server in a process of its own, and the command line: called in this process, or started as a program."""

import asyncio
import os
import signal
import subprocess
import sys
import tomllib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
from cli.programs import GUARD, Ran, Run, Start
from heartline.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Lets `python -m heartline` run from the sources, with the entry points that an installation would have."""
    site = tmp_path_factory.mktemp("site")
    info = site / "heartline-0.dist-info"
    info.mkdir()
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [
        f"[{group}]\n" + "".join(f"{name}={place}\n" for name, place in group_.items())
        for group, group_ in groups.items()
    ]
    (info / "entry_points.txt").write_text("".join(lines))
    path = os.pathsep.join(map(str, (site, ROOT / "client", ROOT / "service")))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARTLINE_")}
    return kept | {"PYTHONPATH": path, "TERM": "xterm"}


@pytest.fixture(scope="session")
def address(environment: dict[str, str]) -> Iterator[str]:
    """Where a server of its own listens, for as long as the tests of this folder run."""
    serve = [
        sys.executable,
        "-m",
        "heartline",
        "serve",
        "--retain=short.*=count:1",
        "--listen",
        "127.0.0.1:0",
        "--store",
        "memory:",
        "--grace",
        "0.1",
    ]
    with subprocess.Popen(serve, env=environment, stdout=PIPE, stderr=DEVNULL, text=True) as server:
        assert server.stdout is not None
        first = server.stdout.readline()
        try:
            assert first.startswith("heartline: serving on "), first
            yield first.split()[3].rstrip(",")
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=GUARD)


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Numbers that no other test was given."""
    return count(1)


@pytest.fixture
def name(numbers: Iterator[int]) -> str:
    """A name for a channel or a client that no other test uses."""
    return f"name-{next(numbers)}"


@pytest.fixture
def run(address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in this process, against the server."""
    monkeypatch.setenv("HEARTLINE_SERVER", address)

    def call(*words: str, stdin: bytes = b"") -> Ran:
        given = tmp_path / "stdin"
        given.write_bytes(stdin)
        with given.open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            code = main(words)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


@pytest.fixture
async def start(address: str, environment: dict[str, str]) -> AsyncIterator[Start]:
    """Starts a command as a program of its own, against the server; what still runs when the test ends is killed."""
    started: list[Process] = []

    async def begin(*words: str, stdout: int = PIPE) -> Process:
        # A shell starts its background jobs deaf to Ctrl-C, and they hand that on.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "heartline", *words),
            env=environment | {"HEARTLINE_SERVER": address},
            stdin=DEVNULL,
            stdout=stdout,
            stderr=PIPE,
        )
        signal.signal(signal.SIGINT, before)
        started.append(program)
        return program

    yield begin
    for program in started:
        if program.returncode is None:
            program.kill()
        await program.communicate()
