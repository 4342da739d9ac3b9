"""Who notices that the other side is gone, between two network namespaces: statements 11 and 12."""

import asyncio
import json
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from pathlib import Path

from heartline.cli.exits import CommandError, Exit

from heartline_lab.claims.judging.faults import Keepalive, Silence
from heartline_lab.claims.measuring.networks import named
from heartline_lab.claims.measuring.process import small
from heartline_lab.claims.measuring.servers import TUNED
from heartline_lab.claims.measuring.sockets import connected, info, listening, noticed, timers
from heartline_lab.network import Host, Pair
from heartline_lab.processes import Server, cpu_ns, running, serving
from heartline_lab.sockets import keep_alive

_WATCH = 3.0
"""Seconds for which a server that only reads is watched after the cable was pulled."""
_LONGEST = 10.0
"""Seconds within which all others must have noticed."""
_INTERVAL, _TIMEOUT = 0.5, 0.5
_USER_TIMEOUT = 1.0
_CLIENT = "phone"
_BEATING = ("--client-id", _CLIENT, "--heartbeat-interval", f"{_INTERVAL}s", "--heartbeat-timeout", f"{_TIMEOUT}s")
_MOMENT = 0.1
"""Seconds that a side which is about to close leaves the other to begin waiting."""

_CONNECTIONS = 200
_COST = 3.2
"""Seconds for which the cost of keepalive is measured: three rounds of probes."""


async def silence() -> Silence:
    """Closes a connection; then pulls the cable under a reader, a writer, and Heartline's heartbeats."""
    with Pair() as pair, named(pair.client.name) as client_side, named(pair.server.name) as server_side:
        server, client = pair.server, pair.client
        async with AsyncExitStack() as stack:
            with server_side.entered():
                listener = stack.enter_context(listening(server.ip))
            sockets = [stack.enter_context(one) for _ in range(3) for one in connected(listener, client_side)]
            closing, closed, _, reader, _, writer = sockets
            asyncio.get_running_loop().call_later(_MOMENT, closing.close)
            closed_after = await noticed(closed, _LONGEST)
            closed_state = info(closed).state
            heartline = await stack.enter_async_context(
                serving("--grace", "1ms", listen=f"{server.ip}:0", inside=server.inside())
            )
            watcher = await stack.enter_async_context(_listening(server, heartline, "$presence", "--start", "earliest"))
            await stack.enter_async_context(_listening(client, heartline, "orders", *_BEATING))
            if await _told(watcher, "true") is None:
                raise CommandError("the server never told that its client is online", Exit.UNAVAILABLE)
            before = info(reader).segments_in
            pair.pull()
            noticed_after, writer_after, heartbeat_after = await asyncio.gather(
                noticed(reader, _WATCH), _write(writer), _told(watcher, "false")
            )
            with server_side.entered():
                armed = timers(reader)
            segments = info(reader).segments_in - before
    return Silence(
        closed_after=None if closed_after is None else closed_after - _MOMENT,
        closed_state=closed_state,
        watched=_WATCH,
        segments=segments,
        noticed_after=noticed_after,
        timers=armed,
        bound=_INTERVAL + _TIMEOUT,
        heartbeat_after=heartbeat_after,
        user_timeout=_USER_TIMEOUT,
        writer_after=writer_after,
    )


def _listening(host: Host, server: Server, *words: str) -> AbstractAsyncContextManager[Process]:
    """`heartline listen` on a host."""
    command = [sys.executable, "-m", "heartline", "listen", *words, "--json", "--quiet", "--server", server.address]
    return running(*host.inside(), *command)


async def _told(watcher: Process, online: str) -> float | None:
    """Seconds until the server tells that the client is online ("true"), or is not; None: it does not."""
    assert watcher.stdout is not None
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(_LONGEST):
            while line := await watcher.stdout.readline():
                attributes = json.loads(line)["attributes"]
                if attributes["client_id"] == _CLIENT and attributes["online"] == online:
                    return loop.time() - began
    except TimeoutError:
        return None
    raise CommandError("heartline listen ended before it was stopped", Exit.UNAVAILABLE)


async def _write(writer: socket.socket) -> float | None:
    """Seconds until a side that writes is told, with TCP_USER_TIMEOUT."""
    writer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(_USER_TIMEOUT * 1000))
    writer.send(b"!")
    return await noticed(writer, _LONGEST)


async def keepalive() -> Keepalive:
    """Reads this kernel's settings; lets tuned keepalive find a pulled cable and lost packets; and counts its cost."""
    cable_after, firewall_after, (packets, cpu_us) = await asyncio.gather(
        _kept_alive(Pair.pull), _kept_alive(lambda pair: pair.drop("both")), _cost()
    )
    idle, interval, probes = (_setting(name) for name in ("time", "intvl", "probes"))
    return Keepalive(
        idle=idle,
        interval=interval,
        probes=probes,
        tuned=TUNED,
        cable_after=cable_after,
        firewall_after=firewall_after,
        connections=_CONNECTIONS,
        packets=packets,
        cpu_us=cpu_us,
    )


def _setting(name: str) -> int:
    return int(Path(f"/proc/sys/net/ipv4/tcp_keepalive_{name}").read_text())


async def _kept_alive(fault: Callable[[Pair], None]) -> float | None:
    """Seconds until tuned keepalive notices a fault; None: it does not."""
    with Pair() as pair, named(pair.client.name) as client_side, named(pair.server.name) as server_side:
        with server_side.entered():
            listener = listening(pair.server.ip)
        with listener:
            client, server = connected(listener, client_side)
        with client, server:
            keep_alive(client, *TUNED)
            fault(pair)
            return await noticed(client, _LONGEST)


async def _cost() -> tuple[float, float]:
    """Packets that tuned keepalive sends, both ways, and microseconds of the process: a connection and second."""
    async with small("keepalive") as server:
        with ExitStack() as stack:
            held = [stack.enter_context(socket.create_connection(server.address)) for _ in range(_CONNECTIONS)]
            await asyncio.sleep(_MOMENT)
            segments, cpu, began = _segments(held), cpu_ns(server.pid), time.monotonic()
            await asyncio.sleep(_COST)
            share = _CONNECTIONS * (time.monotonic() - began)
            return (_segments(held) - segments) / share, (cpu_ns(server.pid) - cpu) / 1000 / share


def _segments(held: Sequence[socket.socket]) -> int:
    found = [info(one) for one in held]
    return sum(one.segments_in + one.segments_out for one in found)
