"""The channel "news", which the tests of reading read, with events that are named by their offsets."""

from heartline.v1.events_pb2 import START_ACKED, START_EARLIEST, START_LATEST, Position, Subscription
from service.peer import House

EARLIEST = Subscription(channel="news", start=START_EARLIEST)
LATEST = Subscription(channel="news", start=START_LATEST)
ACKED = Subscription(channel="news", start=START_ACKED)


def after(offset: int, epoch: str = "", max_unacked: int = 0) -> Subscription:
    """Reads "news" from a position."""
    return Subscription(channel="news", after=Position(offset=offset, epoch=epoch), max_unacked=max_unacked)


def numbers(first: int, last: int) -> list[str]:
    """The texts of these events, both included."""
    return [str(number) for number in range(first, last + 1)]


async def with_news(server: House, count: int) -> None:
    """Publishes so many events, one at a time."""
    for number in numbers(1, count):
        await server.publish("news", number)
