"""`heartline poll`, against a real server."""

import asyncio
import json
import signal

from cli.programs import GUARD, Run, Start


def test_a_poll_shows_nothing_of_what_was_before_and_where_to_go_on(run: Run, name: str) -> None:
    run("publish", name, "x")
    ran = run("poll", name)
    assert (ran.code, ran.out) == (0, "")
    assert f"{name}: go on with --after " in ran.err


def test_a_poll_from_the_earliest_shows_all(run: Run, name: str) -> None:
    run("publish", name, "one", "two")
    ran = run("poll", name, "--start", "earliest")
    assert [line.split("  ", 1)[1] for line in ran.lines] == [f"{name} #1  one", f"{name} #2  two"]


def test_a_poll_goes_on_from_the_position_that_the_last_one_told(run: Run, name: str) -> None:
    run("publish", name, "one", "two", "three")
    told = json.loads(run("poll", name, "--start", "earliest", "--max-events", "2", "--json").err)
    assert (told["type"], told["channel"], told["offset"], told["poll_after_seconds"]) == ("position", name, 2, 0.0)
    ran = run("poll", name, "--after", f"{told['epoch']}:{told['offset']}", "--json")
    assert [json.loads(line)["text"] for line in ran.lines] == ["three"]


def test_a_position_of_another_log_is_a_gap(run: Run, name: str) -> None:
    run("publish", name, "one")
    gap = json.loads(run("poll", name, "--after", "gone:5", "--json").lines[0])
    assert (gap["type"], gap["reason"], gap["offset"]) == ("gap", "EPOCH_CHANGED", 0)


def test_what_is_acknowledged_is_not_shown_again(run: Run, name: str) -> None:
    poll = ("poll", name, "--client-id", name, "--json")
    run(*poll)
    run("publish", name, "one")
    assert len(run(*poll).lines) == 1
    assert len(run(*poll, "--ack").lines) == 1
    assert run(*poll).lines == []


def test_a_gap_that_is_acknowledged_is_told_once(run: Run, name: str) -> None:
    channel = f"short.{name}"
    poll = ("poll", channel, "--client-id", name, "--ack", "--json")
    run(*poll)
    run("publish", channel, "one", "two", "three")
    assert [json.loads(line)["type"] for line in run(*poll).lines] == ["gap"]
    assert [json.loads(line)["text"] for line in run(*poll).lines] == ["three"]


def test_a_long_poll_ends_when_its_wait_is_over(run: Run, name: str) -> None:
    ran = run("poll", name, "--wait", "50ms")
    assert (ran.code, ran.out) == (0, "")


async def test_following_shows_what_comes_until_ctrl_c(run: Run, start: Start, name: str) -> None:
    async with asyncio.timeout(GUARD):
        following = await start("poll", name, "--after", "0", "--follow", "--wait", "1m")
        assert following.stdout is not None
        for text in ("one", "two"):
            run("publish", name, text)
            assert (await following.stdout.readline()).decode().endswith(f"  {text}\n")
        following.send_signal(signal.SIGINT)
        _, err = await following.communicate()
    assert (following.returncode, err) == (130, b"")
