"""The library, the real server, and trouble between them: restarts, black holes, cuts, proxies without streams."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import heartline
import pytest
from client.fake_server import take
from client.only_unary import OnlyUnary
from client.real import TRANSPORTS, Watch, guarded, start
from heartline.events import Start
from heartline_lab.middlebox import Middlebox
from heartline_service.server import Server


@TRANSPORTS
@guarded
async def test_a_restart_of_the_server_loses_and_repeats_nothing(tmp_path: Path, transport: Any) -> None:
    store = f"sqlite:{tmp_path / 'heartline.db'}"
    server = await start(store=store)
    watch = Watch()
    async with heartline.connect(server.address, client_id="phone-7", transport=transport, on_state=watch.note) as line:
        orders = line.subscribe("orders", start=Start.EARLIEST)
        restarted = asyncio.Event()

        async def publish() -> int:
            number = 0
            while not restarted.is_set():
                await line.publish("orders", str(number))
                number += 1
            return number

        publishing = asyncio.create_task(publish())
        await watch.until("polling" if transport == "poll" else "online")
        seen = await take(orders, 20)
        for _ in range(2):
            await server.stop()
            server = await start(listen=server.address, store=store)
            seen += await take(orders, 20)
        restarted.set()
        count = await publishing
        seen += await take(orders, count - len(seen))
        assert seen == [str(number) for number in range(count)]
    await server.stop()


@guarded
async def test_a_connection_that_became_a_black_hole_is_noticed_and_replaced(server: Server) -> None:
    watch = Watch()
    async with Middlebox(server.address) as network:
        settings: dict[str, Any] = {"heartbeat_interval": 0.2, "heartbeat_timeout": 0.3, "on_state": watch.note}
        async with heartline.connect(network.address, client_id="phone-7", transport="stream", **settings) as line:
            orders = line.subscribe("orders", start=Start.EARLIEST)
            await line.publish("orders", "before")
            assert await take(orders, 1) == ["before"]
            network.forget()
            publishing = asyncio.create_task(line.publish("orders", "meanwhile"))
            assert "the server is silent" in (await watch.until("waiting")).reason
            assert await take(orders, 1) == ["meanwhile"]
            await publishing
            assert watch.states.names.count("online") == 2


@guarded
async def test_a_connection_that_is_cut_is_resumed(server: Server) -> None:
    watch = Watch()
    async with (
        Middlebox(server.address) as network,
        heartline.connect(network.address, client_id="phone-7", on_state=watch.note) as line,
    ):
        orders = line.subscribe("orders", start=Start.EARLIEST)
        await line.publish("orders", "1")
        assert await take(orders, 1) == ["1"]
        network.cut("rst")
        await watch.until("online", count=2)
        await line.publish("orders", "2")
        assert await take(orders, 1) == ["2"]
        presence = await line.presence("phone-7")
        assert (presence.online, presence.sessions, presence.reason) == (True, 1, "CONNECTED")


@guarded
async def test_auto_polls_where_streams_are_refused_and_returns_to_the_stream(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heartline.choice.PROBE_FIRST", 0.2)
    watch = Watch()
    async with (
        OnlyUnary(server.address) as proxy,
        heartline.connect(proxy.address, client_id="phone-7", on_state=watch.note) as line,
    ):
        orders = line.subscribe("orders", start=Start.EARLIEST)
        await line.publish("orders", "1")
        assert await take(orders, 1) == ["1"]
        assert "UNIMPLEMENTED" in (await watch.until("polling")).reason
        proxy.streams = True
        await watch.until("online")
        await line.publish("orders", "2")
        assert await take(orders, 1) == ["2"]


@guarded
async def test_nobody_there_is_waited_out_and_logged_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "heartline")
    server = await start()
    await server.stop()
    watch = Watch()
    async with heartline.connect(server.address, on_state=watch.note) as line:
        await watch.until("waiting", count=2)
        with pytest.raises(heartline.Unavailable) as caught:
            await line.presence("phone-7")
        assert caught.value.retry
        server = await start(listen=server.address)
        await watch.until("online")
    await server.stop()
    assert not [record for record in caplog.records if record.exc_info]
