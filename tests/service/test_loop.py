"""The event loop that hears at once of all that gRPC has done."""

import asyncio
import functools
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio
import pytest
from heartline_service import loop
from heartline_service.loop import hear_at_once


class PollerCompletionQueue:
    """Named as gRPC's, and it does what gRPC's does with the socket."""

    def __init__(self, told: socket.socket) -> None:
        self.told = told
        self.heard = 0

    def handle(self, _loop: object) -> None:
        self.heard += 1
        with suppress(BlockingIOError):
            self.told.recv(1)


class Pair:
    """A socket and who writes into it."""

    def __init__(self) -> None:
        self.told, self.teller = socket.socketpair()
        self.told.setblocking(False)

    def close(self) -> None:
        self.told.close()
        self.teller.close()


@pytest.fixture
def pair() -> Any:
    made = Pair()
    yield made
    made.close()


def test_many_bytes_are_heard_once(pair: Pair) -> None:
    queue = PollerCompletionQueue(pair.told)
    hear = hear_at_once(pair.told, functools.partial(queue.handle, None))
    pair.teller.send(b"1" * 200)
    hear()
    assert queue.heard == 1
    with pytest.raises(BlockingIOError):
        pair.told.recv(1)


def test_it_is_heard_though_another_has_taken_the_byte(pair: Pair) -> None:
    queue = PollerCompletionQueue(pair.told)
    hear_at_once(pair.told, functools.partial(queue.handle, None))()
    assert queue.heard == 1


def test_what_is_not_grpcs_is_left_alone(pair: Pair) -> None:
    def plain() -> None: ...

    assert hear_at_once(pair.told, plain) is plain
    assert hear_at_once(pair.told.fileno(), plain) is plain


def test_a_real_server_is_heard_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, gRPC has changed how it tells the event loop: see whether the module is of use still."""
    known: list[bool] = []

    def looked_at(fd: object, callback: Callable[..., Any]) -> Callable[..., Any]:
        made = hear_at_once(fd, callback)
        known.append(made is not callback)
        return made

    async def call() -> bytes:
        server = grpc.aio.server()
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_echo)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test", {"Echo": handler})])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/test/Echo")
            answer = await ask(b"hello", timeout=10)
        await server.stop(None)
        return answer

    monkeypatch.setattr(loop, "hear_at_once", looked_at)
    with asyncio.Runner(loop_factory=loop.new_event_loop) as runner:
        assert runner.run(call()) == b"hello"
    assert known.count(True) == 1


async def _echo(request: bytes, _context: object) -> bytes:
    return request
