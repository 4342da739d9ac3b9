"""Where gRPC ends: bytes become requests, who is calling is decided, and what goes wrong becomes a status.

Handlers get raw bytes, because gRPC would answer bytes that are no message with INTERNAL and a parser's words.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from grpc_status import rpc_status

from heartline_service import checks
from heartline_service.faults import Fault, refusal

Context = grpc.aio.ServicerContext[bytes, bytes]
Guard = Callable[[], None]
"""Raises Fault while the server takes no calls."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling. Today everybody may do everything."""

    peer: str


def always_open() -> None:
    """The guard of a service that is there as long as the server is."""


def handlers(service: ServiceDescriptor, servicer: object, guard: Guard) -> grpc.GenericRpcHandler:
    """The service's methods, as the descriptor lists them, each done by the servicer's method of that name."""
    made: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in service.methods:
        act = getattr(servicer, method.name)
        if method.client_streaming:
            made[method.name] = grpc.stream_stream_rpc_method_handler(_stream(act, guard))
        else:
            made[method.name] = grpc.unary_unary_rpc_method_handler(_unary(act, method, guard))
    return grpc.method_handlers_generic_handler(service.full_name, made)


def _unary(act: Callable[[Any, Caller], Awaitable[Message]], method: MethodDescriptor, guard: Guard) -> Any:
    request_type = message_factory.GetMessageClass(method.input_type)

    async def handle(data: bytes, context: Context) -> bytes:
        try:
            guard()
            checks.request_size(data)
            request = checks.parsed(request_type, data)
            return (await act(request, Caller(context.peer()))).SerializeToString()
        except Exception as error:
            await _abort(context, refusal(error))

    return handle


def _stream(act: Callable[[Context, Caller], Awaitable[None]], guard: Guard) -> Any:
    async def handle(_: object, context: Context) -> None:
        try:
            guard()
            await act(context, Caller(context.peer()))
        except Exception as error:
            await _abort(context, refusal(error))

    return handle


async def _abort(context: Context, fault: Fault) -> NoReturn:
    await context.abort_with_status(rpc_status.to_status(fault.status()))
    raise AssertionError("abort_with_status raises")
