"""A full disk: publishing fails and says when to try again, everything else goes on, and it heals by itself."""

from pathlib import Path

import grpc
import pytest
from e2e.process import Serving, Start
from e2e.raw import Calls, calling, session, texts
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from heartline.v1.events_pb2 import Subscription
from heartline.v1.session_service_pb2 import Heartbeat, HeartbeatAck
from tools import OWN_MOUNTS
from tools import path as tool

DISK = "4m"
BALLAST = 2_000_000
"""Bytes on the disk that are not the store's. Removing them makes room."""
MOUNTED = f'mount -t tmpfs -o size={DISK} none "$0" && head -c {BALLAST} /dev/zero >"$0/ballast" && exec "$@"'


async def fill(calls: Calls) -> tuple[list[str], grpc.aio.AioRpcError]:
    """Publishes ever smaller messages until the disk takes none. Returns what was answered, and the last refusal."""
    answered: list[str] = []
    for size in (256 * 1024, 16 * 1024, 1):
        for _ in range(100):
            text = f"{len(answered)}" + "x" * size
            try:
                await calls.publish("orders", text)
            except grpc.aio.AioRpcError as error:
                refusal = error
                break
            answered.append(text)
        else:
            raise AssertionError("the disk does not fill up")
    return answered, refusal


def make_room(server: Serving, folder: Path) -> None:
    """Removes the ballast, in the file system as the server sees it."""
    Path(f"/proc/{server.pid}/root{folder}/ballast").unlink()


@pytest.mark.needs("unshare")
async def test_a_full_disk_refuses_publishes_alone_and_heals(start: Start, tmp_path: Path) -> None:
    on_a_small_disk = [tool("unshare"), *OWN_MOUNTS, "sh", "-c", MOUNTED, str(tmp_path)]
    server = start(store=f"sqlite:{tmp_path}/full.db", wrap=on_a_small_disk)
    watching = [Subscription(channel="orders", start="START_EARLIEST"), Subscription(channel="$presence")]
    async with calling(server.address) as calls, session(server.address, subscriptions=watching) as watcher:
        await calls.publish("orders", "before")
        answered, refusal = await fill(calls)
        told = rpc_status.from_call(refusal)  # type: ignore[arg-type]
        assert told is not None
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        assert [detail.Unpack(one) for detail, one in zip(told.details, (info, retry), strict=True)] == [True, True]
        assert (refusal.code(), info.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        assert retry.retry_delay.ToSeconds() > 0

        # Readers read, heartbeats beat, and clients come, all while nothing can be stored.
        assert texts(await calls.read_all("orders")) == ["before", *answered]
        assert texts(await watcher.events(1 + len(answered))) == ["before", *answered]
        await watcher.send(heartbeat=Heartbeat(sequence=1))
        assert (await watcher.next("heartbeat_ack")).heartbeat_ack == HeartbeatAck(
            sequence=1, events_sent=1 + len(answered)
        )
        async with session(server.address, client_id="came-meanwhile"):
            await server.err.line("presence is kept in memory")

            make_room(server, tmp_path)
            await calls.publish("orders", "after")
            came = await watcher.events(2)
            assert sorted(event.text for event in came) == ["after", "came-meanwhile is online: connected"]
