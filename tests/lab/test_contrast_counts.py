"""The contrast's counts against those of tshark, which looks at the packets.

The rule: connections agree exactly. Bytes and segments do too, but for what crosses between the count and the end of
the subscribers, a moment later: an ack or a ping on each client's connection, each way.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from heartline.network import GrpcConnection
from heartline_lab.contrast.figures import Run
from heartline_lab.contrast.results import MODES, Workload
from heartline_lab.contrast.run import Stage, run
from heartline_lab.processes import serving
from lab.contrast_packets import FIELDS, Seen, counted
from lab.tshark import captured

WORKLOAD = Workload(clients=3, rate=20, seconds=0.4, payload=100, poll_interval_seconds=0.1, repeats=1)
LATE = {"connections": 0, "bytes": 150 * WORKLOAD.clients, "segments": 4 * WORKLOAD.clients}
"""The most by which tshark may have seen more."""


@contextmanager
def free_ports() -> Iterator[dict[str, int]]:
    """A port for each mode that nobody has, for as long as it is not taken."""
    with ExitStack() as stack:
        held = {mode: stack.enter_context(socket.socket()) for mode in MODES}
        for sock in held.values():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", 0))
        yield {mode: sock.getsockname()[1] for mode, sock in held.items()}


def differences(seen: Seen, made: Run) -> dict[str, int]:
    """What tshark saw beyond what was counted."""
    ready, ran = made.opening, made.span
    return {
        "connections": len(seen.connections) - made.connections,
        "bytes up": seen.bytes_up - ready.bytes_up - ran.bytes_up,
        "bytes down": seen.bytes_down - ready.bytes_down - ran.bytes_down,
        "segments up": seen.segments_up - ready.segments_up - ran.segments_up,
        "segments down": seen.segments_down - ready.segments_down - ran.segments_down,
    }


def within_rule(differ: dict[str, int]) -> bool:
    """Whether the difference keeps to the rule."""
    return all(0 <= more <= LATE[name.split()[0]] for name, more in differ.items())


@pytest.mark.needs("tshark", "capture")
async def test_connections_bytes_and_segments_are_those_that_tshark_counts() -> None:
    async with serving() as server:
        publisher = GrpcConnection(server.address)
        with free_ports() as ports:
            async with captured(FIELDS, *ports.values()) as packets:
                stages = {mode: Stage(server, publisher, f"127.0.0.1:{port}") for mode, port in ports.items()}
                runs = await asyncio.gather(*(run(stage, WORKLOAD, mode, 0) for mode, stage in stages.items()))
        await publisher.close()
    seen = counted(packets, *ports.values(), short=ports["short"])
    found = {mode: differences(seen[ports[mode]], made) for mode, made in zip(MODES, runs, strict=True)}
    assert [each for each in found.items() if not within_rule(each[1])] == []
