"""The one thread that writes: whatever was asked for while it committed goes into its next transaction.

Rules:
- One group is committed at a time, and answered in one turn of the event loop.
- Callers who were answered together tend to ask again together. So after a group of several the next one is handed over
  when as many ask again, or after some time: a commit for each of them would cost more than the waiting. How long is
  measured in commits, as what they cost is the machine's matter and the disk's.
- on_change is called before those who asked are answered, and also when they are gone.
- A transaction that fails fails each write in it, and the next one starts afresh.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

from heartline_service.stores.base import OnChange
from heartline_service.stores.sqlite.file import StoreFile, store_error
from heartline_service.stores.sqlite.tables import Tables, Told
from heartline_service.stores.sqlite.writes import Answer, Write

log = logging.getLogger("heartline.store")

PATIENCE = 6
"""How many times as long as the group before took may the next one wait to become as large. Less costs a busy server
CPU, as it commits more often for the same messages; more costs latency where callers come and go."""
LONGEST_WAIT = 0.01
"""No group waits for longer than this many seconds."""

Asked = tuple[list[Write], list["asyncio.Future[Any]"]]
"""Writes, and who waits for each."""


class Writer:
    """Commits writes in groups. Made on the event loop that it answers to."""

    def __init__(self, file: StoreFile, tables: Tables, on_change: OnChange) -> None:
        self._loop = asyncio.get_running_loop()
        self._file = file
        self._tables = tables
        self._on_change = on_change
        self._writes: list[Write] = []
        self._futures: list[asyncio.Future[Any]] = []
        self._expected = 1
        self._committing = False
        self._handed_over_at = 0.0
        self._soon: asyncio.Handle | None = None
        self._handed_over: SimpleQueue[Asked | None] = SimpleQueue()
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        threading.Thread(target=self._run, name="heartline-store-writer", daemon=True).start()

    def ask(self, write: Write) -> "asyncio.Future[Any]":
        """Asks for a write. The future gives its answer, or raises StoreError."""
        future = self._loop.create_future()
        self._writes.append(write)
        self._futures.append(future)
        if not self._committing and (self._soon is None or len(self._writes) == self._expected):
            self._hand_over_after(0.0)
        return future

    async def stop(self) -> None:
        """Waits until everything that was asked for is answered, and ends the thread."""
        self._hand_over()
        self._handed_over.put(None)
        await self._stopped

    def _hand_over_after(self, seconds: float) -> None:
        if self._soon is not None:
            self._soon.cancel()
        # A turn of the loop at least, so that what is asked for in this one goes together.
        self._soon = (
            self._loop.call_later(seconds, self._hand_over) if seconds else self._loop.call_soon(self._hand_over)
        )

    def _hand_over(self) -> None:
        self._soon = None
        if self._writes:
            self._committing = True
            self._handed_over_at = self._loop.time()
            self._expected = len(self._writes)
            self._handed_over.put((self._writes, self._futures))
            self._writes, self._futures = [], []

    def _run(self) -> None:
        while (asked := self._handed_over.get()) is not None:
            writes, futures = asked
            answers, told = self._commit(writes)
            self._loop.call_soon_threadsafe(self._answer, futures, answers, told)
        self._loop.call_soon_threadsafe(self._stopped.set_result, None)

    def _commit(self, writes: Sequence[Write]) -> tuple[Sequence[Answer | Exception], Sequence[Told]]:
        try:
            return self._tables.commit(writes)
        except sqlite3.Error as error:
            return [store_error(error, self._file.path) for _ in writes], []
        except Exception as error:
            log.exception("a defect: the store could not take what it was given")
            return [error] * len(writes), []

    def _answer(
        self, futures: "Sequence[asyncio.Future[Any]]", answers: Sequence[Answer | Exception], told: Sequence[Told]
    ) -> None:
        self._committing = False
        enough = len(self._writes) >= self._expected
        if self._expected > 1 or self._writes:
            took = self._loop.time() - self._handed_over_at
            self._hand_over_after(0.0 if enough else min(LONGEST_WAIT, PATIENCE * took))
        for channel, head, events in told:
            try:
                self._on_change(channel, head, events)
            except Exception:
                log.exception("a change of channel %r was not taken in", channel)
        for future, answer in zip(futures, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
