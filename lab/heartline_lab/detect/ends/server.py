"""The server: its detectors watch the client. Run as a module, with its order; end.py has the rules.

What Heartline's server noticed is read where its users read it: on the channel of presence.
"""

import asyncio
import socket
import time
from typing import TYPE_CHECKING, cast

import grpc.aio
import heartline
from heartline.convert import to_seconds
from heartline.timing import Timing
from heartline.v1.admin_service_pb2 import ListSessionsRequest
from heartline.v1.admin_service_pb2_grpc import AdminServiceStub
from heartline_service.server import Server
from heartline_service.settings import Settings

from heartline_lab.detect.ends import pings, raw
from heartline_lab.detect.ends.client import HEARTBEAT, LEASE
from heartline_lab.detect.ends.end import Order, Witness, main, say

if TYPE_CHECKING:
    from heartline.v1.admin_service_pb2_grpc import AdminServiceAsyncStub

_LOOK_INTERVAL = 0.05
"""Seconds between two looks at when the server last heard its client."""


class Ear:
    """Knows when a session last heard a frame, as the server tells whoever asks."""

    heard_at = 0.0

    async def listen(self, address: str) -> None:
        """Asks again and again."""
        async with grpc.aio.insecure_channel(address) as channel:
            stub = cast("AdminServiceAsyncStub", AdminServiceStub(channel))
            while True:
                asked_at = time.monotonic()
                answer = await stub.ListSessions(ListSessionsRequest(client_id=HEARTBEAT))
                for session in answer.sessions:
                    self.heard_at = asked_at - to_seconds(session.silence)
                await asyncio.sleep(_LOOK_INTERVAL)


async def run(order: Order) -> None:
    """Serves and watches for ever."""
    witness = Witness(*raw.KINDS, pings.DETECTOR, HEARTBEAT, LEASE)
    with socket.create_server((order.host, 0)) as listener:
        listener.setblocking(False)
        plain, plain_port = await pings.serve(order, witness)
        timing = Timing(order.interval, order.timeout)
        service = Server(Settings(listen=f"{order.host}:0", store="memory:", heartbeat=timing, grace=0.0))
        await service.start()
        ports = [listener.getsockname()[1], plain_port, int(service.address.rpartition(":")[2])]
        ear = Ear()
        async with asyncio.TaskGroup() as group:
            group.create_task(raw.accept(order, witness, listener))
            group.create_task(ear.listen(service.address))
            group.create_task(_watch_presence(service.address, witness, ear, ports))
            group.create_task(plain.wait_for_termination())


async def _watch_presence(address: str, witness: Witness, ear: Ear, ports: list[int]) -> None:
    online = asyncio.Event()
    line = heartline.connect(address, on_state=lambda state: online.set() if state.name == "online" else None)
    async with line, line.subscribe("$presence") as changes:
        await online.wait()
        say(ports=ports)
        async for change in changes:
            client_id = change.attributes["client_id"]
            if change.attributes["online"] == "true":
                witness.post(client_id)
            else:
                heard_at = ear.heard_at if client_id == HEARTBEAT else None
                witness.notice(client_id, change.attributes["reason"].lower().replace("_", " "), heard_at)


if __name__ == "__main__":
    main(run)
