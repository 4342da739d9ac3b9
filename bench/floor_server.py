"""The floor: what gRPC alone costs. A bare grpc.aio server that answers fixed bytes to fixed bytes.

Rules: it does nothing that a server of these calls could leave out. Requests and answers stay bytes; with GENERATED a
Poll is parsed and its answer serialised, as a server with generated code does it. A stream reads its first frame,
writes the greeting, then waits and writes what is pushed, or says back what it hears. The wait is a Future, the
cheapest there is; what is pushed while a stream still writes waits in a list that all share. It takes in as many calls
at once as the real server.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from typing import Any

import grpc
import grpc.aio
from heartline.v1.request_service_pb2 import PollRequest, PollResponse
from heartline_service.loop import new_event_loop, threads_take_turns
from heartline_service.server import OPTIONS

from bench.script import CONNECT, POLL, Script

TAKING_IN = [(name, value) for name, value in OPTIONS if "pending_requests" in name]
"""How many calls may come at once: as many as the real server takes."""

STOCK, TUNED, GENERATED = "stock", "tuned", "generated"
"""Kinds of floor: on what asyncio.run and grpc.aio give, which is the baseline for what tuning brings; on the event
loop and threads of the real server, which shows what its own code costs; and that with generated code."""

Context = grpc.aio.ServicerContext[bytes, bytes]


class Floor:
    """The calls of a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._waiting: list[asyncio.Future[None]] = []
        self._pushed: list[bytes] = []

    def unary(self, method: str) -> Callable[[bytes, Context], Awaitable[bytes]]:
        """A handler that looks its answer up, and pushes."""
        exchanges = {e.request: (e.answer, e.push) for e in self._script.exchanges if e.method == method}
        otherwise = exchanges.get(b"")

        async def answer(request: bytes, _context: Context) -> bytes:
            found = exchanges.get(request, otherwise)
            if found is None:
                raise KeyError(f"the script has no answer to this {method}")
            answer, push = found
            if push:
                self._pushed.append(push)
                waiting, self._waiting = self._waiting, []
                for stream in waiting:
                    if not stream.done():
                        stream.set_result(None)
            return answer

        return answer

    def generated_poll(self) -> Callable[[PollRequest, object], Awaitable[PollResponse]]:
        """A handler that gives the script's only Poll answer as a message."""
        (answer,) = (PollResponse.FromString(e.answer) for e in self._script.exchanges if e.method == POLL)

        async def poll(_request: PollRequest, _context: object) -> PollResponse:
            return answer

        return poll

    async def connect(self, _requests: AsyncIterator[bytes], context: Context) -> None:
        """A stream: one frame in, the greeting, then whatever is pushed, or an echo."""
        await context.read()
        for frame in self._script.greeting:
            await context.write(frame)
        if self._script.echo:
            while isinstance(heard := await context.read(), bytes):
                await context.write(heard)
            return
        loop = asyncio.get_running_loop()
        written = len(self._pushed)
        while True:
            if written == len(self._pushed):
                pushed: asyncio.Future[None] = loop.create_future()
                self._waiting.append(pushed)
                await pushed
            await context.write(self._pushed[written])
            written += 1


async def serve(script: Script, kind: str) -> None:
    """Serves on a free port of 127.0.0.1, tells it on stdout, and never returns."""
    floor = Floor(script)
    handlers: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
    for path in {exchange.method for exchange in script.exchanges}:
        _, service, method = path.split("/")
        handlers.setdefault(service, {})[method] = (
            grpc.unary_unary_rpc_method_handler(
                floor.generated_poll(), PollRequest.FromString, PollResponse.SerializeToString
            )
            if kind == GENERATED and path == POLL
            else grpc.unary_unary_rpc_method_handler(floor.unary(path))
        )
    _, service, method = CONNECT.split("/")
    handlers.setdefault(service, {})[method] = grpc.stream_stream_rpc_method_handler(floor.connect)
    with nullcontext() if kind == STOCK else threads_take_turns():
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0), *TAKING_IN])
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, methods) for service, methods in handlers.items()]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"floor: serving on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


def run(kind: str) -> None:
    """Reads the script from stdin and serves it."""
    script = Script.from_json(sys.stdin.readline())
    with asyncio.Runner(loop_factory=None if kind == STOCK else new_event_loop) as runner:
        runner.run(serve(script, kind))
