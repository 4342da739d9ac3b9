"""A poll: one read from a cursor for each subscription, now, or as soon as there is something.

A long poll that waits is one future and one timer.
"""

import asyncio
from collections.abc import Callable

from heartline_service.clock import Clock
from heartline_service.reading.channels import BATCH_BYTES, Piece
from heartline_service.reading.cursor import Cursor

ANSWER_BYTES = 3 * BATCH_BYTES
"""When an answer holds this much, the other channels wait for the next poll, so that it stays under 4 MiB."""


async def read(cursors: list[Cursor], max_events: int) -> list[Piece]:
    """One piece for each cursor, empty ones included. Raises StoreError.

    Channels that have something share `max_events`, so that a busy one does not starve those behind it.
    """
    pieces, size = [], 0
    behind = sum(cursor.behind() for cursor in cursors)
    for cursor in cursors:
        piece = None
        if cursor.behind() and max_events > 0:
            share = -(-max_events // max(1, behind))
            behind -= 1
            if size < ANSWER_BYTES:
                piece = cursor.at_hand(share) or await cursor.read(share)
                max_events -= piece.count
                if len(cursors) > 1:
                    size += piece.batch.ByteSize()
        pieces.append(piece or cursor.here())
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
