"""Idle sessions through HAProxy and nginx with the time-outs that they come with: `make soak`.

It takes a minute of waiting, so it is no part of `make test`. What it waits for is not the clock: each proxy has to end
a call on which nothing comes. The sessions with heartbeats, as they are by default, have then outlived its time-out.
To nginx our server is never that silent: it takes the keepalive pings of a server behind it for life. So there the call
is to a server that has none.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import grpc
import grpc.aio
import heartline
import pytest
from client.fake_server import States, take
from e2e.process import Serving
from e2e.proxies import PACKAGED, Running, haproxy, nginx
from e2e.raw import OWN_CONNECTION, RawSession, calling
from e2e.test_curls import call, hello

NGINX_OWN = 60
"""Seconds: grpc_read_timeout when nothing is said of it."""
GUARD = 150.0


@asynccontextmanager
async def mute() -> AsyncIterator[str]:
    """The address of a gRPC server that takes calls and says nothing, not even a ping."""

    async def say_nothing(request: AsyncIterator[bytes], context: Any) -> None:
        await asyncio.Event().wait()

    handler: Any = grpc.stream_stream_rpc_method_handler(say_nothing)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("mute", {"Connect": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@pytest.mark.needs("haproxy", "nginx", "grpcurl")
async def test_idle_sessions_with_heartbeats_outlive_the_time_outs_that_end_silent_calls(tmp_path: Path) -> None:
    """And a listener that half-closed, and answers no heartbeats, is held as long beside them."""
    async with AsyncExitStack() as stack, asyncio.timeout(GUARD):

        def before(proxy: Any, name: str, address: str) -> str:
            (tmp_path / name).mkdir()
            running: Running = stack.enter_context(proxy(tmp_path / name, [address]))
            return running.address

        server = stack.enter_context(Serving()).ready().address
        listening = call("grpcurl", server, "heartline.v1.SessionService/Connect", hello("grpcurl"))
        listener = stack.enter_context(listening)
        addresses = before(haproxy, "haproxy", server), before(nginx, "nginx", server)
        silent = (
            before(haproxy, "silent-haproxy", server),
            before(nginx, "silent-nginx", await stack.enter_async_context(mute())),
        )

        kept, states, calls = [], [], []
        for address in addresses:
            async with grpc.aio.insecure_channel(address, options=OWN_CONNECTION) as probe:
                await probe.channel_ready()
            told = States()
            line = heartline.connect(address, transport="stream", on_state=told.append)
            await stack.enter_async_context(line)
            kept.append(line.subscribe("grpcurl-held", start=heartline.Start.EARLIEST))
            states.append(told)
        for address in silent:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(address, options=OWN_CONNECTION))
            await channel.channel_ready()
            calls.append(channel)
        await listener.out.line('"subscribed"')
        begun = monotonic()

        async def cut_after(call: Any) -> float:
            await call.code()
            return monotonic() - begun

        passive = RawSession(calls[0])
        await passive.open(passive=True)
        unanswered: Any = calls[1].stream_stream("/mute/Connect")()
        ends = await asyncio.gather(cut_after(passive.call), cut_after(unanswered))
        assert [end > limit - 1.0 for end, limit in zip(ends, (PACKAGED, NGINX_OWN), strict=True)] == [True, True]

        async with calling(server) as caller:
            await caller.publish("grpcurl-held", "still here")
        assert [await take(one, 1) for one in kept] == [["still here"]] * 2
        await listener.out.line('"still here"')
        assert [told.names for told in states] == [["online"]] * 2
