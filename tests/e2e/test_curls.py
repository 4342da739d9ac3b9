"""The real grpcurl and buf curl: everything that a person at a terminal needs, by reflection, with one line each."""

import asyncio
import json
from contextlib import ExitStack
from typing import Any

import pytest
from e2e.process import Program, Serving
from e2e.raw import calling, seconds, session
from heartline.v1.admin_service_pb2 import SESSION_MODE_HALF_CLOSED, SESSION_MODE_PASSIVE, ListSessionsRequest
from heartline.v1.session_service_pb2 import HeartbeatAck
from tools import path as tool

SERVICES = ["heartline.v1.AdminService", "heartline.v1.RequestService", "heartline.v1.SessionService"]
TOOLS = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("grpcurl", "buf")]
INTERVAL, TIMEOUT = 0.15, 0.1
BEATS = 15
"""For how many heartbeats of another session the listeners are held: nine times what would be their end."""


def call(name: str, address: str, method: str, request: dict[str, Any]) -> Program:
    """Runs the tool on one method. It half-closes when it has sent the request."""
    said = json.dumps(request)
    if name == "grpcurl":
        return Program(tool(name), "-plaintext", "-d", said, address, method)
    return Program(
        tool(name), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", said, f"http://{address}/{method}"
    )


async def answer(name: str, address: str, method: str, **request: Any) -> Any:
    """The answer of a call that must succeed."""
    with call(name, address, method, request) as running:
        assert await running.ended() == 0, running.err.text()
        return json.loads(running.out.text())


def hello(name: str, **fields: Any) -> dict[str, Any]:
    """A hello that begins to read the tool's own channel."""
    subscriptions = [{"channel": f"{name}-held", "start": "START_EARLIEST"}]
    beats = {"heartbeat_interval": f"{INTERVAL}s", "heartbeat_timeout": f"{TIMEOUT}s"}
    return {"hello": {"client_id": name, "subscriptions": subscriptions, **beats, **fields}}


@pytest.mark.parametrize("name", TOOLS)
async def test_it_publishes_and_polls(shared: Serving, name: str) -> None:
    for offset in ("1", "2"):
        published = await answer(
            name,
            shared.address,
            "heartline.v1.RequestService/Publish",
            channel=name,
            messages=[{"text": f"tea {offset}"}],
        )
        assert [receipt["offset"] for receipt in published["receipts"]] == [offset]
    polled = await answer(
        name,
        shared.address,
        "heartline.v1.RequestService/Poll",
        subscriptions=[{"channel": name, "after": {"offset": 1}}],
        wait="10s",
    )
    assert [event["text"] for event in polled["batches"][0]["events"]] == ["tea 2"]


@pytest.mark.parametrize("name", TOOLS)
async def test_it_asks_for_health(shared: Serving, name: str) -> None:
    for service in ("", *SERVICES):
        assert await answer(name, shared.address, "grpc.health.v1.Health/Check", service=service) == {
            "status": "SERVING"
        }


@pytest.mark.needs("grpcurl")
async def test_it_is_told_whose_fault_an_error_is(shared: Serving) -> None:
    with call("grpcurl", shared.address, "heartline.v1.RequestService/Publish", {"channel": "$presence"}) as running:
        assert await running.ended() != 0
        told = running.err.text()
    assert "Code: InvalidArgument" in told
    assert '"reason":"RESERVED_CHANNEL"' in told
    assert '"field":"channel"' in told


@pytest.mark.needs("grpcurl")
async def test_it_lists_and_describes_the_contract(shared: Serving) -> None:
    with Program(tool("grpcurl"), "-plaintext", shared.address, "list") as listing:
        assert await listing.ended() == 0
        assert set(SERVICES) <= set(listing.out.all())
    for service in SERVICES:
        with Program(tool("grpcurl"), "-plaintext", shared.address, "describe", service) as describing:
            assert await describing.ended() == 0
            assert f"{service} is a service:" in describing.out.text()


@pytest.mark.needs("grpcurl", "buf")
async def test_listeners_that_answer_no_heartbeats_are_held(shared: Serving) -> None:
    """Two half-closed after hello, and one that stays open and said that it is passive."""
    with ExitStack() as stack:
        connect, address = "heartline.v1.SessionService/Connect", shared.address
        half_closed = [stack.enter_context(call(name, address, connect, hello(name))) for name in ("grpcurl", "buf")]
        passive = stack.enter_context(
            Program(tool("grpcurl"), "-plaintext", "-d", "@", address, connect, open_stdin=True)
        )
        passive.say(json.dumps(hello("passive", passive=True)))
        listeners = [*half_closed, passive]
        await asyncio.gather(*(one.out.line('"subscribed"') for one in listeners))

        async with session(address, heartbeat_interval=seconds(INTERVAL)) as other, calling(address) as calls:
            for _ in range(BEATS):
                beat = (await other.next("heartbeat")).heartbeat
                await other.send(heartbeat_ack=HeartbeatAck(sequence=beat.sequence))
            for name in ("grpcurl", "buf", "passive"):
                await calls.publish(f"{name}-held", "still here")
            await asyncio.gather(*(one.out.line('"still here"') for one in listeners))
            live = (await calls.admin.ListSessions(ListSessionsRequest())).sessions
    modes = {one.client_id: one.mode for one in live}
    assert modes["passive"] == SESSION_MODE_PASSIVE
    assert modes["grpcurl"] == modes["buf"] == SESSION_MODE_HALF_CLOSED
