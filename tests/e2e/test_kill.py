"""kill -9: what was answered is there, and nobody who comes back is seen to have left."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
from e2e.process import Start
from e2e.raw import Calls, calling, seconds, session
from heartline.v1.request_service_pb2 import CheckInRequest, ListPresenceRequest

PUBLISHERS = 10
CHANNELS = ("load-0", "load-1")
ENOUGH = 200
"""Messages that a server answers for before it is killed, in the midst of the next."""


class Load:
    """Publishers that go on until the server is gone, and what they were told."""

    def __init__(self) -> None:
        self.answered: dict[tuple[str, int], str] = {}
        """By channel and offset: the message's id."""
        self.unanswered: list[tuple[str, str]] = []
        """The channel and id of what was under way when the server died."""
        self.epochs: set[str] = set()

    async def run(self, address: str, life: int, enough: asyncio.Event) -> None:
        """Publishes by many callers at once, in batches of two, until no call succeeds any more."""
        await asyncio.gather(*(self._publish(address, f"{life}-{n}", n, life, enough) for n in range(PUBLISHERS)))

    async def _publish(self, address: str, name: str, number: int, life: int, enough: asyncio.Event) -> None:
        channel, count = CHANNELS[number % 2], 0
        async with calling(address) as calls:
            while True:
                count += 1
                ids = [f"{name}-{count}a", f"{name}-{count}b"]
                try:
                    await self.publish(calls, channel, ids)
                except grpc.aio.AioRpcError as error:
                    assert error.code() is grpc.StatusCode.UNAVAILABLE, error
                    self.unanswered += [(channel, one) for one in ids]
                    return
                if len(self.answered) >= ENOUGH * life:
                    enough.set()

    async def publish(self, calls: Calls, channel: str, ids: list[str]) -> None:
        """Publishes messages whose text is their id, and notes where they went."""
        for one, receipt in zip(ids, await calls.publish(channel, *ids, ids=ids), strict=True):
            self.answered[channel, receipt.offset] = one
            self.epochs.add(receipt.epoch)


async def test_a_server_killed_under_load_has_every_answered_publish_in_order_and_once(
    start: Start, tmp_path: Path
) -> None:
    load, store = Load(), f"sqlite:{tmp_path}/load.db"
    for life in (1, 2):
        server = start(store=store)
        enough = asyncio.Event()
        async with asyncio.timeout(30):
            running = asyncio.create_task(load.run(server.address, life, enough))
            await enough.wait()
            server.kill()
            await running
    server = start(store=store)
    async with calling(server.address) as calls:
        for channel, one in load.unanswered:
            await load.publish(calls, channel, [one])
        found = {channel: await calls.read_all(channel) for channel in CHANNELS}
    assert len(load.unanswered) == 2 * 2 * PUBLISHERS
    assert len(load.epochs) == 1
    for events in found.values():
        assert [event.offset for event in events] == list(range(1, len(events) + 1))
    assert {(channel, event.offset): event.id for channel in found for event in found[channel]} == load.answered


async def test_a_restart_is_not_a_mass_expiry(start: Start, tmp_path: Path) -> None:
    """20 clients are there, by sessions and by leases; 18 come back within the grace, and nothing is told of them."""
    store, grace = f"sqlite:{tmp_path}/presence.db", ("--grace", "2s")
    with_session, with_lease = [[f"{kind}-{n}" for n in range(10)] for kind in ("session", "lease")]
    server = start(*grace, store=store)

    async def come(client_id: str, ttl: float) -> None:
        if client_id in with_lease:
            await calls.requests.CheckIn(CheckInRequest(client_id=client_id, ttl=seconds(ttl)))
        else:
            await stack.enter_async_context(session(server.address, client_id=client_id))

    async with asyncio.timeout(30):
        async with AsyncExitStack() as stack, calling(server.address) as calls:
            await asyncio.gather(*(come(one, 0.0) for one in with_session))
            await asyncio.gather(*(come(one, 1.0) for one in with_lease))
            before = await calls.until("$presence", 20)
            server.kill()
        server = start(*grace, store=store)
        async with AsyncExitStack() as stack, calling(server.address) as calls:
            await asyncio.gather(*(come(one, 60.0) for one in with_session[1:] + with_lease[1:]))
            after = (await calls.until("$presence", 22))[20:]
            who = await calls.requests.ListPresence(ListPresenceRequest(online=True))
    assert {event.attributes["client_id"] for event in before} == {*with_session, *with_lease}
    gone = {event.attributes["client_id"]: dict(event.attributes) for event in after}
    assert {one: (said["online"], said["reason"]) for one, said in gone.items()} == {
        "session-0": ("false", "SERVER_RESTARTED"),
        "lease-0": ("false", "SERVER_RESTARTED"),
    }
    assert {one.client_id for one in who.presences} == {*with_session[1:], *with_lease[1:]}
