"""The real command, with real connections: what it finds, what it cannot measure, and what it leaves behind.

One run with all that this machine can do, and one without its programs, side by side; the tests look into their JSON.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from e2e.proc import children
from e2e.process import Command
from heartline.cli.dispatch import dispatch
from heartline_lab.detect.faults import DETECTORS

QUICK = ("--interval", "500ms", "--timeout", "1s", "--within", "3s")
needs_namespaces = pytest.mark.needs("namespaces")
Found = dict[str, Any]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Found, Found]:
    """What the two runs found."""
    without = {"PATH": str(tmp_path_factory.mktemp("empty"))}
    with (
        Command("detect", "--only", "crash", "hang", "power", "forgot", "proxy", *QUICK, "--json", "-") as rich,
        Command("detect", "--only", "stop", "power", "lost-up", "proxy", *QUICK, "--json", "-", env=without) as poor,
    ):
        assert (rich.wait(), poor.wait()) == (0, 0), rich.err.text() + poor.err.text()
        return json.loads(rich.out.text()), json.loads(poor.out.text())


@pytest.fixture
def found(both: tuple[Found, Found]) -> Found:
    """What this machine can measure."""
    return both[0]


@pytest.fixture
def found_without(both: tuple[Found, Found]) -> Found:
    """What it can without `ip` and HAProxy."""
    return both[1]


def statuses(found: Found, fault: str) -> list[dict[str, str]]:
    """On each side, each detector's status."""
    rows = [row for side in ("client", "server") for row in found[f"{side}_notices"] if row["fault"] == fault]
    return [{name: cell["status"] for name, cell in row["detectors"].items()} for row in rows]


def expected(silent: set[str], **others: str) -> dict[str, str]:
    """All have noticed, but these."""
    kept = {name.replace("_", "-"): status for name, status in others.items()}
    return {d.name: kept.get(d.name, "not within" if d.name in silent else "noticed") for d in DETECTORS}


JUDGES_OF_TCP = {"read", "write", "keepalive-system", "keepalive-tuned", "user-timeout"}


def test_a_crash_is_noticed_by_all(found: Found) -> None:
    assert statuses(found, "crash") == [expected(set())] * 2


def test_a_crash_resets_connections(found: Found) -> None:
    rows = [row for side in ("client", "server") for row in found[f"{side}_notices"] if row["fault"] == "crash"]
    assert {row["detectors"]["read"]["how"] for row in rows} == {"connection reset by peer"}


def test_a_stopped_process_is_noticed_by_whatever_asks_the_process(found_without: Found) -> None:
    assert statuses(found_without, "stop") == [expected(JUDGES_OF_TCP)] * 2


def test_a_hanging_loop_is_noticed_by_what_asks_the_application_and_not_by_ping(found: Found) -> None:
    assert statuses(found, "hang") == [expected(JUDGES_OF_TCP | {"grpc-keepalive"})] * 2


@needs_namespaces
@pytest.mark.parametrize("fault", ["power", "forgot"])
def test_silence_of_the_network_is_noticed_by_all_that_ask(found: Found, fault: str) -> None:
    client, server = statuses(found, fault)
    if fault == "forgot":
        server["lease"] = "noticed"  # unless the client, which lives, was back in time
    assert [client, server] == [expected({"read", "write"}, keepalive_system="computed")] * 2


@pytest.mark.needs("haproxy")
def test_behind_a_proxy_only_what_asks_the_application_notices(found: Found) -> None:
    assert statuses(found, "proxy") == [expected(JUDGES_OF_TCP | {"grpc-keepalive"})] * 2


@needs_namespaces
@pytest.mark.needs("haproxy")
def test_heartlines_heartbeat_notices_within_interval_and_timeout_or_says_why(found: Found) -> None:
    cells = [row["detectors"]["heartbeat"] for side in ("client", "server") for row in found[f"{side}_notices"]]
    assert [cell for cell in cells if cell["status"] != "noticed" or (cell["seconds"] > 1.5 and not cell["note"])] == []


def test_without_ip_power_off_cannot_be_measured(found_without: Found) -> None:
    assert statuses(found_without, "power") == [dict.fromkeys(expected(set()), "needs")] * 2


def test_without_haproxy_its_row_cannot_be_measured(found_without: Found) -> None:
    assert statuses(found_without, "proxy") == [dict.fromkeys(expected(set()), "needs")] * 2


def test_without_ip_a_relay_stands_in_for_what_does_not_judge_tcp(found_without: Found) -> None:
    tcp = dict.fromkeys(["write", "keepalive_system", "keepalive_tuned", "user_timeout"], "needs")
    assert statuses(found_without, "lost-up") == [expected({"read"}, **tcp)] * 2


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (["--only", "storm"], "argument --only: invalid choice: 'storm'"),
        (["--interval", "soon"], "'soon' is not a duration"),
        (["--interval", "10ms"], "--interval, --timeout: heartbeat_interval must be from 0.1 s to 10 minutes"),
        (["--within", "2s"], "--within must be longer than --interval and --timeout together"),
        (["--json", "/nowhere/at/all"], "--json: /nowhere/at/all cannot be written to"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    flags: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = dispatch(["detect", *flags])
    except SystemExit as end:
        code = end.code  # type: ignore[assignment]
    told = capsys.readouterr().err
    assert code
    assert error in told
    assert "happening" not in told


@needs_namespaces
def test_ctrl_c_and_sigterm_leave_no_process_and_no_namespace() -> None:
    words = ("detect", "--only", "power", "proxy", *QUICK)
    with Command(*words) as interrupted, Command(*words) as terminated:
        commands = (interrupted, terminated)
        for command in commands:
            command.err.wait("the faults are happening")
        started = [child for command in commands for child in children(command.pid)]
        assert len(started) >= 8
        for _ in range(2):  # an impatient second time changes nothing
            interrupted.interrupt()
            terminated.terminate()
        assert [command.wait() for command in commands] == [130, 143]
        assert [child for child in started if Path(f"/proc/{child}").exists()] == []
        names = os.listdir("/run/netns")
        assert [name for name in names for command in commands if f"-{command.pid}-" in name] == []
        assert [command.err.all() for command in commands] == [["the faults are happening; watching for 3 s"]] * 2
