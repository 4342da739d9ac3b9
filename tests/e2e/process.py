"""Real processes for tests: the server as people start it, and any other program, with its output kept as it comes.

Rules:
- A wait is for an event (a line, the end, being stopped), under a guard timeout that fails loudly with what was said.
- A process is ended by its id, and so is all that it started: each is the head of a group of its own.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

GUARD = 30.0
"""Seconds after which a wait gives up. Long, because it only ever passes when something is broken."""

ROOT = Path(__file__).parents[2]


class Lines:
    """What one stream of a process has brought so far."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def all(self) -> list[str]:
        """The lines, without their ends."""
        with self._changed:
            return list(self._lines)

    def text(self) -> str:
        """All of it."""
        return "\n".join(self.all())

    def wait(self, part: str, count: int = 1, within: float = GUARD) -> list[str]:
        """Returns the lines that contain `part` when there are `count`. Raises AssertionError if they do not come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._with(part)) >= count, within)
            found = self._with(part)
        if len(found) < count:
            raise AssertionError(f"{count} x {part!r} did not come within {within} s, but this did:\n{self.text()}")
        return found

    async def line(self, part: str, within: float = GUARD) -> str:
        """Waits for the first line that contains `part`."""
        return (await self.lines(part, 1, within))[0]

    async def lines(self, part: str, count: int, within: float = GUARD) -> list[str]:
        """As `wait`, beside other tasks."""
        return await asyncio.to_thread(self.wait, part, count, within)

    def finish(self) -> None:
        """Waits until the stream has ended."""
        self._reader.join(GUARD)

    def _with(self, part: str) -> list[str]:
        return [line for line in self._lines if part in line]

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for raw in stream:
                self._add(raw.decode(errors="replace").rstrip("\n"))
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _add(self, line: str) -> None:
        with self._changed:
            self._lines.append(line)
            self._changed.notify_all()


class Program:
    """A running program. Use it with `with`: it is killed at the end if it still runs."""

    def __init__(
        self, *argv: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, open_stdin: bool = False
    ) -> None:
        self._process = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.PIPE if open_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment(), **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.pid = self._process.pid
        self.out = Lines(self._process.stdout)
        self.err = Lines(self._process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def say(self, text: str) -> None:
        """Writes to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to this one process."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """Stops it as SIGSTOP does, and returns when it has come to a halt."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        """Lets a stopped process run again."""
        self.signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Asks it to end, as service managers do."""
        self.signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """What Ctrl-C does: SIGINT to it and all that it started."""
        os.killpg(self.pid, signal.SIGINT)

    def wait(self, within: float = GUARD) -> int:
        """Returns the exit code when it has ended, negative for a signal. Raises AssertionError when it goes on."""
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            said = self.out.text() + self.err.text()
            raise AssertionError(f"it did not end within {within} s, and said:\n{said}") from None
        self.out.finish()
        self.err.finish()
        return code

    async def ended(self, within: float = GUARD) -> int:
        """As `wait`, beside other tasks."""
        return await asyncio.to_thread(self.wait, within)

    def kill(self) -> None:
        """Ends it as kill -9 does, with all that it started, if it still runs."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self.wait()


class Command(Program):
    """`heartline ...`, as a person runs it."""

    def __init__(self, *words: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        super().__init__(sys.executable, "-m", "heartline", *words, env=env, cwd=cwd)


class Serving(Program):
    """`heartline serve` on a free port. `address` is where it serves, once `ready` has returned."""

    def __init__(
        self, *flags: str, store: str = "memory:", listen: str = "127.0.0.1:0", wrap: Sequence[str] = ()
    ) -> None:
        self.address = ""
        serve = [sys.executable, "-m", "heartline", "serve", "--listen", listen, "--store", store]
        super().__init__(*wrap, *serve, *flags)

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert "Traceback" not in self.err.text(), self.err.text()

    def ready(self) -> Self:
        """Waits until it says that it serves."""
        try:
            line = self.out.wait("heartline: serving on ")[0]
        except AssertionError:
            raise AssertionError(f"it does not serve, and says: {self.err.text()}") from None
        self.address = line.split()[3].rstrip(",")
        return self


Start = Callable[..., Serving]
"""The fixture `start`: takes what Serving takes, and returns it when it is ready."""


def environment() -> dict[str, str]:
    """The environment for programs under test: nothing in it that would change what Heartline does."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HEARTLINE_")}
