"""The library against the real server, in one process, over real sockets on loopback."""

import asyncio
from datetime import timedelta
from typing import Any

import heartline
import pytest
from client.fake_server import take
from client.real import TRANSPORTS, Watch, guarded
from heartline.events import Start
from heartline_service.server import Server


@TRANSPORTS
@guarded
async def test_what_is_published_is_read_once_and_in_order(server: Server, transport: Any) -> None:
    async with heartline.connect(server.address, client_id="phone-7", transport=transport) as line:
        orders = line.subscribe("orders", start=Start.EARLIEST, max_unacked=50)
        receipts = await asyncio.gather(*(line.publish("orders", f"{n}") for n in range(300)))
        assert [receipt.offset for receipt in receipts] == list(range(1, 301))
        assert await take(orders, 300) == [f"{n}" for n in range(300)]
        assert line.state.name == ("polling" if transport == "poll" else "online")


@TRANSPORTS
@guarded
async def test_an_unfinished_event_repeats_and_a_handled_one_does_not(server: Server, transport: Any) -> None:
    async with heartline.connect(server.address, client_id="phone-7", transport=transport) as line:
        orders = line.subscribe("orders", start=Start.EARLIEST)
        for number in range(5):
            await line.publish("orders", str(number))
        assert await take(orders, 3) == ["0", "1", "2"]
    async with heartline.connect(server.address, client_id="phone-7", transport=transport) as line:
        assert await take(line.subscribe("orders", start=Start.ACKED), 3) == ["2", "3", "4"]


@guarded
async def test_bytes_text_and_attributes_come_as_they_were_published(server: Server) -> None:
    async with heartline.connect(server.address) as line:
        orders = line.subscribe("orders", start=Start.EARLIEST)
        await line.publish("orders", b"\x00\xff", attributes={"type": "raw"})
        await line.publish("orders", "text", id="mine")
        first, second = await anext(orders), await anext(orders)
        assert (first.data, first.attributes) == (b"\x00\xff", {"type": "raw"})
        assert (second.data, second.id) == ("text", "mine")


@TRANSPORTS
@guarded
async def test_a_line_is_present_while_it_is_open_and_not_after(server: Server, transport: Any) -> None:
    async with heartline.connect(server.address, transport="poll") as watcher:
        watch = Watch()
        name = f"phone-{transport}"
        async with heartline.connect(server.address, client_id=name, transport=transport, on_state=watch.note) as line:
            await watch.until("polling" if transport == "poll" else "online")
            assert (await watcher.presence(name)).online
            assert [presence.client_id async for presence in line.presences(online=True)] == [name]
        gone = await watcher.presence(name)
        assert (gone.online, gone.reason) == (False, "CHECKED_OUT" if transport == "poll" else "GOODBYE")


@guarded
async def test_a_check_in_gives_a_lease_and_a_check_out_ends_it(server: Server) -> None:
    async with heartline.connect(server.address, client_id="phone-7", transport="poll") as line:
        lease = await line.check_in(ttl=3600, status="well")
        presence = await line.presence("phone-7")
        assert (presence.online, presence.status) == (True, "well")
        assert presence.lease_expires_at is not None
        assert abs(presence.lease_expires_at - lease.expires_at) < timedelta(milliseconds=1)
        await line.check_out()
        assert not (await line.presence("phone-7")).online
        with pytest.raises(heartline.NotFound):
            await line.presence("nobody")


@guarded
async def test_heartbeats_go_both_ways_on_an_idle_line(server: Server) -> None:
    beats: asyncio.Queue[float] = asyncio.Queue()
    settings: dict[str, Any] = {"heartbeat_interval": 0.1, "heartbeat_timeout": 5.0}
    async with heartline.connect(server.address, on_heartbeat=beats.put_nowait, **settings) as line:
        for _ in range(5):
            assert 0 <= await beats.get() < 5
        assert line.state.name == "online"


@pytest.mark.parametrize("bad", ["", "$mine", "x" * 256, "a\nb"])
@TRANSPORTS
@guarded
async def test_a_channel_name_that_cannot_be_is_the_callers_fault(server: Server, transport: Any, bad: str) -> None:
    async with heartline.connect(server.address, transport=transport) as line:
        good = line.subscribe("orders", start=Start.EARLIEST)
        with pytest.raises(heartline.InvalidRequest) as refused:
            await line.publish(bad, "x")
        with pytest.raises(heartline.InvalidRequest) as unreadable:
            await anext(line.subscribe(bad))
        assert refused.value.reason
        assert unreadable.value.reason
        await line.publish("orders", "still works")
        assert await take(good, 1) == ["still works"]


@guarded
async def test_one_message_that_is_too_large_does_not_fail_its_neighbours(server: Server) -> None:
    async with heartline.connect(server.address) as line:
        publishes = (line.publish("orders", b"x" * size) for size in (1, 1024 * 1024 + 1, 2))
        first, second, third = await asyncio.gather(*publishes, return_exceptions=True)
        assert isinstance(second, heartline.InvalidRequest)
        assert second.reason == "PAYLOAD_TOO_LARGE"
        assert {type(first), type(third)} == {heartline.Receipt}
