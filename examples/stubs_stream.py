"""A long connection with the generated stubs alone: python examples/stubs_stream.py [HOST:PORT]. Ctrl-C ends it.

All that docs/protocol.md asks of a client: it answers heartbeats and sends its own, notices a server that is gone,
comes back after a random time, and resumes from its cursor. One task writes: gRPC takes one write at a time.
"""

import asyncio
import contextlib
import random
import sys
from typing import Any

import grpc
from heartline.v1 import events_pb2, session_service_pb2, session_service_pb2_grpc
from heartline.v1.session_service_pb2 import ConnectRequest

WELCOME_TIMEOUT = 10.0
# We wait between attempts ourselves; the channel's own waiting, up to 2 minutes, would come on top of it.
OPTIONS = [("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 200)]


class Reader:
    """Reads one channel. The cursor outlives the sessions."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub
        self.cursor = events_pb2.Subscription(channel="orders", start=events_pb2.START_EARLIEST, max_unacked=100)
        self.attempts = 0

    async def run(self) -> None:
        """Reads for ever."""
        while True:
            call = self.stub.Connect()
            try:
                await self.session(call)
            except grpc.aio.AioRpcError as error:
                print(f"lost: {error.details()}")
            finally:
                call.cancel()
            await asyncio.sleep(random.uniform(0, min(10.0, 0.2 * 2**self.attempts)))
            self.attempts += 1

    async def session(self, call: Any) -> None:
        """One session, until it ends or the server is silent for too long."""
        await call.write(ConnectRequest(hello={"client_id": "bar", "subscriptions": [self.cursor]}))
        interval, timeout, wait, beats, asked = 0.0, 0.0, WELCOME_TIMEOUT, 0, False
        reading = asyncio.ensure_future(call.read())
        while True:
            await asyncio.wait([reading], timeout=wait)
            if not reading.done():
                if asked or not interval:
                    print("lost: the server is silent")
                    return
                beats, asked, wait = beats + 1, True, timeout
                await call.write(ConnectRequest(heartbeat={"sequence": beats}))
                continue
            frame = reading.result()
            if frame is grpc.aio.EOF:
                return
            reading = asyncio.ensure_future(call.read())
            asked, wait = False, interval
            match frame.WhichOneof("frame"):
                case "welcome":
                    interval = wait = frame.welcome.heartbeat_interval.ToTimedelta().total_seconds()
                    timeout = frame.welcome.heartbeat_timeout.ToTimedelta().total_seconds()
                    self.attempts = 0
                    print(f"session {frame.welcome.session_id}", flush=True)
                case "heartbeat":
                    beat = frame.heartbeat
                    answer = session_service_pb2.HeartbeatAck(sequence=beat.sequence, send_time=beat.send_time)
                    await call.write(ConnectRequest(heartbeat_ack=answer))
                case "events":
                    self.handle(frame.events)
                    await call.write(ConnectRequest(ack={"positions": [frame.events.position]}))
                case "drain" | "goodbye":
                    return

    def handle(self, batch: events_pb2.Batch) -> None:
        """Shows what came, and keeps the cursor."""
        for event in batch.events:
            print(f"{event.offset}: {event.text}", flush=True)
        self.cursor.after.CopyFrom(batch.position)


async def main(server: str) -> None:
    """Connects to a server."""
    async with grpc.aio.insecure_channel(server, options=OPTIONS) as channel:
        await Reader(session_service_pb2_grpc.SessionServiceStub(channel)).run()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main(*sys.argv[1:2] or ["localhost:50051"]))
