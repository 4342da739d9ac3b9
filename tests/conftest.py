"""Fixtures that many tests share: a real server on a port of its own, and raw stubs to call it with."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import grpc.aio
import pytest
from heartline_service.server import Server
from heartline_service.settings import Settings

pytest_plugins = ["left_out", "longest_first"]

QUICK = Settings(listen="127.0.0.1:0", store="memory:", grace=0.3, drain_timeout=0.3, name="test")
"""A server for tests: everything that takes time takes little."""

Serve = Callable[..., Awaitable[Server]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers in this process, with QUICK's settings changed as told; they stop when the test ends."""
    async with AsyncExitStack() as stack:

        async def start(**changes: object) -> Server:
            server = Server(replace(QUICK, **changes))  # type: ignore[arg-type]
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


@pytest.fixture
async def server(serve: Serve) -> Server:
    """A server with a memory store."""
    return await serve()


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    """A plain channel to the server, as generated stubs take it."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel
