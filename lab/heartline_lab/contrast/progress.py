"""A bar on stderr for as long as a measurement takes; nothing where stderr is no terminal.

Rule: it is drawn twice a second and from the loop that measures, never from a thread of its own: that would hold up the
publisher and the middlebox at moments of its choosing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

PAUSE = 0.5
"""Seconds between two drawings."""


@asynccontextmanager
async def progress(total_seconds: float) -> AsyncIterator[Callable[[str, float], None]]:
    """Shows it; what it gives is told of each step, with the seconds that this takes, more or less."""
    console = Console(stderr=True)
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.description}"))
    with Progress(
        *columns, console=console, auto_refresh=False, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("starting", total=total_seconds)
        passed, began, expected = 0.0, time.monotonic(), 0.0

        def begin(step: str, seconds: float) -> None:
            nonlocal passed, began, expected
            passed, began, expected = passed + expected, time.monotonic(), seconds
            bar.update(task, description=step)

        async def draw() -> None:
            while True:
                bar.update(task, completed=passed + min(expected, time.monotonic() - began), refresh=True)
                await asyncio.sleep(PAUSE)

        drawing = asyncio.create_task(draw())
        try:
            yield begin
        finally:
            drawing.cancel()
