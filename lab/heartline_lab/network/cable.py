"""`heartline middlebox --namespace`: a pair of namespaces for people's own programs, and words that do it harm.

Rules:
- Words come from standard input and from --control, and are followed and told in the order in which they came.
- SIGTERM and Ctrl-C end it well. The namespaces go then; programs that still run in them keep them until they end.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from heartline.cli.exits import CommandError
from heartline.cli.output import Output, plain, red

from heartline_lab.middlebox import typed, words
from heartline_lab.middlebox.control import answering
from heartline_lab.middlebox.words import Order
from heartline_lab.network.pair import Pair

PORT = 50051
"""Where the examples have their server."""


class Cable:
    """One run of the command. `control` is the path of a Unix socket to take words from, or None."""

    def __init__(self, control: str | None, out: Output) -> None:
        self._control = control
        self._out = out
        self._pair = Pair()
        self._jobs: asyncio.Queue[Callable[[], None] | None] = asyncio.Queue()

    async def run(self) -> None:
        """Holds the pair until a signal comes. Raises CommandError, BrokenPipeError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._jobs.put_nowait, None)
        stdin = typed.stdin()
        with self._pair:
            async with AsyncExitStack() as stack:
                if self._control is not None:
                    await stack.enter_async_context(answering(self._control, self._obey))
                self._announce(stdin)
                if stdin is not None:
                    stack.enter_context(
                        typed.lines(stdin, lambda text: self._jobs.put_nowait(lambda: self._hear(text)))
                    )
                while (job := await self._jobs.get()) is not None:
                    job()

    def _announce(self, stdin: int | None) -> None:
        client, server = self._pair.client, self._pair.server
        serve = f"heartline serve --listen {server.ip}:{PORT} --store memory:"
        listen = f"heartline listen orders --server {server.ip}:{PORT}"
        fields = {
            "type": "ready",
            "client": {"namespace": client.name, "ip": client.ip},
            "server": {"namespace": server.name, "ip": server.ip},
        }
        lines = [
            "heartline middlebox: a cable between two namespaces; run programs at its ends, as root:",
            f"  the server's, {server.ip}:  {' '.join(server.inside())} {serve}",
            f"  the client's, {client.ip}:  {' '.join(client.inside())} {listen}",
        ]
        self._out.result(fields, "\n".join(lines))
        if stdin is not None and os.isatty(stdin) and not self._out.as_json:
            self._out.news({}, "type `help` for the words that it knows; Ctrl-C ends it")

    def _hear(self, text: str) -> None:
        if not text.split():
            return
        try:
            order = words.parse(text.split())
            state = self._obey(order)
        except (ValueError, CommandError) as error:
            fields = {"type": "error", "message": str(error)}
            self._out.news(fields, f"{red('heartline middlebox:')} {plain(str(error))}; nothing changed")
            return
        if order.deed == "help":
            self._out.result({"type": "help", "message": words.CABLE_HELP}, words.CABLE_HELP)
        elif order.deed == "show":
            self._out.result({"type": "state", **state}, str(self._pair))

    def _obey(self, order: Order) -> dict[str, Any]:
        if order.deed == "pull":
            self._pair.pull()
        elif order.deed == "drop" and order.way:
            self._pair.drop(order.way)
        elif order.deed == "forget":
            self._pair.forget()
        elif order.deed == "heal":
            self._pair.heal()
        elif order.deed not in ("show", "help"):
            raise ValueError("a cable knows pull, drop, forget, heal and show; the rest is for a relay")
        state = {"cable": str(self._pair)}
        if order.deed not in ("show", "help"):
            fields = {"type": "order", **asdict(order), **state}
            self._jobs.put_nowait(lambda: self._out.news(fields, f"now: {state['cable']}"))
        return state
