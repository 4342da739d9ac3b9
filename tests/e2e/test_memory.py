"""No queue per client: what sessions that read nothing cost the server does not grow with what is published.

The bound: of each session one frame is under way in gRPC, of at most 256 KiB or one event; 200 of them hold 50 MiB.
What a frame was made from is shared by all at the same cursor. Everything else (requests, a channel's tail, SQLite's
caches) has OTHER_MIB. A queue for each session would hold 20 GB here, and one that they shared 100 MiB.
"""

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import grpc.aio
from e2e.process import GUARD, Start
from e2e.raw import OWN_CONNECTION, RawSession, calling
from heartline.v1.events_pb2 import Subscription

SESSIONS = 200
CONNECTIONS = 50
EVENTS = 400
EVENT_BYTES = 256 * 1024
"""400 of these are 100 MiB."""
AT_ONCE = 4
"""Messages in one publish: more than the server keeps at hand, so that the sessions read from the store."""
FRAMES_MIB = SESSIONS * 256 // 1024
OTHER_MIB = 64
READS_NOTHING = [*OWN_CONNECTION, ("grpc.http2.bdp_probe", 0)]
"""Without this option gRPC's client takes in some 6 MB for each stream, although nobody reads."""


def peak_mib(pid: int) -> float:
    """The most memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def test_200_sessions_that_read_nothing_hold_one_frame_each_and_lose_nothing(
    start: Start, tmp_path: Path
) -> None:
    server = start(store=f"sqlite:{tmp_path}/much.db")
    async with AsyncExitStack() as stack, asyncio.timeout(GUARD):
        connections = [
            await stack.enter_async_context(grpc.aio.insecure_channel(server.address, options=READS_NOTHING))
            for _ in range(CONNECTIONS)
        ]
        sessions = [RawSession(connections[number % CONNECTIONS]) for number in range(SESSIONS)]
        orders = [Subscription(channel="orders", start="START_EARLIEST")]
        await asyncio.gather(*(one.open(passive=True, subscriptions=orders) for one in sessions))
        for one in sessions:
            await one.next("subscribed")
        calls = await stack.enter_async_context(calling(server.address))
        before = peak_mib(server.pid)
        for number in range(0, EVENTS, AT_ONCE):
            await calls.publish("orders", *(f"{number + one:{EVENT_BYTES}}" for one in range(AT_ONCE)))
        grown = peak_mib(server.pid) - before

        read = [(event.offset, int(event.text)) for event in await sessions[0].events(EVENTS)]
        for one in sessions:
            one.call.cancel()
    server.kill()
    # pytest keeps these folders for a while.
    shutil.rmtree(tmp_path)
    assert grown < FRAMES_MIB + OTHER_MIB
    assert read == [(number + 1, number) for number in range(EVENTS)]
