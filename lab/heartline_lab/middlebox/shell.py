"""A middlebox in a process of its own: from its ready line to its summary, with orders from stdin and from --control.

Rules:
- All is written by one task. What happens elsewhere (an order, a failure, an end) is put in line for it, so that a
  reader that goes away ends the command and nothing else.
- SIGTERM and Ctrl-C end it well, with the summary.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from functools import partial

from heartline.cli.exits import CommandError
from heartline.cli.output import Output, plain, red, yellow
from heartline.durations import format_duration

from heartline_lab.middlebox import typed
from heartline_lab.middlebox.box import Middlebox
from heartline_lab.middlebox.control import controlled, state
from heartline_lab.middlebox.counts import Record
from heartline_lab.middlebox.faults import Faults
from heartline_lab.middlebox.screen import Screen, counted
from heartline_lab.middlebox.words import HELP, Order, described, follow, parse

TICK, JSON_TICK = 0.25, 1.0
"""Seconds between updates of what is shown."""


class Shell:
    """One run of the command."""

    def __init__(self, listen: str, upstream: str, faults: Faults, control: str | None, out: Output) -> None:
        self._box = Middlebox(
            upstream, listen=listen, faults=faults, on_failure=self._note_failure, on_end=self._note_end
        )
        self._upstream = upstream
        self._control = control
        self._out = out
        self._failures: Counter[str] = Counter()
        self._ended: list[Record] = []
        self._jobs: list[Callable[[], None]] = []
        self._stop = asyncio.Event()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Relays until a signal comes. Raises CommandError, BrokenPipeError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        began = loop.time()
        stdin = typed.stdin()
        self._screen = Screen(self._out, typed=stdin is not None and os.isatty(stdin))
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self._box)
                if self._control is not None:
                    await stack.enter_async_context(controlled(self._box, self._control, self._note_order))
                self._announce(stdin)
                if stdin is not None:
                    stack.enter_context(typed.lines(stdin, lambda text: self._put(partial(self._obey, text))))
                await self._show()
        finally:
            self._screen.clear()
        self._tell()
        totals = self._box.totals()
        seconds = loop.time() - began
        fields = {"type": "summary", **asdict(totals), "seconds": round(seconds, 3)}
        self._out.result(fields, f"heartline middlebox: {counted(totals)}; in {format_duration(seconds)}")

    async def _show(self) -> None:
        while not self._stop.is_set():
            self._screen.update(self._box.totals(), self._box.faults)
            with suppress(TimeoutError):
                async with asyncio.timeout(JSON_TICK if self._out.as_json else TICK):
                    await self._wake.wait()
            self._wake.clear()
            self._tell()
            self._out.pause(0)

    def _announce(self, stdin: int | None) -> None:
        fields = {"type": "ready", "listen": self._box.address, "upstream": self._upstream}
        line = f"heartline middlebox: listening on {self._box.address}, upstream {self._upstream}"
        self._out.result(fields, line)
        if stdin is not None and os.isatty(stdin) and not self._out.as_json:
            self._out.news({}, "type `help` for the faults that it knows; Ctrl-C ends it")

    def _tell(self) -> None:
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job()
        ended, self._ended = self._ended, []
        if self._out.as_json:
            for record in ended:
                self._out.result({"type": "connection", **asdict(record)}, "")
        failures, self._failures = self._failures, Counter()
        for sentence, times in failures.items():
            words = sentence if times == 1 else f"{sentence} ({times} times)"
            self._screen.news({"type": "failure", "message": sentence, "times": times}, yellow(plain(words)))

    def _obey(self, text: str) -> None:
        self._screen.entered(plain(text))
        words = text.split()
        if not words:
            return
        try:
            order = parse(words)
            follow(order, self._box)
        except (ValueError, CommandError) as error:
            fields = {"type": "error", "message": str(error)}
            self._screen.news(fields, f"{red('heartline middlebox:')} {plain(str(error))}; nothing changed")
            return
        if order.deed == "help":
            self._screen.result({"type": "help", "message": HELP}, HELP)
        elif order.deed == "show":
            line = f"{counted(self._box.totals())}; {described(self._box.faults)}"
            self._screen.result({"type": "state", **state(self._box)}, line)
        else:
            self._report(order)

    def _report(self, order: Order) -> None:
        faults = self._box.faults
        what = order.deed if order.deed in ("forget", "fin", "rst") else described(faults)
        self._screen.news({"type": "order", **asdict(order), "faults": asdict(faults)}, f"now: {what}")

    def _note_order(self, order: Order) -> None:
        if order.deed not in ("show", "help"):
            self._put(lambda: self._report(order))

    def _note_failure(self, sentence: str) -> None:
        self._failures[sentence] += 1

    def _note_end(self, record: Record) -> None:
        if self._out.as_json:
            self._ended.append(record)

    def _put(self, job: Callable[[], None]) -> None:
        self._jobs.append(job)
        self._wake.set()

    def _end(self) -> None:
        self._stop.set()
        self._wake.set()
