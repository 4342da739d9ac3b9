"""What tshark saw of some TCP ports: packets written down by one run of it, and counted by another.

Rules:
- It captures from one knock that it saw to another, so nothing is missed and nothing waits for a clock. A knock is a
  UDP packet to a port where nobody else is.
- Where connections are to last, each counts up to the client's FIN: what the server says to a client that is gone is
  nobody's figure.
- A retransmission is a segment, and no bytes: it brought nothing new.
"""

import asyncio
import socket
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import tools

GUARD = 30.0
"""Seconds."""
OPEN, SHUT = b"open", b"shut it"
FIELDS = ("tcp.dstport", "tcp.srcport", "tcp.stream", "tcp.len", "tcp.flags.fin", "tcp.analysis.retransmission")


@dataclass(slots=True)
class Seen:
    """What went to a port (up) and came from it (down)."""

    connections: set[str] = field(default_factory=set)
    bytes_up: int = 0
    bytes_down: int = 0
    segments_up: int = 0
    segments_down: int = 0


@asynccontextmanager
async def written_down(file: Path, *ports: int) -> AsyncIterator[None]:
    """Captures what crosses loopback on these ports while the block lasts."""
    with socket.socket(type=socket.SOCK_DGRAM) as closed, socket.socket(type=socket.SOCK_DGRAM) as knocker:
        closed.bind(("127.0.0.1", 0))
        door = closed.getsockname()
        wanted = " or ".join([f"udp dst port {door[1]}", *(f"tcp port {port}" for port in ports)])
        command = (tools.path("tshark"), "-lnQP", "-i", "lo", "-s", "128", "-f", wanted, "-w", str(file))
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(GUARD):
                first = asyncio.create_task(process.stdout.readline())
                while not first.done():
                    knocker.sendto(OPEN, door)
                    await asyncio.wait([first], timeout=0.05)
            yield
            knocker.sendto(SHUT, door)
            async with asyncio.timeout(GUARD):
                while not (await process.stdout.readline()).rstrip().endswith(b"Len=%d" % len(SHUT)):
                    pass
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def counted(file: Path, *ports: int, short: int) -> dict[int, Seen]:
    """What was captured, by port; on all but `short` connections are to last."""
    flags = [word for name in FIELDS for word in ("-e", name)]
    command = [tools.path("tshark"), "-nr", str(file), "-Y", "tcp", "-T", "fields", *flags]
    text = subprocess.run(command, capture_output=True, check=True, text=True, timeout=GUARD).stdout
    seen: dict[int, Seen] = defaultdict(Seen)
    finished: set[str] = set()
    for line in text.splitlines():
        to, source, stream, size, fin, again = line.split("\t")
        up = int(to) in ports
        number = int(to if up else source)
        if up and number != short and fin in ("1", "True"):
            finished.add(stream)
        if stream in finished:
            continue
        port = seen[number]
        port.connections.add(stream)
        new = 0 if again else int(size)
        if up:
            port.segments_up, port.bytes_up = port.segments_up + 1, port.bytes_up + new
        else:
            port.segments_down, port.bytes_down = port.segments_down + 1, port.bytes_down + new
    return seen
