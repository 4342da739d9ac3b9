"""The middlebox's counts against tshark's, which looks at the packets: they agree to the segment."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from lab.middlebox_ends import Network, network
from lab.middlebox_tshark import Seen, tshark


async def client_closes_first(between: Network) -> None:
    client, server = await between.pair()
    client.finish()
    assert await server.sees() == "fin"
    server.finish()
    assert await client.sees() == "fin"


async def server_closes_first(between: Network) -> None:
    client, server = await between.pair()
    server.sock.close()
    assert await client.sees() == "fin"
    client.sock.close()


async def client_resets(between: Network) -> None:
    client, server = await between.pair()
    client.abort()
    assert await server.sees() == "rst"


async def server_resets(between: Network) -> None:
    client, server = await between.pair()
    server.abort()
    assert await client.sees() == "rst"


async def box_sends_fin(between: Network) -> None:
    client, server = await between.pair()
    between.box.cut("fin")
    assert (await client.sees(), await server.sees()) == ("fin", "fin")
    client.sock.close()
    server.sock.close()


async def box_resets(between: Network) -> None:
    client, server = await between.pair()
    between.box.cut("rst")
    assert (await client.sees(), await server.sees()) == ("rst", "rst")


async def box_forgets(between: Network) -> None:
    client, server = await between.pair()
    between.box.forget()
    await client.send(b"into the void")
    client.sock.close()
    server.sock.close()


async def half_closed_then_reset_by_box(between: Network) -> None:
    client, server = await between.pair()
    client.finish()
    assert await server.sees() == "fin"
    between.box.cut("rst")
    assert await client.sees() == "rst"


async def nobody_answers(between: Network) -> None:
    between.shut()
    client = await between.connect()
    assert await client.sees() == "rst"


async def small_and_large(between: Network) -> None:
    client, server = await between.pair()
    for size in (1, 100, 10_000, 300_000):
        sending = asyncio.create_task(client.send(bytes(size)))
        assert len(await server.receive(size)) == size
        await sending
        sending = asyncio.create_task(server.send(bytes(size)))
        assert len(await client.receive(size)) == size
        await sending
    client.sock.close()
    assert await server.sees() == "fin"
    server.sock.close()


LIVES = (
    client_closes_first,
    server_closes_first,
    client_resets,
    server_resets,
    box_sends_fin,
    box_resets,
    box_forgets,
    half_closed_then_reset_by_box,
    small_and_large,
    nobody_answers,
)


@pytest.mark.needs("tshark", "capture")
async def test_what_it_counts_is_what_tshark_counts_however_a_connection_ends() -> None:
    async with AsyncExitStack() as stack:
        lives = {life: await stack.enter_async_context(network()) for life in LIVES}
        ports = {life: int(between.box.address.rpartition(":")[2]) for life, between in lives.items()}
        async with tshark(*ports.values()) as seen:
            for life, between in lives.items():
                await life(between)
                await between.ended()
        assert {life.__name__: counted(between) for life, between in lives.items()} == {
            life.__name__: seen[port] for life, port in ports.items()
        }


def counted(between: Network) -> Seen:
    totals = between.box.totals()
    return Seen(totals.up.segments, totals.down.segments, totals.up.bytes, totals.down.bytes)
