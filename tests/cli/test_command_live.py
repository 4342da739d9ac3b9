"""`heartline listen` and `heartline sessions`, as programs against a real server."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import Process

import pytest
from cli.programs import GUARD, Run, Start

LISTEN = ("--json", "--heartbeat-interval", "100ms", "--heartbeat-timeout", "10s")


async def news(listening: Process, kind: str, state: str | None = None) -> dict[str, object]:
    """The next news of a kind."""
    assert listening.stderr is not None
    while True:
        told: dict[str, object] = json.loads(await listening.stderr.readline())
        if told["type"] == kind and told.get("state") == state:
            return told


async def test_a_listener_sees_its_line_live_and_says_goodbye_on_ctrl_c(run: Run, start: Start, name: str) -> None:
    async with asyncio.timeout(GUARD):
        listening = await start("listen", name, "--client-id", name, *LISTEN)
        await news(listening, "state", "online")
        run("publish", name, "hello")
        assert listening.stdout is not None
        event = json.loads(await listening.stdout.readline())
        assert (event["type"], event["text"]) == ("event", "hello")
        beat = await news(listening, "heartbeat")
        assert isinstance(beat["round_trip_seconds"], float)
        session = json.loads(run("sessions", "--client-id", name, "--json").out)
        assert (session["mode"], session["events_sent"], session["heartbeat_interval_seconds"]) == ("HEARTBEAT", 1, 0.1)
        assert [at["channel"] for at in session["subscriptions"]] == [name]
        assert run("sessions", "--client-id", name).lines[0].startswith("SESSION ")
        listening.send_signal(signal.SIGINT)
        out, err = await listening.communicate()
    assert (listening.returncode, out) == (130, b"")
    assert all(json.loads(line)["type"] in ("heartbeat", "state") for line in err.splitlines())
    assert json.loads(run("who", name, "--json").out)["reason"] in ("GOODBYE", "CHECKED_OUT")


async def test_sigterm_says_goodbye_too(run: Run, start: Start, name: str) -> None:
    async with asyncio.timeout(GUARD):
        listening = await start("listen", name, "--client-id", name, *LISTEN)
        await news(listening, "state", "online")
        listening.send_signal(signal.SIGTERM)
        await listening.communicate()
    assert listening.returncode == 143
    assert json.loads(run("who", name, "--json").out)["reason"] in ("GOODBYE", "CHECKED_OUT")


async def test_a_session_that_an_operator_ends_is_over(run: Run, start: Start, name: str) -> None:
    async with asyncio.timeout(GUARD):
        listening = await start("listen", name, "--client-id", name, *LISTEN)
        await news(listening, "state", "online")
        session = json.loads(run("sessions", "--client-id", name, "--json").out)["session_id"]
        assert json.loads(run("sessions", "--end", session, "--json").out) == {"session_id": session, "ended": True}
        assert (await news(listening, "error"))["reason"] == "ENDED_BY_OPERATOR"
        assert await listening.wait() == 65
    assert run("sessions", "--client-id", name).err == "no sessions\n"


async def test_a_listener_ends_when_nobody_reads_it_any_more(run: Run, start: Start, name: str) -> None:
    reader, writer = os.pipe()
    async with asyncio.timeout(GUARD):
        listening = await start("listen", name, *LISTEN, stdout=writer)
        os.close(writer)
        await news(listening, "state", "online")
        os.close(reader)
        assert await listening.wait() == 141


def test_listening_ends_after_the_events_that_were_asked_for(run: Run, name: str) -> None:
    run("publish", name, "one", "two", "three")
    ran = run("listen", name, "--start", "earliest", "--count", "2", "--quiet", "--json")
    assert (ran.code, [json.loads(line)["text"] for line in ran.lines], ran.err) == (0, ["one", "two"], "")


@pytest.mark.parametrize("transport", ["stream", "poll"])
def test_what_a_client_was_shown_counts_as_handled(run: Run, name: str, transport: str) -> None:
    listen = ("listen", name, "--client-id", name, "--count", "1", "--quiet", "--json", "--transport", transport)
    run("poll", name, "--client-id", name)
    run("publish", name, "one", "two")
    assert [json.loads(run(*listen).out)["text"] for _ in range(2)] == ["one", "two"]


def test_a_gap_is_shown_and_listening_goes_on(run: Run, name: str) -> None:
    run("publish", name, "one")
    ran = run("listen", name, "--after", "gone:5", "--count", "1", "--quiet", "--json")
    assert [json.loads(line)["type"] for line in ran.lines] == ["gap", "event"]


def test_a_listener_without_a_server_gives_up_after_the_timeout(run: Run, name: str) -> None:
    ran = run("listen", name, "--server", "127.0.0.1:1", "--timeout", "50ms", "--quiet")
    assert (ran.code, ran.out) == (69, "")
    assert ran.err.startswith("heartline listen: no server answers at 127.0.0.1:1; start one with")


def test_what_the_server_refuses_ends_listening_with_its_reason(run: Run) -> None:
    ran = run("listen", "$mine", "--quiet", "--json")
    assert (ran.code, json.loads(ran.err)["reason"]) == (65, "RESERVED_CHANNEL")
