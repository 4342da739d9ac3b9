"""The client: its detectors watch the server. Run as a module, with its order; end.py has the rules."""

import asyncio
import random
import time

import grpc.aio
from heartline.convert import to_duration
from heartline.dialer import Settings, Surroundings
from heartline.errors import HeartlineError
from heartline.events import LineState
from heartline.line import Line
from heartline.network import GrpcCall, GrpcConnection
from heartline.requests import Requests
from heartline.status import Status
from heartline.v1.request_service_pb2 import CheckInRequest
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse

from heartline_lab.detect.ends import pings, raw
from heartline_lab.detect.ends.end import Order, Witness, main

HEARTBEAT, LEASE = "heartbeat", "lease"
"""The detectors of Heartline, and the ids by which the server knows these two clients."""


class Ear:
    """Knows when a session last heard a frame."""

    heard_at = 0.0

    def dial(self, target: str) -> GrpcConnection:
        """A connection that it listens to."""
        return _Connection(target, self)


class _Connection(GrpcConnection):
    def __init__(self, target: str, ear: Ear) -> None:
        super().__init__(target)
        self._ear = ear

    def open_session(self) -> GrpcCall:
        return _Call(self._sessions.Connect(), self._ear)


class _Call(GrpcCall):
    def __init__(self, call: "grpc.aio.StreamStreamCall[ConnectRequest, ConnectResponse]", ear: Ear) -> None:
        super().__init__(call)
        self._ear = ear

    async def read(self) -> ConnectResponse | None:
        frame = await super().read()
        self._ear.heard_at = time.monotonic()
        return frame


async def run(order: Order) -> None:
    """Watches for ever."""
    witness = Witness(*raw.KINDS, pings.DETECTOR, HEARTBEAT, LEASE)
    async with asyncio.TaskGroup() as group:
        group.create_task(raw.connect(order, witness))
        group.create_task(pings.call(order, witness))
        group.create_task(_hold_a_line(order, witness))
        group.create_task(_check_in(order, witness))


async def _hold_a_line(order: Order, witness: Witness) -> None:
    """One session until it is lost. The line is closed then: a new session would speak for the old one."""
    online, lost, ear = asyncio.Event(), asyncio.Event(), Ear()

    def on_state(state: LineState) -> None:
        if state.name == "online":
            witness.post(HEARTBEAT)
            online.set()
        elif online.is_set():
            witness.notice(HEARTBEAT, state.reason, ear.heard_at)
            lost.set()

    settings = Settings(HEARTBEAT, "stream", order.interval, order.timeout, Status(""))
    target = f"{order.host}:{order.ports[2]}"
    world = Surroundings(lambda: ear.dial(target), random.Random(), time.time)
    async with Line(settings, world, on_state=on_state):
        await lost.wait()


async def _check_in(order: Order, witness: Witness) -> None:
    """Checks in once an interval; after a call that failed it tries again in half of one."""
    requests = Requests(lambda: GrpcConnection(f"{order.host}:{order.ports[2]}"))
    request = CheckInRequest(client_id=LEASE, ttl=to_duration(order.interval + order.timeout))
    due = time.monotonic()
    while True:
        try:
            await requests.ask(lambda stub: stub.CheckIn, request, order.timeout)
            witness.post(LEASE)
            due += order.interval
        except HeartlineError as error:
            witness.notice(LEASE, str(error))
            due = time.monotonic() + order.interval / 2
        await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(run)
