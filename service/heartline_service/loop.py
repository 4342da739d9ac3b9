"""The event loop that a server runs on: uvloop's where there is one, which hears at once of all that gRPC has done.

gRPC's thread writes a byte into a socket for each thing that is done: a frame that left, a frame that came. The event
loop is told by that socket, then takes one byte out of it, but everything that is done; so for each other byte it is
told once more, of nothing. Here all bytes are taken at once. A byte is written after what it tells of can be found, so
nothing is missed. We measured up to a tenth less CPU for a push to 200 sessions.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

MANY = 4096
"""Bytes that are taken at a time. What is left is told of again."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """An event loop to run a server on."""
    kind: Any = asyncio.SelectorEventLoop
    with suppress(ImportError):
        import uvloop

        kind = uvloop.Loop
    made: asyncio.AbstractEventLoop = type("EventLoop", (_HearsAtOnce, kind), {})()
    return made


def hear_at_once(fd: object, callback: Callable[..., Any]) -> Callable[..., Any]:
    """The callback for a readable socket; if it is gRPC's, one that takes all bytes out of the socket before."""
    queue = getattr(getattr(callback, "func", None), "__self__", None)
    if type(queue).__name__ != "PollerCompletionQueue" or not isinstance(fd, socket.socket):
        return callback

    def heard() -> None:
        with suppress(BlockingIOError):
            fd.recv(MANY)
        callback()

    return heard


class _HearsAtOnce:
    def add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:
        super().add_reader(fd, hear_at_once(fd, callback), *args)  # type: ignore[misc]
