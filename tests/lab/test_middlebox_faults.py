"""Every fault, seen from raw sockets on both sides. A delay is judged by its lower bound alone."""

import asyncio
import time

import pytest
from heartline_lab.middlebox import Faults
from heartline_lab.middlebox.faults import BlackHole
from lab.middlebox_ends import exchange, network, turns


async def test_latency_delays_each_way() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.change(latency=0.03)
        began = time.monotonic()
        await exchange(client, server)
        assert time.monotonic() - began >= 0.06


async def test_a_new_connection_pays_for_its_handshake_as_over_a_real_network() -> None:
    async with network(faults=Faults(latency=0.02)) as between:
        began = time.monotonic()
        client = await between.connect()
        await client.send(b"u")
        server = await between.accept()
        assert time.monotonic() - began >= 0.06
        assert await server.receive(1) == b"u"
        await server.send(b"d")
        await client.receive(1)
        assert time.monotonic() - began >= 0.08


async def test_jitter_keeps_the_order_of_bytes() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.change(jitter=0.005)
        numbers = b"".join(b"%04d" % number for number in range(50))
        for at in range(0, len(numbers), 4):
            await client.send(numbers[at : at + 4])
            await asyncio.sleep(0)
        assert await server.receive(len(numbers)) == numbers


async def test_bandwidth_is_a_limit() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.change(bandwidth=100_000)
        began = time.monotonic()
        await client.send(bytes(6000))
        await server.receive(6000)
        assert time.monotonic() - began >= 0.06


@pytest.mark.parametrize("way", ["up", "down", "both"])
async def test_a_black_hole_holds_what_goes_that_way_and_its_end_lets_it_go(way: BlackHole) -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.change(black_hole=way)
        await client.send(b"up")
        await server.send(b"down")
        assert await client.hears_nothing() == (way != "up")
        assert await server.hears_nothing() == (way != "down")
        between.box.heal()
        assert await client.receive(4) == b"down"
        assert await server.receive(2) == b"up"


async def test_a_black_hole_takes_fin_and_reset_too() -> None:
    async with network() as between:
        one, its_server = await between.pair()
        other, others_server = await between.pair()
        between.box.change(black_hole="up")
        one.finish()
        other.abort()
        assert await its_server.hears_nothing()
        assert await others_server.hears_nothing()
        between.box.heal()
        assert (await its_server.sees(), await others_server.sees()) == ("fin", "rst")


async def test_from_a_black_hole_no_server_hears_of_a_new_client() -> None:
    async with network() as between:
        for way in ("up", "down"):
            between.box.change(black_hole=way)
            client = await between.connect()
            await client.send(b"u")
            await turns()
            assert not between.waiting()
            between.box.heal()
            await between.accept()


async def test_forgotten_connections_are_silent_for_good_and_new_ones_work() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.forget()
        between.box.heal()
        await client.send(b"up")
        await server.send(b"down")
        assert await client.hears_nothing()
        assert await server.hears_nothing()
        newcomers = await between.pair()
        await exchange(*newcomers)
        assert between.box.totals().open == 1
        assert between.box.totals().up.bytes == 1 + len(b"up") + 2
        assert between.box.totals().down.bytes == 1 + 0 + 2


async def test_nobody_hears_of_the_end_of_a_forgotten_connection() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.forget()
        client.abort()
        assert await server.hears_nothing()
        server.sock.close()
        assert (await between.ended()).closed_at is not None


async def test_what_was_under_way_is_forgotten_too() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.change(latency=60.0)
        await client.send(b"late")
        await turns()
        between.box.forget()
        between.box.heal()
        assert await server.hears_nothing()


async def test_a_fin_by_the_box_reaches_both_ends() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.cut("fin")
        assert (await client.sees(), await server.sees()) == ("fin", "fin")
        assert between.box.totals().open == 0
        await exchange(*await between.pair())


async def test_a_reset_by_the_box_reaches_both_ends() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.cut("rst")
        assert (await client.sees(), await server.sees()) == ("rst", "rst")
        await exchange(*await between.pair())


async def test_a_cut_reaches_clients_whose_server_has_not_answered_yet() -> None:
    async with network(faults=Faults(black_hole="up")) as between:
        for how in ("fin", "rst"):
            client = await between.connect()
            await turns()
            between.box.cut(how)
            assert await client.sees() == how


async def test_refused_clients_are_refused_by_the_kernel_and_others_go_on() -> None:
    async with network() as between:
        pair = await between.pair()
        between.box.change(refuse=True)
        with pytest.raises(ConnectionRefusedError):
            await between.connect()
        await exchange(*pair)
        between.box.change(refuse=False)
        await exchange(*await between.pair())
        assert between.box.totals().connections == 2


async def test_an_idle_connection_is_dropped_in_silence() -> None:
    async with network() as between:
        client, server = await between.pair()
        between.box.change(idle_timeout=1e-9)
        between.box.heal()
        assert between.box.totals().open == 0
        await client.send(b"up")
        await server.send(b"down")
        assert await client.hears_nothing()
        assert await server.hears_nothing()


async def test_an_idle_connection_is_dropped_with_a_reset_to_both_ends() -> None:
    async with network(faults=Faults(idle_timeout=0.02, idle_action="rst")) as between:
        began = time.monotonic()
        client = await between.connect()
        server = await between.accept()
        assert (await client.sees(), await server.sees()) == ("rst", "rst")
        assert time.monotonic() - began >= 0.02


async def test_bytes_either_way_keep_a_connection_from_being_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    async with network() as between:
        pairs = [await between.pair() for _ in range(3)]
        loop = asyncio.get_running_loop()
        real_time = loop.time
        monkeypatch.setattr(loop, "time", lambda: real_time() + 100)
        await pairs[0][0].send(b"u")
        await pairs[1][1].send(b"d")
        await turns()
        between.box.change(idle_timeout=50)
        assert [record.closed_at is None for record in between.box.connections] == [True, True, False]


async def test_a_change_that_makes_no_sense_changes_nothing() -> None:
    async with network() as between:
        before = between.box.faults
        with pytest.raises(ValueError, match="latency is a number of seconds from 0, not -1"):
            between.box.change(black_hole="up", latency=-1)
        with pytest.raises(ValueError, match="cut by fin or rst, not 'scissors'"):
            between.box.cut("scissors")  # type: ignore[arg-type]
        assert between.box.faults == before
        await exchange(*await between.pair())


async def test_healing_takes_all_faults_away() -> None:
    async with network(faults=Faults(latency=60.0, black_hole="down", bandwidth=1.0, refuse=True)) as between:
        between.box.heal()
        assert between.box.faults == Faults()
        await exchange(*await between.pair())


async def test_faults_hold_for_the_connections_there_are_and_those_to_come() -> None:
    async with network() as between:
        old = await between.pair()
        between.box.change(latency=0.01)
        for client, server in (old, await between.pair()):
            began = time.monotonic()
            await exchange(client, server)
            assert time.monotonic() - began >= 0.02
