"""Runs clients that vanish beside everything else, and collects for how long they still counted as online.

Rule: their server has no grace for lost connections, which would come on top for streams alone (5 s by default): what
is compared is the promise that both kinds of client can make alike.
"""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from heartline.cli.exits import CommandError, Exit

from heartline_lab.contrast.results import MODES, Workload
from heartline_lab.processes import running, serving

PATIENCE = 60.0
"""Seconds, beside the promise, within which a first round must be over."""

Gone = dict[str, list[float]]
"""For how many seconds each client of a mode still counted as online."""


@asynccontextmanager
async def vanishing(workload: Workload) -> AsyncIterator[Callable[[], Awaitable[Gone]]]:
    """Lets clients vanish until the block ends; what it gives returns what was found, of one round at least."""
    interval, timeout = workload.heartbeat_interval_seconds, workload.heartbeat_timeout_seconds
    async with serving("--grace", "0s") as server:
        command = (
            sys.executable,
            "-m",
            "heartline_lab.contrast.vanishing",
            server.address,
            str(interval),
            str(timeout),
        )
        async with running(*command) as process:
            gone: Gone = {mode: [] for mode in MODES}
            first = asyncio.get_running_loop().create_future()
            reader = asyncio.create_task(_collect(process, gone, first))
            try:
                yield lambda: _gone(gone, first, PATIENCE + interval + timeout)
            finally:
                reader.cancel()


async def _gone(gone: Gone, first: "asyncio.Future[None]", within: float) -> Gone:
    try:
        async with asyncio.timeout(within):
            await first
    except TimeoutError:
        raise CommandError("no client that vanished was missed in time: presence did not work", Exit.INTERNAL) from None
    return gone


async def _collect(process: Process, gone: Gone, first: "asyncio.Future[None]") -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        for mode, seconds in json.loads(line).items():
            gone[mode] += seconds
        if not first.done():
            first.set_result(None)
    if not first.done():
        first.set_exception(CommandError("the clients that were to vanish failed: see above", Exit.INTERNAL))
