"""A poll: one read from a cursor for each subscription, now, or as soon as there is something.

A long poll that waits is one future and one timer.
"""

import asyncio
from collections.abc import Callable

from heartline_service.channels import BATCH_BYTES, Piece
from heartline_service.clock import Clock
from heartline_service.cursor import Cursor

ANSWER_BYTES = 3 * BATCH_BYTES
"""When an answer holds this much, the other channels wait for the next poll, so that it stays under 4 MiB."""


async def read(cursors: list[Cursor], max_events: int) -> list[Piece]:
    """One piece for each cursor, empty ones included. Raises StoreError."""
    pieces, size = [], 0
    for cursor in cursors:
        piece = None
        if max_events > 0 and size < ANSWER_BYTES:
            piece = cursor.at_hand(max_events)
            if piece is None and cursor.behind():
                piece = await cursor.read(max_events)
        if piece is None:
            piece = cursor.here()
        else:
            max_events -= piece.count
            if len(cursors) > 1:
                size += piece.batch.ByteSize()
        pieces.append(piece)
    return pieces


async def wait(cursors: list[Cursor], clock: Clock, seconds: float, wakes: set[Callable[[], None]]) -> None:
    """Returns when a channel has grown, the time is over, or whoever keeps `wakes` calls them."""
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not over.done():
            over.set_result(None)

    timer = clock.call_at(clock.now() + seconds, wake)
    watched = [cursor.channel.watchers for cursor in cursors]
    watched.append(wakes)
    for watchers in watched:
        watchers.add(wake)
    try:
        await over
    finally:
        timer.cancel()
        for watchers in watched:
            watchers.discard(wake)
