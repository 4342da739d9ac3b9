"""Experiments are run: some real ones, and what becomes of one that cannot be."""

import asyncio
import errno
import os
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from e2e.proc import marked
from e2e.process import Program
from heartline.cli.exits import CommandError, Exit
from heartline_lab.claims import __main__ as claims
from heartline_lab.claims.__main__ import main
from heartline_lab.claims.parts import Part, Verdict, verdict
from heartline_lab.claims.rights import Need
from heartline_lab.claims.run import Result, examined, run
from heartline_lab.claims.statements import STATEMENTS, Statement
from lab.claims_facts import MEASURED


def judge(facts: str) -> Sequence[Part]:
    return [Part("it is", facts, true=True)]


def statement(number: int, measure: Callable[[], Awaitable[str]], alone: bool = False) -> Statement[str]:
    return Statement(number, "It is.", "-", measure, judge, alone=alone)


def failing(error: Exception) -> Statement[str]:
    async def measure() -> str:
        raise error

    return statement(1, measure)


async def run_some(*numbers: int) -> dict[int, Verdict | str]:
    """Really tests these statements."""
    chosen = [one for one in STATEMENTS if one.number in numbers]
    results = await run(chosen, lambda statement, result: None)
    return {
        number: result.outcome if isinstance(result.outcome, str) else verdict(result.outcome)
        for number, result in results.items()
    }


def expected(*numbers: int) -> dict[int, Verdict]:
    return {number: MEASURED[number][1] for number in numbers}


async def test_connections_and_processes_are_really_tested() -> None:
    numbers = (1, 6, 8, 16, 18)
    assert await run_some(*numbers) == expected(*numbers)


@pytest.mark.needs("capture", "namespaces")
async def test_packets_are_really_captured() -> None:
    numbers = (4, 5, 19, 20)
    assert await run_some(*numbers) == expected(*numbers)


async def test_a_missing_right_is_told_and_is_no_failure() -> None:
    for code in (errno.EPERM, errno.EACCES):
        result = await examined(failing(OSError(code, os.strerror(code))))
        assert isinstance(result.outcome, str)
        assert result.outcome.startswith("needs root: ")
        assert not result.failed


async def test_a_container_whose_kernel_settings_are_fixed_is_told_and_is_no_failure() -> None:
    result = await examined(failing(OSError(errno.EROFS, os.strerror(errno.EROFS), "/proc/sys/net/ipv4/tcp_ecn")))
    assert result.outcome == (
        "needs a kernel whose settings may be changed, as they may not in a container: /proc/sys/net/ipv4/tcp_ecn"
    )
    assert not result.failed


async def test_any_other_failure_is_told_and_is_one() -> None:
    refused = await examined(failing(CommandError("the server did not start", Exit.UNAVAILABLE)))
    broken = await examined(failing(ConnectionResetError(errno.ECONNRESET, "reset")))
    assert (refused.outcome, refused.failed) == ("the server did not start", True)
    assert broken.outcome == "the experiment failed: ConnectionResetError(104, 'reset')"
    assert broken.failed


async def test_a_missing_program_is_told_before_anything_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def measure() -> str:
        raise AssertionError("it was run")

    monkeypatch.setenv("PATH", "/nowhere")
    result = await examined(Statement(1, "It is.", "-", measure, judge, needs=(Need.NFT,)))
    assert result.outcome == "needs the program nft: apt-get install nftables"
    assert result.failed


async def test_a_statement_that_others_would_disturb_is_tested_alone_and_last() -> None:
    under_way: list[int] = []
    beside: dict[int, list[int]] = {}

    def experiment(number: int) -> Callable[[], Awaitable[str]]:
        async def measure() -> str:
            under_way.append(number)
            await asyncio.sleep(0)
            beside[number] = list(under_way)
            under_way.remove(number)
            return "so it is"

        return measure

    chosen = [statement(number, experiment(number), alone=number == 2) for number in (1, 2, 3)]
    told: list[int] = []

    def tell(one: Statement[Any], result: Result) -> None:
        told.append(one.number)

    await run(chosen, tell)
    assert beside[1] == [1, 3]
    assert beside[2] == [2]
    assert told[-1] == 2


def test_one_statement_is_tested_by_its_number() -> None:
    with Program(sys.executable, "-m", "heartline_lab.claims", "16") as program:
        assert program.wait() == 0
        assert program.out.all()[:3] == ["## Statement 16", "", "> A socket may use TCP or UDP."]
        assert program.err.text().startswith("claims: 16: holds (")


@pytest.mark.parametrize(
    ("error", "why", "code"),
    [
        (PermissionError(errno.EPERM, "no"), "needs root: [Errno 1] no", Exit.UNAVAILABLE),
        (CommandError("the server did not start", Exit.UNAVAILABLE), "the server did not start", 1),
    ],
)
def test_a_page_is_not_overwritten_by_one_with_less_tested(
    error: Exception,
    why: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "claims.md"
    page.write_text("all tested")
    monkeypatch.setattr(sys, "argv", ["claims", "--write", str(page)])
    monkeypatch.setattr(claims, "STATEMENTS", [failing(error)])
    assert main() == code
    assert page.read_text() == "all tested"
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"claims: {page} is left as it is, since this machine did not test 1 of 1 statements ({why}): run it where all"
        " can be tested, or without --write to see the others"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["21"], "'21' is no statement: there are 1 to 20"),
        (["four"], "'four' is no statement: there are 1 to 20"),
        (["4", "--write", "page.md"], "--write: not allowed with argument NUMBER"),
    ],
)
def test_bad_words_are_told(
    words: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["claims", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_leave_no_process_behind(number: signal.Signals, code: int) -> None:
    token = str(uuid.uuid4())
    with Program(sys.executable, "-m", "heartline_lab.claims", "7", "16", env={"RUN": token}) as program:
        program.err.wait("claims: 16: ")  # the other has begun by then, and takes longer
        assert len(marked(token)) > 0
        program.signal(number)
        assert program.wait() == code
    assert marked(token) == []
