"""What becomes of connections that are left alone, cut or forgotten: statements 2 and 3."""

import asyncio
import socket
from collections.abc import Callable

from heartline_lab.claims.judging.faults import Firewall, LongConnection
from heartline_lab.claims.measuring.networks import private
from heartline_lab.claims.measuring.sockets import (
    arrives,
    connected,
    info,
    listening,
    lose,
    lose_nothing,
    noticed,
    reset,
    timers,
)
from heartline_lab.middlebox import Middlebox

_IDLE = 2.0
_PATIENCE = 1.0
"""Seconds of silence that the middlebox bears. Real ones bear minutes to days."""
_OUTAGE = 1.0
_WATCH = 5.0
"""Seconds within which an end must be noticed that is told."""

_MOMENT = 0.1
"""Seconds that a side which is about to close leaves the other to begin waiting."""

_FORGETS_AFTER = 2
"""Seconds of silence that the firewall bears."""
_SILENCE = 4.0
_BEAT, _SLOW_BEAT = 0.4, 3.0
_LOST = 1.0
"""Seconds without arriving after which a byte counts as lost: TCP has sent it three times by then."""
_FORGETFUL = "add table inet lab; add chain inet lab in { type filter hook input priority 0; }; "
_FORGETFUL += "add rule inet lab in ct state invalid drop"
"""A firewall for nft: what belongs to no connection that it knows is dropped."""


async def long_connection() -> LongConnection:
    """Leaves one alone; ends others by a close, a reset, a middlebox; and lets nothing through for a while."""
    with listening() as listener:
        (timers_armed, answered), closed_after, reset_after, cut_after, delivered_after = await asyncio.gather(
            _left_alone(*connected(listener)),
            _ended(*connected(listener), socket.socket.close),
            _ended(*connected(listener), reset),
            _cut(),
            _through_outage(*connected(listener)),
        )
    return LongConnection(
        idle=_IDLE,
        timers=timers_armed,
        answered=answered,
        closed_after=closed_after,
        reset_after=reset_after,
        patience=_PATIENCE,
        cut_after=cut_after,
        outage=_OUTAGE,
        delivered_after=delivered_after,
    )


async def _left_alone(client: socket.socket, server: socket.socket) -> tuple[int, bool]:
    with client, server:
        await asyncio.sleep(_IDLE)
        armed = timers(client) + timers(server)
        return armed, None not in (await arrives(client, server, _WATCH), await arrives(server, client, _WATCH))


async def _ended(client: socket.socket, server: socket.socket, end: Callable[[socket.socket], None]) -> float | None:
    with client, server:
        asyncio.get_running_loop().call_later(_MOMENT, end, server)
        after = await noticed(client, _WATCH)
        return None if after is None else after - _MOMENT


async def _cut() -> float | None:
    with listening() as upstream:
        target = "{}:{}".format(*upstream.getsockname())
        async with Middlebox(target, listen="127.0.0.1:0") as box:
            box.change(idle_timeout=_PATIENCE, idle_action="rst")
            host, port = box.address.rsplit(":", 1)
            with socket.socket() as client:
                client.setblocking(False)
                await asyncio.get_running_loop().sock_connect(client, (host, int(port)))
                return await noticed(client, _WATCH)


async def _through_outage(client: socket.socket, server: socket.socket) -> float | None:
    loop = asyncio.get_running_loop()
    with client, server:
        for one in (client, server):
            lose(one, 100)
        await loop.sock_sendall(client, b"!")
        await asyncio.sleep(_OUTAGE)
        for one in (client, server):
            lose_nothing(one)
        began = loop.time()
        try:
            async with asyncio.timeout(_WATCH):
                await loop.sock_recv(server, 1)
        except TimeoutError:
            return None
        return loop.time() - began


async def firewall() -> Firewall:
    """Three connections through a real firewall: one silent, one with heartbeats, and one with heartbeats too rare."""
    with private() as network:
        network.run("nft", _FORGETFUL)
        default = int(network.get("net.netfilter.nf_conntrack_tcp_timeout_established"))
        network.set("net.netfilter.nf_conntrack_tcp_timeout_established", _FORGETS_AFTER)
        # Otherwise a packet out of the middle of a connection makes the firewall learn it anew.
        network.set("net.netfilter.nf_conntrack_tcp_loose", 0)
        with network.entered(), listening() as listener:
            idle, kept, slow = (connected(listener) for _ in range(3))
        with idle[0], idle[1], kept[0], kept[1], slow[0], slow[1]:
            await asyncio.gather(asyncio.sleep(_SILENCE), _beat(*kept, _BEAT), _beat(*slow, _SLOW_BEAT))
            fates = await asyncio.gather(*(arrives(client, server, _LOST) for client, server in (idle, kept, slow)))
            told = any(info(one).state != "ESTABLISHED" for one in idle)
    arrived = [fate is not None for fate in fates]
    return Firewall(
        patience=_FORGETS_AFTER,
        default=default,
        silence=_SILENCE,
        idle_arrived=arrived[0],
        idle_told=told,
        beat=_BEAT,
        kept_arrived=arrived[1],
        slow_beat=_SLOW_BEAT,
        slow_arrived=arrived[2],
    )


async def _beat(client: socket.socket, server: socket.socket, every: float) -> None:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + _SILENCE
    while loop.time() + every < ends_at:
        await asyncio.sleep(every)
        if await arrives(client, server, _BEAT) is None:
            return
