"""Sessions that were cut at once come back at once: none is refused by gRPC before the server has seen it."""

from bench import servers
from bench.calls import connected
from bench.crowd import greeted
from bench.messages import hello

SESSIONS = 2000
"""Without being told otherwise, gRPC begins to refuse calls when 1,000 wait."""


async def test_two_thousand_sessions_that_open_at_once_are_all_welcomed() -> None:
    """Their hellos are on the way before the server reads the first."""
    hellos = [hello(f"client-{index}") for index in range(SESSIONS)]
    async with servers.heartline("memory:") as server, connected(server, 20) as connections:
        await greeted(connections, hellos, 2 * SESSIONS)
