"""An independent count of what crosses loopback on some ports: tshark's.

Rules: it counts from one knock that it saw to another, so nothing is missed and nothing waits for a clock. A knock is a
UDP packet to a port where nobody else is.
"""

import asyncio
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import tools

GUARD = 60.0
"""Seconds."""
FIELDS = ("tcp.srcport", "tcp.dstport", "tcp.stream", "tcp.seq", "tcp.len", "udp.length")
OPEN, SHUT = b"open", b"shut it"


@dataclass(slots=True)
class Seen:
    """What went to a port (up) and came from it (down): segments, and bytes of payload, each byte once."""

    segments_up: int = 0
    segments_down: int = 0
    bytes_up: int = 0
    bytes_down: int = 0


@dataclass(slots=True)
class _Count:
    """One way. A byte that was sent again is a segment more, and no byte more."""

    segments: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    """For each connection how far its bytes went."""

    def add(self, stream: str, start: int, size: int) -> None:
        self.segments += 1
        if size:  # after a FIN, which counts as a byte, an empty one starts one further
            self.ends[stream] = max(self.ends.get(stream, 0), start + size - 1)

    @property
    def bytes(self) -> int:
        return sum(self.ends.values())


@asynccontextmanager
async def tshark(*ports: int) -> AsyncIterator[dict[int, Seen]]:
    """Counts for each of these ports while the block lasts; the counts are there when it is left."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed, socket.socket(type=socket.SOCK_DGRAM) as knocker:
        closed.bind(("127.0.0.1", 0))
        door = closed.getsockname()
        flags = [word for name in FIELDS for word in ("-e", name)]
        tapped = " or ".join([f"udp dst port {door[1]}", *(f"tcp port {port}" for port in ports)])
        process = await asyncio.create_subprocess_exec(
            tools.path("tshark"),
            "-lnQ",
            "-B64",
            "-s128",
            "-i",
            "lo",
            "-f",
            tapped,
            "-T",
            "fields",
            *flags,
            stdout=PIPE,
            stderr=DEVNULL,
        )
        assert process.stdout is not None
        seen = {port: Seen() for port in ports}
        up, down = {port: _Count() for port in ports}, {port: _Count() for port in ports}
        try:
            async with asyncio.timeout(GUARD):
                first = asyncio.create_task(process.stdout.readline())
                while not first.done():
                    knocker.sendto(OPEN, door)
                    await asyncio.wait([first], timeout=0.05)
            yield seen
            knocker.sendto(SHUT, door)
            async with asyncio.timeout(GUARD):
                while True:
                    fields = (await process.stdout.readline()).decode().rstrip("\n").split("\t")
                    if fields[-1] == str(8 + len(SHUT)):
                        break
                    if not fields[-1]:
                        source, target, stream, start, size = fields[:5]
                        count = up[int(target)] if int(target) in up else down[int(source)]
                        count.add(stream, int(start), int(size))
            for port in ports:
                seen[port] = Seen(up[port].segments, down[port].segments, up[port].bytes, down[port].bytes)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
