"""A real server for the library's tests, a guard against hanging, and a way to wait for a line's state."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

import heartline
import pytest
from client.fake_server import States
from heartline_service.server import Server
from heartline_service.settings import Settings

TRANSPORTS = pytest.mark.parametrize("transport", ["stream", "poll", "auto"])
P = ParamSpec("P")


def guarded(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, Coroutine[Any, Any, None]]:
    """No test here may hang."""

    @wraps(test)
    async def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async with asyncio.timeout(20):
            await test(*args, **kwargs)

    return run


async def start(listen: str = "127.0.0.1:0", store: str = "memory:") -> Server:
    """A running server."""
    server = Server(Settings(listen=listen, store=store, grace=0.3, drain_timeout=0.3, name="test"))
    await server.start()
    return server


class Watch:
    """Collects states, and lets a test wait for one: give `note` as on_state."""

    def __init__(self) -> None:
        self.states = States()
        self._news = asyncio.Event()

    def note(self, state: heartline.LineState) -> None:
        self.states.append(state)
        self._news.set()

    async def until(self, name: str, count: int = 1) -> heartline.LineState:
        """Waits until the state was entered so many times."""
        while self.states.names.count(name) < count:
            self._news.clear()
            await self._news.wait()
        return [state for state in self.states if state.name == name][count - 1]
