"""Runs a command's coroutine so that SIGTERM ends it as Ctrl-C does: by a cancel, with all that it began undone.

An exception raised by a signal handler, as `dispatch` does for commands without a loop, could hit in the middle of
gRPC's or asyncio's own work, and leave a child process behind.
"""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from heartline.cli.exits import Exit

_Result = TypeVar("_Result")


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What `work` returns. Raises SystemExit when SIGTERM ended it, KeyboardInterrupt for Ctrl-C."""
    terminated = False

    async def main() -> _Result:
        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        task = asyncio.ensure_future(work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
        return await task

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if not terminated:
            raise
        raise SystemExit(Exit.TERMINATED) from None
