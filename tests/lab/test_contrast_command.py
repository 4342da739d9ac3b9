"""`heartline contrast` as a person runs it: small, for real, once; and what it does when told nonsense, or to stop."""

import os
import select
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.proc import marked
from e2e.process import GUARD, Command, environment
from heartline.cli import main
from heartline.cli.exits import Exit
from heartline_lab.contrast.command import hand_over
from heartline_lab.contrast.results import MODES, Contrast, from_json, to_json
from lab.contrast_example import contrast

CLIENTS, EVENTS = 3, 10
SMALL = ("--clients", "3", "--rate", "25", "--seconds", "400ms", "--poll-interval", "100ms", "--repeats", "1")


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run left behind."""

    out: str
    err: str
    folder: Path

    @property
    def result(self) -> Contrast:
        """What it wrote as JSON."""
        return from_json((self.folder / "new.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A small contrast, with all kinds of files, run once."""
    folder = tmp_path_factory.mktemp("contrast")
    files = ("--json", folder / "new.json", "--html", folder / "new.html", "--png", folder / "new/png")
    with Command("contrast", *SMALL, *files) as command:
        assert command.wait() == Exit.OK, command.err.text()
    return Ran(command.out.text(), command.err.text(), folder)


@pytest.mark.parametrize("mode", MODES)
def test_every_event_comes_once_to_every_client(ran: Ran, mode: str) -> None:
    made = next(each for each in ran.result.modes if each.mode == mode)
    assert (made.delivered, made.lost, made.duplicated) == (CLIENTS * EVENTS, 0, 0)


def test_connections_are_what_tells_the_modes_apart(ran: Ran) -> None:
    short, *lasting = ran.result.modes
    assert short.connections == short.calls >= CLIENTS
    assert [each.connections for each in lasting] == [CLIENTS] * 3


def test_only_polls_at_intervals_can_come_back_empty(ran: Ran) -> None:
    assert [each.mode for each in ran.result.modes if each.empty_calls] in (["short", "kept"], ["short"], ["kept"], [])


@pytest.mark.parametrize("mode", MODES)
def test_every_figure_was_measured(ran: Ran, mode: str) -> None:
    made = next(each for each in ran.result.modes if each.mode == mode)
    latency = made.latency_ms
    assert 0 < latency.p50 <= latency.p95 <= latency.p99
    measured = (made.bytes_up, made.bytes_down, made.segments_up, made.segments_down, made.client_wakeups, made.calls)
    assert min(measured) > 0
    assert made.online_after_vanishing_seconds > 0
    assert made.run_seconds >= 0.4


@pytest.mark.parametrize("mode", MODES)
def test_there_is_what_plots_and_diagrams_need(ran: Ran, mode: str) -> None:
    made = next(each for each in ran.result.modes if each.mode == mode)
    assert len(made.latency_samples_ms) == CLIENTS * EVENTS
    assert [each.at_seconds for each in made.traffic] == sorted(each.at_seconds for each in made.traffic)
    assert {"Publish", "receipt"} < {step.label for step in made.way}


def test_polls_that_connect_each_time_take_more_bytes_than_polls_that_do_not(ran: Ran) -> None:
    short, kept, *_ = ran.result.modes
    assert short.bytes_up / short.calls > kept.bytes_up / kept.calls


def test_it_advises_for_the_numbers_that_were_asked_about(ran: Ran) -> None:
    advice = ran.result.advice
    assert (advice.clients, advice.rate, advice.fresh_within_seconds) == (CLIENTS, 25.0, 1.0)
    assert [choice.mode for choice in advice.choices] == list(MODES)
    assert " ".join(advice.text).startswith("For 3 clients, 25 events a second, news at most 1 s old: take ")


def test_the_tables_go_to_stdout_and_no_bar_to_a_stderr_that_is_no_terminal(ran: Ran) -> None:
    assert ran.out.splitlines()[0].startswith("3 clients, 25 events a second of 100 bytes, polls every 100 ms")
    assert all(line.startswith("wrote ") for line in ran.err.splitlines())


def test_it_writes_the_page_and_the_plots(ran: Ran) -> None:
    assert (ran.folder / "new.html").read_text("utf-8").startswith("<!")
    assert list((ran.folder / "new/png").glob("*.png"))


def test_json_to_stdout_is_all_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    hand_over(contrast(), Namespace(json_file=Path("-"), html=None, png=None))
    assert capsys.readouterr().out == to_json(contrast())


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--clients", "0"), "'0' is not a number from 1"),
        (("--rate", "much"), "'much' is not a number of events a second from 0.001 to 1000000"),
        (("--rate", "0"), "'0' is not a number of events a second"),
        (("--rate", "nan"), "'nan' is not a number of events a second"),
        (("--seconds", "soon"), "'soon' is not a duration"),
        (("--seconds", "1ms"), "'1ms' is not from 200ms to 10m"),
        (("--poll-interval", "0"), "'0' is not from 10ms to 10m"),
        (("--fresh-within", "0"), "'0' is not from 1ms to 1d"),
        (("--payload", "2000000"), "'2000000' is too many bytes for an event: at most 1000000"),
        (("--repeats", "1000"), "'1000' is too often: at most 100"),
        (("--sweeep",), "unrecognized arguments: --sweeep"),
    ],
)
def test_nonsense_is_refused_in_words(flags: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["contrast", *flags])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "path", "why"),
    [
        ("--json", "missing/new.json", "No such file or directory"),
        ("--html", "missing/new.html", "No such file or directory"),
        ("--json", ".", "Is a directory"),
        ("--png", "file", "Not a directory"),
        ("--png", "file/below", "Not a directory"),
    ],
)
def test_a_place_that_cannot_be_written_is_noticed_before_anything_is_measured(
    flag: str, path: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("kept")
    assert main(["contrast", flag, str(tmp_path / path)]) == Exit.IO
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"heartline contrast: cannot write {tmp_path / path}: {why}\n"
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file", "kept")]


@contextmanager
def measuring(tag: str) -> Iterator[subprocess.Popen[bytes]]:
    """A contrast in the middle of its first run, on a terminal; its processes have the tag in their environment."""
    here, there = os.openpty()
    words = [sys.executable, "-m", "heartline", "contrast", "--repeats", "1", "--seconds", "500ms"]
    env = {**environment(), "CONTRAST_TEST": tag, "TERM": "xterm"}
    with subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=there, start_new_session=True) as program:
        os.close(there)
        try:
            said = b""
            while b"short, 1 of 1" not in said:
                assert select.select([here], [], [], GUARD)[0], said
                said += os.read(here, 4096)
            yield program
        finally:
            program.terminate()
            os.close(here)


def test_whoever_stops_it_has_all_its_processes_gone(tmp_path: Path) -> None:
    tags = f"{tmp_path}/ctrl-c", f"{tmp_path}/sigterm"
    with measuring(tags[0]) as stopped, measuring(tags[1]) as terminated:
        assert min(len(marked(tag)) for tag in tags) >= 4  # itself, two servers, the clients that vanish
        stopped.send_signal(signal.SIGINT)
        terminated.send_signal(signal.SIGTERM)
        assert (stopped.wait(GUARD), terminated.wait(GUARD)) == (Exit.INTERRUPTED, Exit.TERMINATED)
        assert [marked(tag) for tag in tags] == [[], []]
