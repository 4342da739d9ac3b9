"""A program for tests: appends to a SQLite store and prints each receipt once it has it.

    python appender.py FILE CALLERS EACH

CALLERS at once append EACH messages, one after the other, to the channel "a"; then it waits for the end of its input.
The first line that it prints is "open"; then one line for each receipt: the message's id, which is also its body, and
the offset.
"""

import asyncio
import os
import sys

from heartline_service.retention import Retention
from heartline_service.stores import open_store
from heartline_service.stores.base import NewMessage


async def main(file: str, callers: int, each: int) -> None:
    """See above."""
    store = open_store(f"sqlite:{file}", lambda channel: Retention())
    await store.open(lambda channel, head, events: None)
    os.write(1, b"open\n")

    async def caller(name: int) -> None:
        for n in range(each):
            id = f"{name}.{n}"
            (receipt,) = await store.append("a", [NewMessage(id, id.encode())], 1.0)
            os.write(1, f"{id} {receipt.offset}\n".encode())

    await asyncio.gather(*map(caller, range(callers)))
    await asyncio.to_thread(sys.stdin.read)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
