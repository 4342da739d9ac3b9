"""Publishes the events of a run, straight to the server, each at its appointed moment.

Rules:
- The moments are drawn evenly over the run from a seed, so that they fall into step with no poll, and every mode of a
  repeat gets the same.
- A call does not wait for the one before it: a slow server delays no later event.
- An event's time begins with its publish call, on the clock that the subscribers read too.
"""

import asyncio
import random
import time

import grpc
from heartline.cli.exits import CommandError, Exit
from heartline.network import GrpcConnection
from heartline.v1.events_pb2 import Message
from heartline.v1.request_service_pb2 import PublishRequest

from heartline_lab.contrast.journal import Published
from heartline_lab.contrast.results import Workload

CALL_TIMEOUT = 10.0
"""Seconds within which the server must take an event."""


def moments(workload: Workload, repeat: int) -> list[float]:
    """When each event of a repeat is due, in seconds from the run's start, in order."""
    draw = random.Random(repeat)
    return sorted(draw.uniform(0, workload.seconds) for _ in range(workload.events))


async def publish(to: GrpcConnection, channel: str, payload: int, starts_ns: int, due: list[float]) -> list[Published]:
    """Publishes an event at each of these moments; returns when the server has taken all. Raises CommandError."""

    async def one(number: int) -> Published:
        await asyncio.sleep(starts_ns / 1e9 + due[number] - time.monotonic())
        request = PublishRequest(channel=channel, messages=[Message(id=str(number), binary=bytes(payload))])
        begun = time.monotonic_ns()
        await to.requests.Publish(request, timeout=CALL_TIMEOUT)
        return Published(begun, time.monotonic_ns())

    try:
        return await asyncio.gather(*(one(number) for number in range(len(due))))
    except grpc.RpcError as error:
        said = error.details() if isinstance(error, grpc.Call) else error
        raise CommandError(f"the server took no event: {said}", Exit.UNAVAILABLE) from None
