"""`heartline middlebox --namespace` as people use it: real programs at both ends of a cable, and words that harm it."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.process import Command, Program
from heartline.cli import main
from heartline_lab.middlebox.words import Order, from_json, to_json
from heartline_lab.network.commands import Loss, described, forgetting, losses

needs_namespaces = pytest.mark.needs("namespaces")
HEARTLINE = (sys.executable, "-m", "heartline")
REACHED, LOST = 0, 69
"""What `heartline who` ends with."""


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Program]:
    """The command, when it is ready."""
    control = str(tmp_path / "cable.sock")
    with Program(*HEARTLINE, "middlebox", "--namespace", "--control", control, open_stdin=True) as program:
        program.out.wait("the client's")
        yield program
        assert "Traceback" not in program.err.text()


def shown(cable: Program, end: str) -> list[str]:
    """The command line that it shows for an end, with this Python's Heartline in it."""
    words = cable.out.wait(f"the {end}'s")[0].split()
    at = words.index("heartline")
    return [*words[words.index("ip") : at], *HEARTLINE, *words[at + 1 :]]


@pytest.fixture
def who(cable: Program) -> Iterator[list[str]]:
    """A command that asks the server at the other end who is there; the server runs."""
    with Program(*shown(cable, "server"), "--log-level", "warning") as server:
        address = server.out.wait("heartline: serving on")[0].split()[3].rstrip(",")
        inside = shown(cable, "client")[:4]
        yield [*inside, *HEARTLINE, "who", "--timeout", "500ms", "--server", address]


def asked(who: list[str]) -> int:
    """Asks once."""
    with Program(*who) as program:
        return program.wait()


@needs_namespaces
def test_programs_at_its_ends_meet_and_words_on_its_standard_input_part_them(cable: Program, who: list[str]) -> None:
    assert asked(who) == REACHED
    cable.say("drop up\n")
    cable.err.wait("now: drop up")
    assert asked(who) == LOST
    cable.say("heal\n")
    cable.err.wait("now: no faults")
    assert asked(who) == REACHED


@needs_namespaces
def test_words_from_another_terminal_part_them_too(
    cable: Program, who: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["middlebox", "--at", str(tmp_path / "cable.sock")]
    assert main([*at, "pull"]) == 0
    assert capsys.readouterr().out == "pull\n"
    cable.err.wait("now: pull")
    assert asked(who) == LOST
    assert main([*at, "heal", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"type": "state", "cable": "no faults"}
    assert main([*at, "latency", "5ms"]) == 64
    assert "a cable knows pull, drop, forget, heal and show" in capsys.readouterr().err


@needs_namespaces
def test_words_that_make_no_sense_change_nothing(cable: Program) -> None:
    cable.say("drop\ndrop sideways\nrefuse\nnonsense\n\nhelp\nshow\n")
    cable.out.wait("no faults")
    refusals = cable.err.wait("; nothing changed", 4)
    told = [line.removeprefix("heartline middlebox: ").removesuffix("; nothing changed") for line in refusals]
    assert told[:3] == ["write `drop up|down|both`"] * 2 + [
        "a cable knows pull, drop, forget, heal and show; the rest is for a relay"
    ]
    assert told[3].startswith("'nonsense' is not one of its words")
    assert any(line.startswith("pull  ") for line in cable.out.all())


@needs_namespaces
@pytest.mark.parametrize("end", ["terminate", "interrupt"])
def test_when_it_is_told_to_end_its_namespaces_and_its_socket_go(cable: Program, end: str, tmp_path: Path) -> None:
    names = {shown(cable, end)[3] for end in ("client", "server")}
    assert names <= set(os.listdir("/run/netns"))
    getattr(cable, end)()
    assert cable.wait() == 0
    assert not names & set(os.listdir("/run/netns"))
    assert list(tmp_path.iterdir()) == []


@needs_namespaces
def test_with_json_every_line_is_an_object() -> None:
    with Program(*HEARTLINE, "middlebox", "--namespace", "--json", open_stdin=True) as cable:
        ready = json.loads(cable.out.wait('"ready"')[0])
        assert ready["server"]["namespace"] in os.listdir("/run/netns")
        assert ready["client"]["ip"] != ready["server"]["ip"]
        cable.say("drop both\ndrop\nshow\n")
        assert json.loads(cable.out.wait('"state"')[0]) == {"type": "state", "cable": "drop both"}
        cable.terminate()
        assert cable.wait() == 0
        news = [json.loads(line) for line in cable.err.wait("type", 2)]
        assert {one["type"] for one in news} == {"order", "error"}


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (["--listen", "127.0.0.1:0"], "--namespace takes no flags but --control and --json: a cable is no relay"),
        (["--latency", "5ms"], "--namespace takes no flags but --control and --json: a cable is no relay"),
        (["--at", "box.sock"], "--at takes words, such as `latency 50ms`, and no flags but --json"),
        (["pull"], "'pull' is for a middlebox that runs: name it with --at"),
    ],
)
def test_flags_that_do_not_go_together_are_told(
    flags: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["middlebox", "--namespace", *flags]) == 64
    assert error in capsys.readouterr().err


def test_without_ip_it_says_how_to_get_it(tmp_path: Path) -> None:
    with Command("middlebox", "--namespace", env={"PATH": str(tmp_path)}) as command:
        assert command.wait() == 69
        assert command.err.text() == (
            "heartline middlebox: network namespaces need the program ip: apt-get install iproute2"
        )


def test_a_relay_says_that_cables_are_pulled_elsewhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    control = str(tmp_path / "box.sock")
    relay = ("middlebox", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1", "--control", control)
    with Command(*relay) as command:
        command.out.wait("listening on")
        assert main(["middlebox", "--at", control, "pull"]) == 64
        assert "`pull` is for a cable: start it with --namespace; nothing changed" in capsys.readouterr().err


@pytest.mark.parametrize("order", [Order("pull"), Order("drop", way="down")])
def test_orders_to_a_cable_survive_json(order: Order) -> None:
    assert from_json(to_json(order)) == order


@pytest.mark.parametrize("line", ['{"deed": "drop"}', '{"deed": "drop", "way": []}', '{"deed": "heal", "way": "up"}'])
def test_an_order_that_names_no_way_or_one_too_many_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="way is up, down or both, and goes with the deed drop alone"):
        from_json(line)


@pytest.mark.parametrize(
    ("pulled", "lost", "words"),
    [
        (False, frozenset[Loss](), "no faults"),
        (True, losses("down"), "pull, drop down"),
        (False, losses("both") | forgetting([1, 2]), "drop both, forgot 2 connections"),
        (False, losses("up") | forgetting([1]), "drop up, forgot 1 connection"),
    ],
)
def test_what_is_wrong_with_a_cable_is_told_in_the_words_that_make_it(
    pulled: bool, lost: frozenset[Loss], words: str
) -> None:
    assert described(pulled, lost) == words
