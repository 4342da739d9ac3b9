"""How TCP connections begin, end, and are told apart: statements 4, 5, 8, 16 and 20."""

import asyncio
import errno
import socket
import time
from contextlib import ExitStack

import dpkt

from heartline_lab.anatomy.dissect import Connection, Segment
from heartline_lab.claims.judging.tcp import Closing, FiveTuples, Flags, Handshake, Sockets
from heartline_lab.claims.measuring.networks import Network, private
from heartline_lab.claims.measuring.sockets import HOST, connected, listening, reset
from heartline_lab.claims.measuring.wire import Tap, named, tapped

_CLIENTS = 100
_FAST_OPEN_FOR_ALL = 0x207
"""net.ipv4.tcp_fastopen: client and server, data in the first SYN already, without a cookie from before."""
_ECN, _ACCURATE_ECN = 1, 3
"""net.ipv4.tcp_ecn: ask for it on each connection; and its newer kind, which few kernels have."""
_FLAGS = {name: 1 << bit for bit, name in enumerate(("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"))}
"""All nine of the TCP header, from its lowest bit."""
_WRAP = 2**32


async def handshake() -> Handshake:
    """Captures the beginning of a connection, and of one with TCP Fast Open."""
    async with tapped() as tap:
        client, server = connected(tap.listener)
        with client, server:
            begun = (await tap.until(lambda connection: len(connection.segments) >= 3)).segments[:3]
    hello = b"hello"
    with private() as network:
        network.set("net.ipv4.tcp_fastopen", _FAST_OPEN_FOR_ALL)
        async with tapped(network) as tap:
            tap.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 1)
            with network.entered(), socket.socket() as client:
                client.sendto(hello, socket.MSG_FASTOPEN, tap.listener.getsockname())
            fast = (await tap.until(lambda connection: len(connection.segments) >= 2)).segments
    syn, answer, ack = begun
    return Handshake(
        packets=named(begun),
        payloads=tuple(len(segment.payload) for segment in begun),
        ahead=(_ahead(answer, syn), _ahead(ack, answer)),
        fast_open_payload=len(fast[0].payload),
        fast_open_ahead=_ahead(fast[1], fast[0]),
    )


def _ahead(answer: Segment, asked: Segment) -> int:
    return (answer.raw_ack - asked.raw_seq) % _WRAP


async def closing() -> Closing:
    """Captures how connections end."""
    return Closing(
        client_first=await _one_after_the_other(client_first=True),
        server_first=await _one_after_the_other(client_first=False),
        at_once=await _at_once(),
        reset=await _by_reset(),
    )


async def _one_after_the_other(*, client_first: bool) -> tuple[str, ...]:
    async with tapped() as tap:
        client, server = connected(tap.listener)
        first, second = (client, server) if client_first else (server, client)
        first.close()
        await tap.until(lambda connection: len(_ending(connection)) > 1)
        second.close()
        return named(_ending(await tap.until(lambda connection: connection.ended)))


async def _at_once() -> tuple[str, ...]:
    async with tapped() as tap:
        client, server = connected(tap.listener)
        client.close()
        server.recv(1)
        server.close()
        return named(_ending(await tap.until(lambda connection: connection.ended)))


async def _by_reset() -> tuple[str, ...]:
    async with tapped() as tap:
        client, server = connected(tap.listener)
        with server:
            reset(client)
            return named(_ending(await tap.until(lambda connection: connection.ended)))


def _ending(connection: Connection) -> list[Segment]:
    segments = connection.segments
    first = next((at for at, one in enumerate(segments) if one.flags & {"FIN", "RST"}), len(segments))
    return segments[first:]


async def five_tuples() -> FiveTuples:
    """Many clients at once on one port, each waiting, and one more; and what becomes of a five-tuple used twice."""
    waiting, ends = 0, list[tuple[object, ...]]()
    all_wait, release = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting
        if await reader.readline() == b"wait\n":
            waiting += 1
            if waiting == _CLIENTS:
                all_wait.set()
            await release.wait()
        writer.write(b"done\n")
        writer.close()

    async def ask(word: bytes) -> float:
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection(*address)
        ends.append((*writer.get_extra_info("sockname"), *writer.get_extra_info("peername")))
        writer.write(word)
        await reader.readline()
        writer.close()
        return time.perf_counter() - began

    server = await asyncio.start_server(serve, HOST, 0, backlog=256)
    address = server.sockets[0].getsockname()
    async with server, asyncio.TaskGroup() as tasks:
        for _ in range(_CLIENTS):
            tasks.create_task(ask(b"wait\n"))
        await all_wait.wait()
        open_ends = list(ends)
        answered = await ask(b"now\n")
        udp_beside = _udp_beside(address)
        release.set()
    shared, twice = _one_source()
    return FiveTuples(
        clients=_CLIENTS,
        tuples=len(set(open_ends)),
        server_ports=len({end[3] for end in open_ends}),
        answered=answered,
        udp_beside=udp_beside,
        shared_source=shared,
        twice=twice,
    )


def _udp_beside(address: tuple[str, int]) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as beside:
        try:
            beside.bind(address)
        except OSError:
            return False
        return True


def _one_source() -> tuple[int, str]:
    """Connections from one client port to two servers, and the error of one more to the first of these."""
    with ExitStack() as stack:
        targets = [stack.enter_context(listening()).getsockname() for _ in range(2)]
        source = (HOST, 0)
        joined = 0
        for target in [*targets, targets[0]]:
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind(source)
            source = client.getsockname()
            try:
                client.connect(target)
            except OSError as error:
                return joined, errno.errorcode[error.errno or 0]
            joined += 1
        return joined, ""


async def sockets() -> Sockets:
    """Two pieces by TCP, and two by UDP, read when both have come."""
    pieces = (b"hello", b"again!")
    with listening() as listener:
        client, server = connected(listener)
    with client, server:
        tcp = client.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
        for piece in pieces:
            client.sendall(piece)
        client.close()
        tcp_reads = tuple(map(len, iter(lambda: server.recv(100), b"")))
    with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
        receiver.bind((HOST, 0))
        receiver.settimeout(5)
        udp = sender.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
        for piece in pieces:
            sender.sendto(piece, receiver.getsockname())
        udp_reads = tuple(len(receiver.recv(100)) for _ in pieces)
    return Sockets(tcp, tcp_reads, udp, udp_reads, tuple(map(len, pieces)))


async def flags() -> Flags:
    """Captures connections that use each flag there is."""
    async with tapped() as tap:
        client, server = connected(tap.listener)
        with server:
            client.send(b"data")
            client.send(b"!", socket.MSG_OOB)
            client.close()
            await tap.until(lambda connection: connection.fin(from_client=True) is not None)
        usual = _flags(tap)
    async with tapped() as tap:
        client, server = connected(tap.listener)
        with server:
            reset(client)
            await tap.until(lambda connection: connection.ended)
        usual |= _flags(tap)
    with private() as network:
        ecn = await _offering(network, _ECN)
        try:
            ecn |= await _offering(network, _ACCURATE_ECN)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
    return Flags(tuple(sorted(usual)), tuple(sorted(ecn)))


async def _offering(network: Network, kind: int) -> set[str]:
    network.set("net.ipv4.tcp_ecn", kind)
    async with tapped(network) as tap:
        with network.entered():
            client, server = connected(tap.listener)
        with client, server:
            await tap.until(lambda connection: len(connection.segments) >= 3)
        return _flags(tap)


def _flags(tap: Tap) -> set[str]:
    """All that the packets carry: the newer flags beside the six."""
    bits = [dpkt.ethernet.Ethernet(packet.raw).data.data.flags for packet in tap.capture.packets]
    return {name for name, bit in _FLAGS.items() if any(bit & one for one in bits)}
