"""What the tests of the command line hold in hand: commands that ran, and how to start one."""

from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

GUARD = 10.0
"""No test waits longer than this, in seconds."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()


Run = Callable[..., Ran]
Start = Callable[..., Awaitable[Process]]
