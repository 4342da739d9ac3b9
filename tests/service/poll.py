"""A poll of a House, as the servicer asks for it."""

from heartline.v1.events_pb2 import Batch, Subscription
from heartline_service import checks
from service.peer import House


async def poll(
    server: House, *asked: str | Subscription, client_id: str = "", max_events: int = 1000, wait: float | None = None
) -> tuple[list[Batch], bool]:
    """What a poll is answered: the batches, and whether more is waiting."""
    given = [Subscription(channel=one) if isinstance(one, str) else one for one in asked]
    wishes = checks.wishes(given, client_id, at_least=1)
    pieces, more = await server.hub.poll(client_id, wishes, max_events, wait)
    return [piece.batch for piece in pieces], more


def texts(batches: list[Batch]) -> list[str]:
    return [event.text for batch in batches for event in batch.events]
