"""`heartline check-in` and `heartline who`, against a real server."""

import asyncio
import json
import signal

from cli.programs import GUARD, Run, Start


def who(run: Run, client_id: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run("who", client_id, "--json").out)
    return found


def test_checking_in_makes_a_client_online(run: Run, name: str) -> None:
    ran = run("check-in", name, "--ttl", "5m", "--status", "battery 80%")
    assert ran.code == 0
    assert f"  {name} is here until " in ran.out
    found = who(run, name)
    assert (found["online"], found["reason"], found["status"]) == (True, "CHECKED_IN", "battery 80%")


def test_checking_in_tells_in_json_until_when_and_whether_events_wait(run: Run, name: str) -> None:
    told = json.loads(run("check-in", name, "--json").out)
    assert told.pop("lease_expire_time").endswith("Z")
    assert told == {"client_id": name, "events_waiting": False}


def test_checking_out_makes_a_client_offline(run: Run, name: str) -> None:
    run("check-in", name)
    ran = run("check-in", name, "--out", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, {"client_id": name, "checked_out": True})
    assert who(run, name)["reason"] == "CHECKED_OUT"


async def test_checking_in_again_and_again_checks_out_on_ctrl_c(run: Run, start: Start, name: str) -> None:
    async with asyncio.timeout(GUARD):
        checking_in = await start("check-in", name, "--ttl", "10s", "--every", "10ms", "--json")
        assert checking_in.stdout is not None
        for _ in range(3):
            assert json.loads(await checking_in.stdout.readline())["client_id"] == name
        checking_in.send_signal(signal.SIGINT)
        out, err = await checking_in.communicate()
    assert (checking_in.returncode, err) == (130, b"")
    assert json.loads(out.splitlines()[-1]) == {"client_id": name, "checked_out": True}


def test_everybody_is_in_the_table(run: Run, name: str) -> None:
    run("check-in", name, "--status", "battery 80%")
    ran = run("who")
    assert ran.lines[0].split() == ["CLIENT", "STATE", "SINCE", "WHY", "SESSIONS", "LEASE", "STATUS"]
    row = next(line for line in ran.lines if line.startswith(f"{name} "))
    assert " ● online " in row
    assert " checked in " in row
    assert " 1m left " in row
    assert row.endswith(" battery 80%")


def test_only_those_online_or_offline_are_listed_when_asked_for(run: Run, name: str) -> None:
    here, gone = f"{name}-here", f"{name}-gone"
    run("check-in", here)
    run("check-in", gone)
    run("check-in", gone, "--out")

    def listed(option: str) -> set[object]:
        return {json.loads(line)["client_id"] for line in run("who", option, "--json").lines} & {here, gone}

    assert (listed("--online"), listed("--offline")) == ({here}, {gone})


def test_a_client_that_was_never_seen_is_told_as_such(run: Run, name: str) -> None:
    ran = run("who", name)
    assert (ran.code, ran.out) == (65, "")
    assert "was ever seen" in ran.err


async def test_watching_shows_who_comes_and_goes(run: Run, start: Start, name: str) -> None:
    async with asyncio.timeout(GUARD):
        watching = await start("who", name, "--watch", "--json")
        assert watching.stderr is not None
        assert watching.stdout is not None
        while json.loads(await watching.stderr.readline()).get("state") != "online":
            pass
        run("check-in", name, "--status", "hello")
        run("check-in", name, "--out")
        changes = [json.loads(await watching.stdout.readline()) for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        await watching.communicate()
    assert [(change["client_id"], change["online"], change["reason"]) for change in changes] == [
        (name, True, "CHECKED_IN"),
        (name, False, "CHECKED_OUT"),
    ]
    assert watching.returncode == 130
