"""The programs in examples/, run as they are."""

import sys
from pathlib import Path

from e2e.process import ROOT, Program, Start
from e2e.raw import calling, seconds, session
from heartline.v1.session_service_pb2 import HeartbeatAck


def example(name: str, address: str) -> Program:
    """Runs an example."""
    return Program(sys.executable, ROOT / "examples" / name, address)


async def test_the_unary_client_made_of_stubs_does_all_that_short_connections_can(start: Start) -> None:
    with example("stubs_unary.py", start().address) as program:
        assert await program.ended() == 0
        said = program.out.all()
    assert said[:3] == ["published at 1", "published at 1, as before", "read 1: two teas"]
    assert said[3].startswith("seen until 2")
    assert said[4:] == ["waiter is offline", "refused: NO_MESSAGES"]


async def test_the_clients_that_stay_are_held_by_their_heartbeats_and_resume_after_a_restart(
    start: Start, tmp_path: Path
) -> None:
    """For ten intervals nothing is published. The timeout is long, for the sake of a loaded machine."""
    beats = ("--heartbeat-interval", "0.2s", "--heartbeat-timeout", "2s", "--grace", "60s")
    server = start(*beats, store=f"sqlite:{tmp_path}/examples.db")
    async with calling(server.address) as calls:
        await calls.publish("orders", "one cake")
    with example("stubs_stream.py", server.address) as bar, example("embed.py", server.address) as kitchen:
        for program in (bar, kitchen):
            await program.out.line("one cake")
        async with session(server.address, heartbeat_interval=seconds(0.2)) as other:
            for _ in range(10):
                beat = (await other.next("heartbeat")).heartbeat
                await other.send(heartbeat_ack=HeartbeatAck(sequence=beat.sequence))
        server.kill()
        start(*beats, store=f"sqlite:{tmp_path}/examples.db", listen=server.address)
        async with calling(server.address) as calls:
            await calls.publish("orders", "last order")
            for program in (bar, kitchen):
                await program.out.line("last order")
            presence = await calls.read_all("$presence")
        assert [line for line in bar.out.all() if line[0].isdigit()] == [
            "1: one cake",
            "2: one coffee",
            "3: last order",
        ]
        assert [line.split(" {")[0] for line in kitchen.out.all() if line[0].isdigit()] == [
            "1 one cake",
            "2 one coffee",
            "3 last order",
        ]
    came = {(event.attributes["client_id"], event.attributes["online"]) for event in presence}
    assert came == {("bar", "true"), ("kitchen", "true")}
