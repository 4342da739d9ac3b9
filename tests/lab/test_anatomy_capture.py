"""The capture sees each packet of its port on loopback once, in order, and nothing else."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from heartline_lab.anatomy.capture import Capture
from heartline_lab.anatomy.dissect import connections, streams

pytestmark = pytest.mark.needs("capture")

GUARD = 10.0
LARGE = 3_000_000
"""Bytes: many packets, as a packet on loopback carries 64 KiB."""


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """The port of a server that sends back all that a client said, when the client has closed its side."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(-1))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def said(port: int, data: bytes) -> int:
    """Says this to the server at a port, reads it back, and returns the client's own port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    name: tuple[str, int] = writer.get_extra_info("sockname")
    writer.write(data)
    writer.write_eof()
    assert await reader.read(-1) == data
    writer.close()
    await writer.wait_closed()
    return name[1]


async def test_each_packet_is_there_once() -> None:
    async with listening() as port, Capture(port) as capture:
        client = await said(port, b"hello")
        await capture.until(lambda packets: any(one.ended for one in connections(packets)), GUARD)
    [connection] = connections(capture.packets)
    assert (connection.client[1], connection.server[1]) == (client, port)
    numbers = [(one.from_client, one.raw_seq, one.raw_ack, one.flags) for one in connection.segments]
    assert len(set(numbers)) == len(numbers) == len(capture.packets)
    assert [len(one.payload) for one in connection.segments if one.payload] == [5, 5]


async def test_no_packet_of_another_port_is_taken() -> None:
    async with listening() as port, listening() as other, Capture(port) as capture:
        await said(other, b"not for you")
        await said(port, b"for you")
    assert {one.server[1] for one in connections(capture.packets)} == {port}
    assert b"not for you" not in b"".join(packet.raw for packet in capture.packets)


async def test_a_port_is_found_on_either_side_of_a_connection() -> None:
    async with listening() as port:
        with socket.socket() as client:
            client.bind(("127.0.0.1", 0))
            async with Capture(client.getsockname()[1]) as capture:
                client.setblocking(False)
                await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    assert [one.server[1] for one in connections(capture.packets)] == [port]


async def test_much_at_once_comes_whole_and_in_order() -> None:
    async with listening() as port, Capture(port) as capture:
        data = bytes(range(250)) * (LARGE // 250)
        await said(port, data)
        await capture.until(lambda packets: connections(packets)[0].fin(False) is not None, GUARD)
    [connection] = connections(capture.packets)
    for from_client in (True, False):
        assert b"".join(fresh for _, fresh in streams(connection, from_client)) == data
    assert capture.lost == 0
    assert all(earlier.at <= later.at for earlier, later in pairwise(capture.packets))


async def test_what_came_while_nobody_looked_is_there_after_the_block() -> None:
    async with listening() as port, Capture(port) as capture:
        with socket.create_connection(("127.0.0.1", port)):  # no turn for the loop, so nothing is taken meanwhile
            assert capture.packets == []
    assert [sorted(one.flags) for one in connections(capture.packets)[0].segments[:2]] == [["SYN"], ["ACK", "SYN"]]


async def test_waiting_for_what_never_comes_ends() -> None:
    async with listening() as port, Capture(port) as capture:
        with pytest.raises(TimeoutError):
            await capture.until(bool, 0.0)


async def test_quiet_is_when_nothing_more_comes() -> None:
    async with listening() as port, Capture(port) as capture:
        await said(port, b"hello")
        await capture.quiet(0.05)
        [connection] = connections(capture.packets)
        assert connection.ended
