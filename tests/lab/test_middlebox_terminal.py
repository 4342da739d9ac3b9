"""`heartline middlebox` on a terminal: a line that stays up to date, above the words that are typed."""

import os
import pty
import select
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

GUARD = 60.0
"""Seconds."""
UPDATE = "\x1b7\x1b[1A\r\x1b[2K"
"""How the line is written anew: the cursor stays where it is."""


class Terminal:
    """A pseudo-terminal with a program in it."""

    def __init__(self, *argv: str, **environment: str) -> None:
        self._fd, theirs = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **environment},
        )
        os.close(theirs)

    def until(self, part: str) -> str:
        """Waits until it was shown, and returns what was shown since the last wait up to there."""
        while part not in self.shown:
            ready, _, _ = select.select([self._fd], [], [], GUARD)
            assert ready, f"{part!r} was not shown, but this: {self.shown!r}"
            self.shown += os.read(self._fd, 65536).decode()
        before, _, self.shown = self.shown.partition(part)
        return before + part

    def type(self, text: str) -> None:
        """Types."""
        os.write(self._fd, text.encode())

    def close(self) -> None:
        """Ends the program if it runs, and the terminal."""
        self.process.kill()
        self.process.wait()
        os.close(self._fd)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A listening socket, as the server behind the box."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def terminal(server: socket.socket, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """The command on a terminal."""
    addresses = ["--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{server.getsockname()[1]}"]
    environment = getattr(request, "param", {})
    terminal = Terminal(sys.executable, "-m", "heartline", "middlebox", *addresses, **environment)
    yield terminal
    terminal.close()


def test_the_line_is_updated_without_disturbing_what_is_being_typed(server: socket.socket, terminal: Terminal) -> None:
    ready = terminal.until("no faults\r\n> ")
    port = int(ready.split("listening on 127.0.0.1:")[1].split(",")[0])
    assert "\r\n0 connections, 0 open; up 0 bytes in 0 segments; down 0 bytes in 0 segments; no faults\r\n> " in ready
    terminal.type("laten")
    terminal.until("laten")
    with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
        client.sendall(b"hello")
        assert f"{UPDATE}1 connection, 1 open; up 5 bytes in " in terminal.until("up 5 bytes in 3 segments")
        terminal.type("cy 50ms\n")
        terminal.until("> latency 50ms\r\n")
        terminal.until("now: latency 50ms\r\n")
        terminal.until("; latency 50ms\r\n> ")


def test_ctrl_c_gives_the_line_back_and_leaves_the_totals(terminal: Terminal) -> None:
    terminal.until("> ")
    terminal.type("\x03")
    end = terminal.until("heartline middlebox: 0 connections, 0 open")
    assert end.endswith("\x1b[1A\r\x1b[Jheartline middlebox: 0 connections, 0 open")
    assert terminal.process.wait(GUARD) == 0


@pytest.mark.parametrize("terminal", [{"TERM": "dumb"}], indirect=True)
def test_a_terminal_that_can_only_append_gets_no_such_line(terminal: Terminal) -> None:
    terminal.until("Ctrl-C ends it\r\n")
    terminal.type("show\n")
    assert "\x1b" not in terminal.until("0 connections, 0 open; ")
