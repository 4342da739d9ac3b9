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


async def wait(cursors: list[Cursor], clock: Clock, seconds: float, stops: set[Callable[[], None]]) -> None:
    """Returns when there is something to read, the time is over, or whoever keeps `stops` calls them."""
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop() -> None:
        if not over.done():
            over.set_result(None)

    def grown() -> None:
        if any(cursor.behind() for cursor in cursors):
            stop()

    timer = clock.call_at(clock.now() + seconds, stop)
    stops.add(stop)
    for cursor in cursors:
        cursor.channel.watchers.add(grown)
    try:
        await over
    finally:
        timer.cancel()
        stops.discard(stop)
        for cursor in cursors:
            cursor.channel.watchers.discard(grown)
