"""A middlebox switched from elsewhere, by its Unix socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from heartline.cli.exits import CommandError
from heartline_lab.middlebox import Control, Faults
from heartline_lab.middlebox.control import controlled
from heartline_lab.middlebox.words import Order
from lab.middlebox_ends import GUARD, Network, exchange, network

Controlled = tuple[Network, Control]


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[Controlled]:
    """A middlebox, and its control."""
    path = str(tmp_path / "box.sock")
    async with network() as between, controlled(between.box, path):
        yield between, Control(path)


async def test_faults_are_changed_and_healed_from_elsewhere(held: Controlled) -> None:
    between, control = held
    await asyncio.to_thread(control.change, latency=0.05, black_hole="up")
    assert between.box.faults == Faults(latency=0.05, black_hole="up")
    assert await asyncio.to_thread(lambda: control.faults) == between.box.faults
    await asyncio.to_thread(control.heal)
    assert between.box.faults == Faults()


async def test_connections_are_cut_and_forgotten_from_elsewhere(held: Controlled) -> None:
    between, control = held
    client, server = await between.pair()
    await asyncio.to_thread(control.cut, "fin")
    assert (await client.sees(), await server.sees()) == ("fin", "fin")
    client, server = await between.pair()
    await asyncio.to_thread(control.cut, "rst")
    assert (await client.sees(), await server.sees()) == ("rst", "rst")
    client, server = await between.pair()
    await asyncio.to_thread(control.forget)
    await client.send(b"up")
    assert await server.hears_nothing()


async def test_totals_are_told_elsewhere(held: Controlled) -> None:
    between, control = held
    client, server = await between.pair()
    client.sock.close()
    server.sock.close()
    await between.ended()
    assert await asyncio.to_thread(control.totals) == between.box.totals()


async def test_a_change_that_makes_no_sense_is_an_error_there_and_changes_nothing(held: Controlled) -> None:
    between, control = held
    with pytest.raises(ValueError, match="latency is a number of seconds from 0, not -1"):
        await asyncio.to_thread(control.change, latency=-1.0)
    assert between.box.faults == Faults()


@pytest.mark.parametrize("line", [b"\n", b"\xff\xfe\n", b"{}\n", b"x" * 200_000 + b"\n"])
async def test_garbage_is_answered_with_an_error_and_does_no_harm(
    held: Controlled, tmp_path: Path, line: bytes
) -> None:
    between, _ = held
    async with asyncio.timeout(GUARD):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "box.sock"))
        writer.write(line)
        assert (await reader.readline()).startswith(b'{"error": ')
        writer.close()
    await exchange(*await between.pair())


async def test_orders_from_elsewhere_are_told_to_the_owner(tmp_path: Path) -> None:
    path, told = str(tmp_path / "box.sock"), list[Order]()
    async with network() as between, controlled(between.box, path, told.append):
        await asyncio.to_thread(Control(path).forget)
    assert told == [Order("forget")]


async def test_the_socket_is_for_its_owner_and_goes_with_the_box(tmp_path: Path) -> None:
    path = tmp_path / "box.sock"
    async with network() as between, controlled(between.box, str(path)):
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()
    with pytest.raises(CommandError, match=r"no middlebox answers at .*box.sock: No such file or directory"):
        Control(path).totals()


async def test_a_socket_that_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "box.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    async with network() as between, controlled(between.box, path):
        assert await asyncio.to_thread(Control(path).totals) == between.box.totals()


async def test_what_belongs_to_others_is_not_replaced(tmp_path: Path) -> None:
    path, file = str(tmp_path / "box.sock"), tmp_path / "notes.txt"
    file.write_text("mine")
    async with network() as between, controlled(between.box, path):
        with pytest.raises(CommandError, match=r"another program listens at .*box.sock: choose another"):
            await controlled(between.box, path).__aenter__()
        with pytest.raises(CommandError, match=r"notes.txt is no socket: choose another"):
            await controlled(between.box, str(file)).__aenter__()
        with pytest.raises(CommandError, match=r"cannot make the control socket .*: No such file or directory"):
            await controlled(between.box, str(tmp_path / "none" / "box.sock")).__aenter__()
    assert file.read_text() == "mine"
