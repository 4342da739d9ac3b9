"""A headless Chromium for tests: what a page looks like, what it says on its console, and what it fetches.

It is steered by its debugging pipe (file descriptors 3 and 4, JSON ended by a NUL), so nothing listens on a port. Every
wait has one guard timeout; the browser and its profile are gone when the block ends.
"""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools import path

GUARD = 60.0
"""Seconds after which a wait gives up. Long, because it only ever passes when something is broken."""

_AS_3_AND_4 = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
)


@contextmanager
def browsing() -> Iterator["Browser"]:
    """Runs a browser with one blank page until the block ends."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        (its_in, commands), (answers, its_out) = os.pipe(), os.pipe()
        chromium = [path("chromium"), *_FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            [sys.executable, "-c", _AS_3_AND_4, str(its_in), str(its_out), *chromium, "about:blank"],
            pass_fds=(its_in, its_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(its_in)
        os.close(its_out)
        try:
            yield Browser(commands, answers)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(commands)
            os.close(answers)


class Browser:
    """One page. `complaints` are the errors and warnings it made, `fetched` the addresses it asked for."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._rest = b""
        self._last = 0
        self._session = ""
        self._loaded = False
        self.complaints: list[str] = []
        self.fetched: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, file: Path, width: int = 1280, *, dark: bool = False) -> None:
        """Loads a file in a window of this width, in px, for a reader who prefers this scheme."""
        self.complaints.clear()
        self.fetched.clear()
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=scheme)
        self._loaded = False
        self._call("Page.navigate", url=file.as_uri())
        while not self._loaded:
            self._next()

    def ask(self, expression: str) -> Any:
        """What a JavaScript expression comes to."""
        return self._call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def screenshot(self, file: Path) -> None:
        """Saves the whole page as a PNG file."""
        picture = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(picture["data"]))

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._last += 1
        request = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            request["sessionId"] = self._session
        os.write(self._commands, json.dumps(request).encode() + b"\0")
        while (message := self._next()).get("id") != self._last:
            pass
        assert "result" in message, message
        result: dict[str, Any] = message["result"]
        return result

    def _next(self) -> dict[str, Any]:
        """The next message, its news taken in. Raises AssertionError when none comes in time."""
        until = time.monotonic() + GUARD
        while b"\0" not in self._rest:
            assert select.select([self._answers], [], [], max(0, until - time.monotonic()))[0], (
                "the browser says nothing"
            )
            part = os.read(self._answers, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._take_in(message.get("method"), message.get("params", {}))
        return message

    def _take_in(self, method: str | None, news: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.fetched.append(news["request"]["url"])
        elif method == "Log.entryAdded":
            self._complain(news["entry"]["level"], [news["entry"]["text"]])
        elif method == "Runtime.consoleAPICalled":
            self._complain(news["type"], [str(each.get("value", each.get("description"))) for each in news["args"]])
        elif method == "Runtime.exceptionThrown":
            self._complain("error", [news["exceptionDetails"]["text"]])

    def _complain(self, level: str, words: Sequence[str]) -> None:
        if level in ("error", "warning", "assert"):
            self.complaints.append(" ".join(words))
