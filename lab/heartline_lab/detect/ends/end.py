"""What both programs share: how they speak, the faults that they do to themselves, and how late they are woken up.

Rules:
- They speak in lines of JSON on stdout; moments are of the machine's monotonic clock, which all its processes share.
- A detector speaks once, when it has noticed.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from heartline_lab.sockets import end_with_reset

HANG = signal.SIGUSR1
"""Tells a program to block its event loop for good."""
CRASH = signal.SIGUSR2
"""Tells a program to end with RST on all its connections."""

_LOOK_INTERVAL = 0.05
"""Seconds between two looks at how late a timer comes."""
_WORTH_TELLING = 0.002
"""Seconds that a timer may be late before that is told."""
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")


@dataclass(frozen=True, slots=True)
class Order:
    """What a program is to do. `interval` and `timeout`, in seconds, are what each detector is set to."""

    host: str
    """Where the server listens, and the client finds it."""
    ports: tuple[int, ...]
    """Of the raw sockets, plain gRPC, and Heartline; none for the server, which takes free ones."""
    interval: float
    timeout: float


class Witness:
    """Tells of what was noticed, and when all detectors are at their posts."""

    def __init__(self, *posts: str) -> None:
        self._missing = set(posts)
        self._noticed: set[str] = set()

    def notice(self, detector: str, how: str, heard_at: float | None = None) -> None:
        """The detector has noticed that the peer is gone; `heard_at` is when it last heard it, if it knows."""
        if detector not in self._noticed:
            self._noticed.add(detector)
            say(noticed=detector, at=time.monotonic(), how=how, heard_at=heard_at)

    def post(self, detector: str) -> None:
        """The detector watches from now on."""
        if detector in self._missing:
            self._missing.remove(detector)
            if not self._missing:
                say(armed=True)


def say(**fields: object) -> None:
    """Writes one line."""
    print(json.dumps(fields), flush=True)


def main(work: Callable[[Order], Coroutine[None, None, None]]) -> None:
    """Runs the program, whose one argument is its Order in JSON."""
    fields = json.loads(sys.argv[1])
    logging.getLogger("heartline").addHandler(logging.NullHandler())
    for name in _PROXIES:  # they know the way out, not the way to a namespace
        os.environ.pop(name, None)
    order = Order(fields["host"], tuple(fields["ports"]), fields["interval"], fields["timeout"])
    try:
        asyncio.run(_run(work, order))
    except* OSError:  # the other end, or who listens to us, is gone: that is noticed elsewhere
        sys.exit(1)


async def _run(work: Callable[[Order], Coroutine[None, None, None]], order: Order) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(HANG, time.sleep, 1e6)
    loop.add_signal_handler(CRASH, _crash)
    async with asyncio.TaskGroup() as group:
        group.create_task(work(order))
        group.create_task(_tell_lateness())


async def _tell_lateness() -> None:
    while True:
        due = time.monotonic() + _LOOK_INTERVAL
        await asyncio.sleep(_LOOK_INTERVAL)
        late = time.monotonic() - due
        if late > _WORTH_TELLING:
            say(late=late, at=due)


def _crash() -> None:
    # A kernel that closes a socket so sends RST, as one does for a process that ends with data unread.
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(name))) as copy:
            end_with_reset(copy)
    os.kill(os.getpid(), signal.SIGKILL)
