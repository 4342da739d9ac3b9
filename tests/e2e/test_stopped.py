"""Each end really stopped, with SIGSTOP: its connection stays open and says nothing. Only heartbeats tell.

Nothing but the application stops: the kernel goes on to take what is sent, and gRPC's own pings would take longer.
"""

import asyncio
import json
from time import monotonic
from typing import Any

import heartline
from e2e.process import GUARD, Command, Start
from e2e.raw import calling, texts

INTERVAL = TIMEOUT = 0.3
BEATS: dict[str, Any] = {"heartbeat_interval": INTERVAL, "heartbeat_timeout": TIMEOUT}
TOLERANCE = 1.5
"""Seconds that a loaded machine may add. A connection that nobody judges would stay for minutes."""


async def test_a_stopped_client_is_noticed_in_time_and_resumes_with_nothing_lost_or_repeated(start: Start) -> None:
    server = start("--grace", "0.2s")
    flags = ("--heartbeat-interval", f"{INTERVAL}s", "--heartbeat-timeout", f"{TIMEOUT}s")
    with Command(
        "listen",
        "orders",
        "--client-id",
        "phone-7",
        "--start",
        "earliest",
        "--json",
        "--server",
        server.address,
        *flags,
    ) as client:
        await client.err.line('"online"')
        async with calling(server.address) as calls:
            await calls.publish("orders", "1", "2")
            await client.out.lines("event", 2)

            client.stop()
            await calls.publish("orders", "3", "4")
            await server.err.line("answered no heartbeat", within=INTERVAL + TIMEOUT + TOLERANCE)
            await calls.publish("orders", "5", "6")
            gone = (await calls.until("$presence", 2))[1].attributes
            client.go_on()

            await calls.publish("orders", "7")
            await client.out.line('"7"')
            back = (await calls.until("$presence", 3))[2].attributes
    assert [json.loads(line)["text"] for line in client.out.all()] == ["1", "2", "3", "4", "5", "6", "7"]
    assert (gone["client_id"], gone["online"], gone["reason"]) == ("phone-7", "false", "HEARTBEAT_TIMEOUT")
    assert (back["client_id"], back["online"], back["reason"]) == ("phone-7", "true", "CONNECTED")


async def test_a_stopped_server_is_noticed_in_time_and_nothing_is_lost_or_repeated(start: Start) -> None:
    server = start()
    noticed: asyncio.Future[heartline.LineState] = asyncio.get_running_loop().create_future()
    online = asyncio.Event()

    def on_state(state: heartline.LineState) -> None:
        if state.name == "online":
            online.set()
        elif online.is_set() and not noticed.done():
            noticed.set_result(state)

    line = heartline.connect(server.address, client_id="phone-7", on_state=on_state, **BEATS)
    async with asyncio.timeout(GUARD), line, line.subscribe("orders", start=heartline.Start.EARLIEST) as orders:
        await online.wait()
        await line.publish("orders", "1")
        read = [(await anext(orders)).data]

        server.stop()
        at = monotonic()
        publishing = asyncio.create_task(line.publish("orders", "2"))
        state = await noticed
        silence = monotonic() - at
        server.go_on()

        await publishing
        await line.publish("orders", "3")
        read += [(await anext(orders)).data for _ in range(2)]
        async with calling(server.address) as calls:
            stored = texts(await calls.read_all("orders"))
            presence = await calls.read_all("$presence")
    assert silence < INTERVAL + TIMEOUT + TOLERANCE
    assert "silent" in state.reason
    assert read == stored == ["1", "2", "3"]
    assert [event.attributes["reason"] for event in presence] == ["CONNECTED"]
