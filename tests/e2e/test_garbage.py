"""Bytes that are no gRPC: whoever sends them is cut off, and nobody else notices."""

import asyncio
import contextlib

import pytest
from e2e.process import GUARD, Serving
from e2e.raw import calling, session, texts
from heartline.v1.events_pb2 import Subscription

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GARBAGE = {
    "noise": bytes(range(255, -1, -1)) * 40,
    "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: heartline\r\n\r\n",
    "TLS": b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03" + bytes(500),
    "HTTP/2 and then noise": PREFACE + bytes(9) + b"\xff" * 4096,
    "HTTP/2 with a frame too large": PREFACE + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 1]) * 2,
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_on_the_port_disturbs_nobody_else(shared: Serving, kind: str) -> None:
    orders = [Subscription(channel=f"garbage-{kind}", start="START_EARLIEST")]
    async with asyncio.timeout(GUARD), session(shared.address, subscriptions=orders) as other:
        host, port = shared.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(GARBAGE[kind])
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        writer.close()
        async with calling(shared.address) as calls:
            await calls.publish(f"garbage-{kind}", "undisturbed")
        assert texts(await other.events(1)) == ["undisturbed"]
