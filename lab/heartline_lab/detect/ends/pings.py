"""The detector that is gRPC's own keepalive: one call that lasts, on a connection on which both ends send PING.

Both of gRPC's timeouts are set, as one alone does not act, and its limits on idle pings are lifted.
"""

import asyncio
from typing import Any

import grpc
import grpc.aio

from heartline_lab.detect.ends.end import Order, Witness

DETECTOR = "grpc-keepalive"
_METHOD = "/heartline.lab.Idle/Wait"


async def call(order: Order, witness: Witness) -> None:
    """Calls, and waits for the end of it. Returns when the connection was lost."""
    async with grpc.aio.insecure_channel(f"{order.host}:{order.ports[1]}", options=_options(order)) as channel:
        method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(_METHOD)
        waiting = method(b"")
        await waiting.initial_metadata()
        witness.post(DETECTOR)
        code = await waiting.code()
        witness.notice(DETECTOR, f"{code.name}: {await waiting.details()}")


async def serve(order: Order, witness: Witness) -> tuple[grpc.aio.Server, int]:
    """Starts a server with that call, and tells its port."""

    async def wait(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        await context.send_initial_metadata(())
        witness.post(DETECTOR)
        try:
            await asyncio.Event().wait()
        finally:
            witness.notice(DETECTOR, "the call was cancelled")

    server = grpc.aio.server(options=_options(order))
    port = server.add_insecure_port(f"{order.host}:0")
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("heartline.lab.Idle", {"Wait": _handler(wait)})]
    )
    await server.start()
    return server, port


def _handler(wait: Any) -> "grpc.RpcMethodHandler[bytes, bytes]":
    return grpc.unary_stream_rpc_method_handler(wait)


def _options(order: Order) -> list[tuple[str, int]]:
    interval, timeout = round(order.interval * 1000), round(order.timeout * 1000)
    return [
        ("grpc.keepalive_time_ms", interval),
        ("grpc.keepalive_timeout_ms", timeout),
        ("grpc.http2.ping_timeout_ms", timeout),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", interval // 2),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.so_reuseport", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
