"""The subscribers of one run, in a process of their own, so that what wakes it is theirs: `python -m ... ORDER`.

Rules:
- It speaks by lines of JSON: `starts_ns` when every client is ready, naming the moment from which they get events, and
  at the end its report, as one line. Then it holds still, with its connections open, until it is killed.
- Waking is counted as the kernel counts it: every time a thread of this process slept and was woken again (voluntary
  context switches), gRPC's own threads included.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict

from heartline_lab.contrast.clients import CLIENTS, Order

HEADSTART = 0.15
"""Seconds between the word that all are ready and the moment at which the run starts."""
AT_ONCE = 25
"""So many clients open at the same time."""
OPENING_TIMEOUT = 30.0
"""Seconds within which all must be ready."""
LINGER = 60.0
"""Seconds after which it ends by itself, should nobody kill it."""


def wakeups() -> int:
    """How often a thread of this process slept and was woken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


async def subscribe(order: Order) -> None:
    """Does what the order says, and reports."""
    clients = [CLIENTS[order.mode](order, number) for number in range(order.clients)]
    async with asyncio.timeout(OPENING_TIMEOUT):
        for first in range(0, len(clients), AT_ONCE):
            await asyncio.gather(*(client.open() for client in clients[first : first + AT_ONCE]))
    starts = time.monotonic() + HEADSTART
    opened = [len(client.journal.calls) for client in clients]
    _say({"starts_ns": round(starts * 1e9)})
    await asyncio.sleep(HEADSTART)
    before = wakeups()
    await asyncio.gather(asyncio.sleep(order.seconds), *(client.run(starts) for client in clients))
    told = {"wakeups": wakeups() - before, "ended_ns": time.monotonic_ns(), "opened": opened}
    _say({**told, "journals": [asdict(client.journal) for client in clients]})
    await asyncio.sleep(LINGER)


def _say(fields: dict[str, object]) -> None:
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    asyncio.run(subscribe(Order(**json.loads(sys.argv[1]))))
