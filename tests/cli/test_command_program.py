"""The command line as a program: terminals, other packages' commands, and what is missing."""

import asyncio
import os
import pty
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from cli.programs import GUARD, Start
from heartline.cli import main


async def test_a_terminal_gets_colours(start: Start, name: str) -> None:
    terminal, ours = pty.openpty()
    async with asyncio.timeout(GUARD):
        publishing = await start("publish", name, "x", stdout=ours)
        os.close(ours)
        await publishing.communicate()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        assert screen.read(100) == f"{name} \x1b[1m#1\x1b[22m\r\n".encode()


async def test_a_command_that_is_interrupted_before_it_begins_says_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    # gRPC is what takes longest to load; Ctrl-C comes while it does.
    (tmp_path / "grpc.py").write_text("raise KeyboardInterrupt\n")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heartline", "publish", "orders", "x"),
        env=environment | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"},
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(GUARD):
        assert await program.communicate() == (b"", b"")
    assert program.returncode == 130


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(site: Path, command: str, place: str) -> None:
    """Puts an entry point there, as an installation does."""
    info = site / "other-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(f"[heartline.commands]\n{command} = {place}\n")


def test_another_package_adds_a_command(site: Path) -> None:
    install(site, "wave", "waving:add_command")
    (site / "waving.py").write_text(
        "def add_command(subparsers):\n"
        "    parser = subparsers.add_parser('wave')\n"
        "    parser.add_argument('--times', type=int)\n"
        "    parser.set_defaults(run=lambda args: args.times)\n"
    )
    assert main(["wave", "--times", "7"]) == 7
    del sys.modules["waving"]


def test_a_command_whose_package_is_missing_says_what_to_install(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "measure", "heartline_ruler.command:add_command")
    assert main(["measure", "--how", "well"]) == 69
    assert capsys.readouterr().err == (
        "heartline measure: this command needs the ruler: pip install 'heartline[ruler]'\n"
    )


def test_a_broken_command_of_another_package_does_not_touch_ours(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "broken", "broken:add_command")
    (site / "broken.py").write_text("raise RuntimeError('broken')\n")
    with pytest.raises(SystemExit) as ended:
        main(["publish", "--help"])
    assert ended.value.code == 0
    assert "usage: heartline publish" in capsys.readouterr().out
