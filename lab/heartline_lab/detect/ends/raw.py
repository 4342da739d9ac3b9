"""The detectors that judge a TCP connection by itself, each on a connection of its own.

Rules:
- One end judges, the other reads and says nothing. Whoever connects says first for which detector, and who judges.
- A detector does one thing: one that only writes finds errors by writing.
"""

import asyncio
import contextlib
import os
import socket

from heartline_lab.detect.ends.end import Order, Witness
from heartline_lab.detect.patience import Patience
from heartline_lab.sockets import keep_alive

KINDS = ("read", "write", "keepalive-system", "keepalive-tuned", "user-timeout")


async def connect(order: Order, witness: Witness) -> None:
    """Opens the client's connections, for both sides' detectors, and judges. Runs for ever."""
    async with asyncio.TaskGroup() as group:
        for judge in ("client", "server"):
            for kind in KINDS:
                group.create_task(_connect(order, witness, kind, judge))


async def accept(order: Order, witness: Witness, listener: socket.socket) -> None:
    """Accepts them, and judges those that the server is to judge. Runs for ever."""
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        while True:
            connection, _ = await loop.sock_accept(listener)
            connection.setblocking(False)
            group.create_task(_accepted(order, witness, connection))


async def _connect(order: Order, witness: Witness, kind: str, judge: str) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, (order.host, order.ports[0]))
        await loop.sock_sendall(connection, f"{kind} {judge}\n".encode())
        if judge == "client":
            await _judge(order, witness, connection, kind)
        else:
            with contextlib.suppress(OSError):
                await _read(connection)


async def _accepted(order: Order, witness: Witness, connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        said = b""
        while not said.endswith(b"\n"):
            part = await asyncio.get_running_loop().sock_recv(connection, 64)
            if not part:  # a proxy that looked whether somebody is there
                return
            said += part
        kind, judge = said.decode().split()
        if judge == "server":
            await _judge(order, witness, connection, kind)
        else:
            await _read(connection)


async def _judge(order: Order, witness: Witness, connection: socket.socket, kind: str) -> None:
    patience = Patience(order.interval, order.timeout)
    _set(connection, kind, patience)
    witness.post(kind)
    work = [_write(connection, order.interval)] if kind in ("write", "user-timeout") else []
    if kind != "write":
        work.append(_read(connection))
    tasks = [asyncio.ensure_future(part) for part in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        error = next(iter(done)).exception()
        if error is None:
            witness.notice(kind, "end of stream")
        elif isinstance(error, OSError) and error.errno is not None:
            witness.notice(kind, os.strerror(error.errno).lower())
        else:
            raise error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _set(connection: socket.socket, kind: str, patience: Patience) -> None:
    if kind == "keepalive-tuned":
        keep_alive(connection, patience.keepalive_idle, patience.keepalive_interval, patience.keepalive_probes)
    elif kind.startswith("keepalive"):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if kind == "user-timeout":
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(patience.timeout * 1000))


async def _read(connection: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(connection, 4096):
        pass


async def _write(connection: socket.socket, interval: float) -> None:
    while True:
        await asyncio.get_running_loop().sock_sendall(connection, b".")
        await asyncio.sleep(interval)
