"""Runs a command's coroutine so that Ctrl-C and SIGTERM end it by a cancel, with all that it began undone.

Rules:
- An exception raised by a signal handler, as `dispatch` does for commands without a loop, could hit in the middle of
  gRPC's or asyncio's own work, and leave a child process behind.
- The first signal counts. An impatient second one would hit the undoing, so it changes nothing; that is short.
"""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from heartline.cli.exits import Exit

_Result = TypeVar("_Result")


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What `work` returns. Raises KeyboardInterrupt when Ctrl-C ended it, SystemExit when SIGTERM did."""
    came: list[signal.Signals] = []

    async def main() -> _Result:
        def end(number: signal.Signals) -> None:
            if not came:
                task.cancel()
            came.append(number)

        task = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, end, number)
        return await task

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if not came:
            raise
        if came[0] is signal.SIGINT:
            raise KeyboardInterrupt from None
        raise SystemExit(Exit.TERMINATED) from None
