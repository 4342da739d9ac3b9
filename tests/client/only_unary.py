"""A proxy between a client and a server that does not know what streams are: real gRPC, in this process.

Bad TCP is the lab's middlebox's business.
"""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio


class OnlyUnary(grpc.GenericRpcHandler):
    """A gRPC proxy to `target` that knows no streams until `streams` is set."""

    def __init__(self, target: str) -> None:
        self.streams = False
        self._channel = grpc.aio.insecure_channel(target)
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers([self])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """How a method is handled: None where it is unknown, which the caller sees as UNIMPLEMENTED."""
        method = handler_call_details.method
        if not method.endswith("/Connect"):
            unary: Any = self._channel.unary_unary(method)

            async def ask(request: bytes, context: Any) -> Any:
                try:
                    return await unary(request, timeout=context.time_remaining())
                except grpc.aio.AioRpcError as error:
                    await context.abort(error.code(), error.details(), error.trailing_metadata())
                    raise

            return grpc.unary_unary_rpc_method_handler(ask)
        if not self.streams:
            return None
        stream: Any = self._channel.stream_stream(method)

        async def relay(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            async for answer in stream(requests):
                yield answer

        return grpc.stream_stream_rpc_method_handler(relay)

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.stop(None)
        await self._channel.close()
