"""Unary calls: each with a deadline, over a connection that is replaced when it falls silent."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import grpc
import grpc.aio

from heartline.errors import ServerError, Unavailable, from_rpc_error
from heartline.network import Connection

if TYPE_CHECKING:
    from heartline.v1.request_service_pb2_grpc import RequestServiceAsyncStub

CALL_TIMEOUT = 10.0
"""The deadline of a call that is answered at once, in seconds."""

Q = TypeVar("Q")
A = TypeVar("A")


class Requests:
    """The unary side of a line. The connection is opened by the first call."""

    def __init__(self, dial: Callable[[], Connection]) -> None:
        self._dial = dial
        self._connection = dial()
        self._leaving: set[asyncio.Task[None]] = set()

    async def ask(
        self,
        method: "Callable[[RequestServiceAsyncStub], grpc.aio.UnaryUnaryMultiCallable[Q, A]]",
        request: Q,
        timeout: float = CALL_TIMEOUT,
    ) -> A:
        """Makes one call. Raises HeartlineError: Unavailable when no answer came within `timeout` seconds."""
        connection = self._connection
        try:
            answer = await method(connection.requests)(request, timeout=timeout)
        except grpc.RpcError as error:
            failure = from_rpc_error(error)
            if isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                self._replace(connection)
            raise failure from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise Unavailable("the connection was given up before the answer came") from None
        if answer is None:  # what gRPC makes of bytes that it cannot parse
            raise ServerError("the server sent bytes that are no answer")
        return answer

    async def close(self) -> None:
        """Ends what is under way, and the connections."""
        await asyncio.gather(self._connection.close(), *self._leaving, return_exceptions=True)

    def _replace(self, silent: Connection) -> None:
        if self._connection is silent:
            self._connection = self._dial()
            task = asyncio.create_task(silent.close())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
