"""What tshark sees of some TCP ports of loopback, packet by packet.

Rule: it captures from one knock that it saw to another, so nothing is missed and nothing waits for a clock. A knock is
a UDP packet to a port where nobody else is.
"""

import asyncio
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import tools

GUARD = 60.0
"""Seconds."""
OPEN, SHUT = b"open", b"shut it"


@asynccontextmanager
async def captured(fields: Sequence[str], *ports: int) -> AsyncIterator[list[list[str]]]:
    """These fields of each packet on these ports while the block lasts, in order; they are there when it is left."""
    packets: list[list[str]] = []
    with socket.socket(type=socket.SOCK_DGRAM) as closed, socket.socket(type=socket.SOCK_DGRAM) as knocker:
        closed.bind(("127.0.0.1", 0))
        door = closed.getsockname()
        tapped = " or ".join([f"udp dst port {door[1]}", *(f"tcp port {port}" for port in ports)])
        shown = [word for name in ("udp.length", *fields) for word in ("-e", name)]
        command = (tools.path("tshark"), "-lnQ", "-B64", "-s128", "-i", "lo", "-f", tapped, "-T", "fields", *shown)
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(GUARD):
                first = asyncio.create_task(process.stdout.readline())
                while not first.done():
                    knocker.sendto(OPEN, door)
                    await asyncio.wait([first], timeout=0.05)
            yield packets
            knocker.sendto(SHUT, door)
            async with asyncio.timeout(GUARD):
                while (packet := await _packet(process.stdout))[0] != str(8 + len(SHUT)):
                    if not packet[0]:
                        packets.append(packet[1:])
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _packet(lines: asyncio.StreamReader) -> list[str]:
    line = await lines.readline()
    assert line, "tshark has ended"
    return line.decode().rstrip("\n").split("\t")
