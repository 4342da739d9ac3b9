"""Several processes on one port: one server to clients, and to whoever starts and stops it."""

import asyncio
import os
import select
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from e2e.proc import children
from e2e.process import GUARD, Serving
from e2e.raw import calling, session, texts
from e2e.test_start import UNAVAILABLE, WRONG_USAGE, outcome
from heartline.v1.admin_service_pb2 import GetServerRequest
from redis_servers import free_port, one_redis

CONNECTIONS = 12


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """A server of two workers."""
    with one_redis(tmp_path) as redis, Serving("--workers", "2", "--drain-timeout", "1s", store=redis.url) as server:
        yield server.ready()


def workers(server: Serving) -> list[int]:
    """The processes that a server keeps."""
    return children(server.pid)


async def all_gone(pids: list[int]) -> None:
    """Waits until these processes have ended."""
    for pid in pids:
        try:
            ending = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ended, _, _ = await asyncio.to_thread(select.select, [ending], [], [], GUARD)
        os.close(ending)
        assert ended


async def start_times(server: Serving) -> set[float]:
    """When the servers started that answer on new connections."""
    found = set()
    for _ in range(40):
        async with calling(server.address) as calls:
            told = await calls.admin.GetServer(GetServerRequest())
            found.add(told.start_time.ToNanoseconds())
    return found


@pytest.mark.needs("redis")
async def test_every_worker_gets_connections_and_all_are_one_server(serving: Serving) -> None:
    assert len(workers(serving)) == 2
    assert len(await start_times(serving)) == 2
    async with AsyncExitStack() as stack, asyncio.timeout(GUARD):
        peers = [
            await stack.enter_async_context(session(serving.address, subscriptions=[{"channel": "orders"}]))
            for _ in range(CONNECTIONS)
        ]
        for peer in peers:
            await peer.next("subscribed")
        for number in range(CONNECTIONS):
            async with calling(serving.address) as calls:
                await calls.publish("orders", str(number))
        for peer in peers:
            assert texts(await peer.events(CONNECTIONS)) == [str(number) for number in range(CONNECTIONS)]


@pytest.mark.needs("redis")
async def test_a_worker_that_dies_is_started_anew(serving: Serving) -> None:
    os.kill(workers(serving)[0], signal.SIGKILL)
    await serving.err.line("a worker ended (-9) and is started anew")
    async with asyncio.timeout(GUARD):
        while len(await start_times(serving)) < 2:
            pass


@pytest.mark.needs("redis")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_all_and_ends_them_with_0(serving: Serving, number: signal.Signals) -> None:
    kept = workers(serving)
    async with session(serving.address) as peer:
        serving.signal(number)
        assert (await peer.next("drain")).HasField("drain")
        assert (await peer.next("goodbye")).HasField("goodbye")
    assert await serving.ended() == 0
    await all_gone(kept)


@pytest.mark.needs("redis")
async def test_a_second_ctrl_c_ends_at_once(serving: Serving) -> None:
    kept = workers(serving)
    async with session(serving.address):
        serving.signal(signal.SIGINT)
        await serving.err.line("draining")
        serving.signal(signal.SIGINT)
        assert await serving.ended() == 130
    await all_gone(kept)


@pytest.mark.needs("redis")
async def test_workers_do_not_outlive_a_keeper_that_was_killed(serving: Serving) -> None:
    kept = workers(serving)
    serving.kill()
    await all_gone(kept)


async def test_what_is_wrong_with_the_store_is_told_once() -> None:
    code, said = await outcome("--workers", "3", "--store", f"redis://127.0.0.1:{free_port()}")
    assert code == UNAVAILABLE
    assert said.count("cannot be reached") == 1
    assert "\n" not in said


async def test_a_store_that_one_process_holds_is_refused() -> None:
    code, said = await outcome("--workers", "2", "--store", "memory:")
    assert code == WRONG_USAGE
    assert said.startswith("heartline: --workers: 2 processes need a store that they can share: write --store redis://")


@pytest.mark.needs("redis")
async def test_a_port_in_use_is_told(serving: Serving) -> None:
    code, said = await outcome("--workers", "2", "--store", "redis://127.0.0.1", "--listen", serving.address)
    assert code == UNAVAILABLE
    assert said.endswith("another program does; choose another with --listen")
