"""What one more event costs in an answer that carries many, measured apart, with full answers and empty ones.

Rule: both kinds take turns on one connection straight to the server, so that what else differs falls on both.
"""

from dataclasses import dataclass

from heartline.v1.events_pb2 import Message, Position, Subscription
from heartline.v1.request_service_pb2 import PollRequest, PublishRequest

from heartline_lab.contrast.run import Stage
from heartline_lab.processes import cpu_ns

TURNS = 8
"""How often the two kinds take turns."""
CALLS = 10
"""Polls in a turn."""
MOST_EVENTS = 100
MOST_BYTES = 200_000
"""So many bytes of data, or one event, are in a full answer: the server puts no more than 256 KiB into one."""


@dataclass(frozen=True, slots=True)
class EventCost:
    """What one more event in an answer costs."""

    cpu_us: float
    bytes: float


async def event_cost(stage: Stage, payload: int) -> EventCost:
    """Measures it for events of so many bytes of data."""
    channel, count = stage.channel(), max(1, min(MOST_EVENTS, MOST_BYTES // payload))
    messages = [Message(id=str(number), binary=bytes(payload)) for number in range(count)]
    published = await stage.publisher.requests.Publish(PublishRequest(channel=channel, messages=messages))
    epoch = published.receipts[0].epoch
    ask = [
        PollRequest(
            subscriptions=[Subscription(channel=channel, after=Position(channel=channel, epoch=epoch, offset=at))]
        )
        for at in (0, count)
    ]
    full, empty = [await stage.publisher.requests.Poll(request) for request in ask]
    spent = [0, 0]
    for _ in range(TURNS):
        for kind, request in enumerate(ask):
            before = cpu_ns(stage.server.pid)
            for _ in range(CALLS):
                await stage.publisher.requests.Poll(request)
            spent[kind] += cpu_ns(stage.server.pid) - before
    return EventCost(
        cpu_us=max(0.0, (spent[0] - spent[1]) / TURNS / CALLS / count / 1000),
        bytes=(full.ByteSize() - empty.ByteSize()) / count,
    )
