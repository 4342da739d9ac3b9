"""The middlebox between raw sockets when nothing is wrong: a relay that adds nothing and loses nothing."""

import asyncio
import os
import resource
import socket

import pytest
from heartline.cli.exits import CommandError
from heartline_lab.middlebox import Flow, Middlebox
from lab.middlebox_ends import End, exchange, network


async def test_bytes_go_both_ways() -> None:
    async with network() as between:
        client, server = await between.pair()
        await client.send(b"ask")
        assert await server.receive(3) == b"ask"
        await server.send(b"answer")
        assert await client.receive(6) == b"answer"


async def test_a_server_may_speak_first() -> None:
    async with network() as between:
        client = await between.connect()
        server = await between.accept()
        await server.send(b"welcome")
        assert await client.receive(7) == b"welcome"


async def test_a_fin_goes_on_one_way_while_the_other_way_goes_on() -> None:
    async with network() as between:
        client, server = await between.pair()
        client.finish()
        assert await server.sees() == "fin"
        await server.send(b"still here")
        assert await client.receive(10) == b"still here"
        assert between.box.totals().open == 1
        server.finish()
        assert await client.sees() == "fin"
        await between.ended()
        assert between.box.totals().open == 0


async def test_a_fin_comes_after_all_bytes() -> None:
    async with network() as between:
        client, server = await between.pair()
        sending = asyncio.create_task(client.send(bytes(3_000_000)))
        sending.add_done_callback(lambda _: client.finish())
        assert len(await server.receive(3_000_001)) == 3_000_000


async def test_a_reset_goes_on_as_a_reset_from_either_side() -> None:
    async with network() as between:
        client, server = await between.pair()
        client.abort()
        assert await server.sees() == "rst"
        client, server = await between.pair()
        server.abort()
        assert await client.sees() == "rst"


async def test_a_client_of_a_server_that_is_gone_gets_a_reset_and_the_owner_a_sentence() -> None:
    told: list[str] = []
    async with network(on_failure=told.append) as between:
        between.shut()
        client = await between.connect()
        assert await client.sees() == "rst"
    assert len(told) == 1
    assert told[0].startswith("no server answers at 127.0.0.1:")
    assert told[0].endswith("Connection refused; the client got a reset")


async def test_a_receiver_that_does_not_read_stops_the_sender() -> None:
    async with network() as between:
        client, server = await between.pair()
        sent = 0
        while True:  # until the kernels' buffers and the box's are full, which can take a moment after they seem to be
            try:
                sent += client.sock.send(bytes(65536))
            except BlockingIOError:
                before = between.box.totals().up.bytes
                await exchange(*await between.pair())
                if between.box.totals().up.bytes == before + 2:
                    break
        held = between.box.totals().up.bytes
        assert sent > held
        client.finish()
        assert len(await server.receive(sent + 1)) == sent


async def test_many_clients_at_once_are_kept_apart() -> None:
    async with network() as between:
        pairs = [await between.pair() for _ in range(40)]
        for number, (client, _) in enumerate(pairs):
            await client.send(b"%03d" % number)
        assert [int(await server.receive(3)) for _, server in pairs] == list(range(40))
        assert between.box.totals().connections == between.box.totals().open == 40


async def test_it_counts_connections_bytes_and_when() -> None:
    async with network() as between:
        client, server = await between.pair()
        await client.send(bytes(99))
        await server.receive(99)
        client.sock.close()
        server.sock.close()
        ended = await between.ended()
        await between.pair()
        first, second = between.box.connections
        assert first == ended
        assert (first.up.bytes, first.down.bytes) == (100, 1)
        assert first.closed_at is not None
        assert 0 < first.opened_at < first.closed_at < second.opened_at
        assert second.closed_at is None
        totals = between.box.totals()
        assert (totals.connections, totals.open) == (2, 1)
        assert (totals.up, totals.down) == (first.up + second.up, first.down + second.down)
        times = [at for at, _, _ in between.box.timeline]
        assert times == sorted(times)
        assert between.box.timeline[0] == (0.0, 0, 0)
        assert between.box.timeline[-1][1:] == (totals.up.bytes, totals.down.bytes) == (101, 2)


async def test_what_is_open_when_it_ends_is_reset() -> None:
    async with network() as between:
        client, server = await between.pair()
        await between.box.__aexit__(None, None, None)
        assert (await client.sees(), await server.sees()) == ("rst", "rst")
        assert between.box.totals().open == 0


async def test_nothing_was_counted_before_anything_came() -> None:
    async with network() as between:
        totals = between.box.totals()
        assert (totals.connections, totals.open, totals.up, totals.down) == (0, 0, Flow(), Flow())


async def test_a_server_may_be_named_and_listen_at_any_of_its_addresses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with Middlebox(f"localhost:{listener.getsockname()[1]}") as box:
            listener.setblocking(False)
            reader, writer = await asyncio.open_connection(*box.address.split(":"))
            server, _ = await asyncio.get_running_loop().sock_accept(listener)
            server.close()
            assert await reader.read() == b""
            writer.close()


async def test_it_relays_between_ipv6_and_ipv4() -> None:
    async with network(listen="[::1]:0") as between:
        assert between.box.address.startswith("[::1]:")
        with socket.create_connection(("::1", int(between.box.address.rpartition(":")[2]))) as client:
            await exchange(End(client), await between.accept())


async def test_a_client_waits_while_the_system_has_no_more_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heartline_lab.middlebox.box.PAUSE", 0.01)
    told: asyncio.Queue[str] = asyncio.Queue()
    async with network(on_failure=told.put_nowait) as between:
        with socket.socket() as sock:
            client = End(sock)
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            free = os.dup(sock.fileno())
            os.close(free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
            try:
                host, _, port = between.box.address.rpartition(":")
                await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
                assert await told.get() == "cannot accept a client: Too many open files"
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            await exchange(client, await between.accept())


async def test_an_address_in_use_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(CommandError, match=f"cannot listen on {taken}: Address already in use"):
            await Middlebox("127.0.0.1:1", listen=taken).__aenter__()


async def test_a_server_that_has_no_such_name_is_told_in_a_sentence() -> None:
    with pytest.raises(CommandError, match=r"'no such host' is not the name of a host here"):
        await Middlebox("no such host:50051").__aenter__()
