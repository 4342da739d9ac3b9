"""A program for tests: a SQLite store on a disk of its own, of 4 MiB, that fills up, and one that cannot be written to.

    unshare --mount python small_disk.py FOLDER

Mounts the disk on FOLDER, which nobody outside this process sees. Prints "as it should" at the end, or fails.
"""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

from heartline_service.retention import Retention
from heartline_service.stores import open_store
from heartline_service.stores.base import NewMessage, Store, StoreError, StoreUnavailable

LARGE = bytes(100_000)


def mount(*arguments: str) -> None:
    """Runs mount."""
    subprocess.run(["mount", *arguments], check=True)


def new_store(folder: Path) -> Store:
    """The store on the small disk."""
    return open_store(f"sqlite:{folder}/store.db", lambda channel: Retention())


async def failure(store: Store) -> StoreError | None:
    """Opens the store and closes it; what it raised."""
    try:
        await store.open(lambda channel, head, events: None)
    except StoreError as error:
        return error
    await store.close()
    return None


async def full(folder: Path) -> None:
    """The disk fills up, readers go on, and when there is room again so do publishers."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    told: list[int] = []
    store = new_store(folder)
    await store.open(lambda channel, head, events: told.append(head.latest))
    stored = 0
    refused = None
    while refused is None:
        try:
            await store.append("a", [NewMessage(f"m{stored}", LARGE)], 1.0)
            stored += 1
        except StoreUnavailable as error:
            refused = error
    assert "is full" in str(refused), refused
    assert stored > 3, stored
    assert told == list(range(1, stored + 1)), told

    callers = (store.append("a", [NewMessage("", LARGE)], 1.0) for _ in range(5))
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 5, answers
    head = await store.head("a")
    assert (head.oldest, head.latest) == (1, stored), head
    assert len(await store.read("a", 0, 1000, 1 << 30)) == stored
    assert len(told) == stored, told

    ballast.unlink()
    (receipt,) = await store.append("a", [NewMessage(f"m{stored}", LARGE)], 1.0)
    assert (receipt.offset, receipt.duplicate) == (stored + 1, False), receipt
    await store.close()
    await store.open(lambda channel, head, events: None)
    assert [event.offset for event in await store.read("a", 0, 1000, 1 << 30)] == list(range(1, stored + 2))
    await store.close()


async def no_room_to_begin(folder: Path) -> None:
    """A store for which there is no room is not begun by half."""
    for file in folder.iterdir():
        file.unlink()
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as disk:
        while disk.write(bytes(4096)):
            pass
    error = await failure(new_store(folder))
    assert isinstance(error, StoreUnavailable), error
    assert not (folder / "store.db").exists()
    ballast.unlink()
    again = await failure(new_store(folder))
    assert again is None, again


async def read_only(folder: Path) -> None:
    """A store that cannot be written to is not opened."""
    mount("-o", "remount,ro", str(folder))
    error = await failure(new_store(folder))
    assert isinstance(error, StoreUnavailable), error
    assert "Read-only file system" in str(error), error


async def main(folder: Path) -> None:
    """See above."""
    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder))
    await full(folder)
    await no_room_to_begin(folder)
    await read_only(folder)
    print("as it should")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
