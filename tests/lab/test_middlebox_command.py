"""`heartline middlebox` as people run it, and the words to it from elsewhere."""

import json
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from e2e.process import Program
from heartline.cli import main

HOST = "127.0.0.1"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A listening socket, as the server behind the box."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(30)
        yield listener


@contextmanager
def middlebox(server: socket.socket, *flags: str) -> Iterator[Program]:
    """The command, in a process of its own."""
    upstream = f"{HOST}:{server.getsockname()[1]}"
    words = [sys.executable, "-m", "heartline", "middlebox", "--listen", f"{HOST}:0", "--upstream", upstream, *flags]
    with Program(*words, open_stdin=True) as program:
        yield program
        assert "Traceback" not in program.err.text()


def in_shell(server: socket.socket) -> str:
    """The command, for bash."""
    return f"{sys.executable} -m heartline middlebox --listen {HOST}:0 --upstream {HOST}:{server.getsockname()[1]}"


def reached(program: Program) -> socket.socket:
    """A connection to the box, as soon as it says that it listens."""
    ready = program.out.wait("heartline middlebox: listening on ")[0]
    host, port = ready.split()[4].rstrip(",").split(":")
    return socket.create_connection((host, int(port)), 30)


def pass_a_byte(client: socket.socket, server: socket.socket) -> None:
    with client, server.accept()[0] as end:
        client.sendall(b"u")
        assert end.recv(1) == b"u"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_relays_until_it_is_told_to_end_and_then_tells_the_totals(
    server: socket.socket, end: signal.Signals
) -> None:
    with middlebox(server) as program:
        pass_a_byte(reached(program), server)
        program.signal(end)
        assert program.wait() == 0
        summary = program.out.all()[-1]
        assert summary.startswith("heartline middlebox: 1 connection, 0 open; up 1 byte in ")
        assert program.err.all() == []


def test_words_on_its_standard_input_switch_faults(server: socket.socket) -> None:
    with middlebox(server, "--latency", "5ms") as program, reached(program) as client, server.accept()[0]:
        program.say("show\n")
        assert program.out.wait("latency 5ms")[0].startswith("1 connection, 1 open; ")
        program.say("latency 50ms\nlatncy 1s\nblack-hole sideways\n\nheal\nhelp\n")
        program.out.wait("idle-timeout TIME [rst]")
        assert program.err.wait("now: ", 2) == ["now: latency 50ms", "now: no faults"]
        assert program.err.wait("nothing changed", 2)[0].startswith("heartline middlebox: 'latncy' is not one of its ")
        program.say("rst\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        program.terminate()
        assert program.wait() == 0


def test_words_from_another_terminal_switch_faults(
    server: socket.socket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "box.sock")
    with middlebox(server, "--control", path) as program, reached(program) as client, server.accept()[0]:
        assert main(["middlebox", "--at", path, "idle-timeout", "5m", "rst"]) == 0
        assert capsys.readouterr().out.endswith("; idle-timeout 5m rst\n")
        program.err.wait("now: idle-timeout 5m rst")
        assert main(["middlebox", "--at", path, "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["type"], shown["faults"]["idle_timeout"], shown["totals"]["open"]) == ("state", 300, 1)
        assert main(["middlebox", "--at", path, "idle-timeout", "never"]) == 64
        assert capsys.readouterr().err.endswith("nothing changed\n")
        assert main(["middlebox", "--at", path, "fin"]) == 0
        assert client.recv(1) == b""
        program.terminate()
        assert program.wait() == 0
    assert not Path(path).exists()


def test_with_json_every_line_is_an_object(server: socket.socket) -> None:
    with middlebox(server, "--json") as program:
        ready = json.loads(program.out.wait('"ready"')[0])
        host, port = ready["listen"].split(":")
        pass_a_byte(socket.create_connection((host, int(port)), 30), server)
        program.say("jitter 1ms\njitter\n")
        program.err.wait('"error"')
        ended = json.loads(program.out.wait('"connection"')[0])
        assert ended["closed_at"] > ended["opened_at"] > 0
        assert ended["up"]["bytes"] == 1
        program.terminate()
        assert program.wait() == 0
        out = [json.loads(line) for line in program.out.all()]
        assert {line["type"] for line in out} == {"ready", "totals", "connection", "summary"}
        assert [(out[-1]["type"], out[-1]["connections"], out[-1]["up"]["bytes"])] == [("summary", 1, 1)]
        assert [json.loads(line)["type"] for line in program.err.all()] == ["order", "error"]


def test_a_server_that_is_down_is_told_and_the_box_goes_on(server: socket.socket) -> None:
    with middlebox(server) as program:
        address = f"{HOST}:{server.getsockname()[1]}"
        server.close()
        with pytest.raises(ConnectionResetError), reached(program) as client:
            client.recv(1)
        told = program.err.wait("no server answers")
        assert told == [f"no server answers at {address}: Connection refused; the client got a reset"]
        program.terminate()
        assert program.wait() == 0


def test_it_goes_on_when_its_standard_input_ends(server: socket.socket) -> None:
    with Program("bash", "-c", f"printf 'latency 5ms' | {in_shell(server)}") as program:
        program.err.wait("now: latency 5ms")
        pass_a_byte(reached(program), server)
        program.interrupt()
        program.out.wait("heartline middlebox: 1 connection, ")


def test_it_ends_when_nobody_reads_what_it_says(server: socket.socket) -> None:
    box = in_shell(server)
    with Program("bash", "-c", f"{box} | head -1; echo ${{PIPESTATUS[0]}}") as program:
        program.out.wait("141")
        assert program.wait() == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("", 64, "it needs --listen and --upstream, or --at"),
        ("--listen 127.0.0.1:0", 64, "it needs --listen and --upstream, or --at"),
        (
            "--listen 127.0.0.1:0 --upstream 127.0.0.1:1 fin",
            64,
            "'fin' is for a middlebox that runs: name it with --at",
        ),
        ("--at none.sock --latency 5ms", 64, "--at takes words, such as `latency 50ms`, and no flags but --json"),
        ("--at none.sock latncy", 64, "'latncy' is not one of its words"),
        ("--at none.sock show", 69, "no middlebox answers at none.sock: No such file or directory"),
        (
            "--listen 127.0.0.1:0 --upstream 127.0.0.1:1 --idle-timeout 0",
            64,
            "idle_timeout is a number of seconds above",
        ),
        (
            "--listen 192.0.2.1:0 --upstream 127.0.0.1:1",
            69,
            "cannot listen on 192.0.2.1:0: Cannot assign requested addr",
        ),
        ("--listen 127.0.0.1:0 --upstream 127.0.0.1:1 --control /", 69, "/ is no socket: choose another for --control"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    words: str, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["middlebox", *words.split()]) == code
    told = capsys.readouterr()
    assert told.err.startswith(f"heartline middlebox: {sentence}")
    assert told.err.count("\n") == 1
    assert "listening" not in told.out


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [
        ("--upstream=nowhere", "'nowhere' is not an address: write HOST:PORT"),
        ("--listen=:0", "':0' is not an address: write HOST:PORT, such as 127.0.0.1:50052; port 0 takes any"),
        ("--latency=soon", "'soon' is not a duration"),
        ("--bandwidth=fast", "'fast' is not a bandwidth: write bytes a second"),
        ("--black-hole=left", "invalid choice: 'left'"),
    ],
)
def test_bad_flags_are_usage_errors(flag: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["middlebox", flag])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
