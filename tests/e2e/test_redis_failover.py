"""A real failover to a replica that is behind: the link between two Redis servers is cut, and the replica takes over.

The node goes on under the address that it knows, as behind a name or an address that moves: where the primary listened,
a relay to the replica does.
"""

import asyncio
from pathlib import Path

import pytest
from e2e.process import GUARD, Start
from e2e.raw import calling, session, texts
from heartline.v1.events_pb2 import GAP_REASON_EPOCH_CHANGED, START_EARLIEST, Subscription
from heartline_lab.middlebox import Middlebox
from redis_servers import one_redis


@pytest.mark.needs("redis")
async def test_readers_are_told_that_the_log_is_another_one_and_go_on(start: Start, tmp_path: Path) -> None:
    at_once = ("--repl-diskless-sync-delay", "0")
    with one_redis(tmp_path / "primary", *at_once) as primary, one_redis(tmp_path / "replica") as replica:
        where = f"127.0.0.1:{primary.port}"
        server = start(store=primary.url)
        async with (
            asyncio.timeout(GUARD),
            Middlebox(where) as link,
            calling(server.address) as calls,
            session(server.address, subscriptions=[Subscription(channel="orders", start=START_EARLIEST)]) as peer,
        ):
            replica.ask("REPLICAOF", *link.address.split(":"))
            await replica.out.line("sync: Finished with success")
            receipts = [await calls.publish("orders", text) for text in ("1", "2", "3")]
            assert await asyncio.to_thread(primary.ask, "WAIT", 1, 5000) == 1
            link.change(black_hole="both")
            await calls.publish("orders", "4", "5")
            assert texts(await peer.events(5)) == ["1", "2", "3", "4", "5"]

            primary.kill()
            replica.ask("REPLICAOF", "NO", "ONE")
            async with Middlebox(f"127.0.0.1:{replica.port}", listen=where):
                while not (batch := (await peer.next("events")).events).HasField("gap"):
                    pass
                assert batch.gap.reason == GAP_REASON_EPOCH_CHANGED
                assert (batch.gap.oldest_offset, batch.gap.latest_offset) == (1, 3)
                assert batch.position.epoch != receipts[0][0].epoch
                await calls.until_published("orders", "after")
                assert texts(await peer.events(4)) == ["1", "2", "3", "after"]
