"""The table: its rows, its notes, what it says of Heartline, and its JSON."""

import json
from collections.abc import Sequence

from heartline_lab.detect.cells import Missing
from heartline_lab.detect.faults import DETECTORS, FAULTS, SIDES, runs
from heartline_lab.detect.observed import Observed
from heartline_lab.detect.table import Report, as_json, as_text, report, verdict
from lab.detect_examples import KERNEL, PATIENCE, STRUCK_AT, WITHIN, fault, observed
from rich.console import Console


def reported(seen: Sequence[Observed]) -> Report:
    """The report of these runs."""
    faults = [f for f in FAULTS if any(one.run.fault is f for one in seen)]
    return report(faults, seen, Missing(), PATIENCE, WITHIN, KERNEL)


def drawn(found: Report, width: int) -> str:
    """As people see it in a window of that width."""
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(as_text(found, width))
    return capture.get()


STOPPED = [
    observed("stop", "server", "client", heartbeat=1.5, lease=1.25, grpc_keepalive=1.75),
    observed("stop", "client", "server", heartbeat=1.99, lease=1.5, grpc_keepalive=2.0),
]


def test_each_side_has_a_row_for_each_fault_and_a_column_for_each_detector() -> None:
    everything = report(FAULTS, [Observed(run, STRUCK_AT) for run in runs(FAULTS)], Missing(), PATIENCE, WITHIN, KERNEL)
    for side in SIDES:
        rows = everything.rows[side]
        assert [f for f, _ in rows] == list(FAULTS)
        assert {len(cells) for _, cells in rows} == {len(DETECTORS)}


def test_a_row_is_what_that_side_noticed() -> None:
    rows = reported(STOPPED).rows
    assert [cell.text for cell in rows["client"][0][1]][-3:] == ["1.75 s", "1.50 s", "1.25 s"]
    assert [cell.text for cell in rows["server"][0][1]][-3:] == ["2.00 s", "1.99 s", "1.50 s"]


def test_people_see_both_sides_and_each_reason_once_by_its_number() -> None:
    text = drawn(reported(STOPPED), 120)
    assert "The client notices that the server is gone:" in text
    assert "The server notices that the client is gone:" in text
    reason = "the peer's kernel acknowledges, whatever became of its program"
    assert text.count(f"² {reason}") == 1
    assert text.count("10 s²") == 8


def test_in_a_narrow_window_nothing_is_cut_off() -> None:
    wide, narrow = (set(drawn(reported(STOPPED), width).split()) for width in (120, 60))
    assert wide == narrow


def test_what_is_computed_says_so() -> None:
    assert "2h11m³     \n" not in drawn(reported([observed("power", None)]), 200)
    assert "(computed)" in drawn(reported([observed("power", None)]), 120)


def test_when_all_was_noticed_in_time_the_slowest_is_told() -> None:
    assert verdict(reported(STOPPED)) == (
        "Heartline's heartbeat noticed all within interval + timeout (2s), the slowest after 1.99 s."
    )


def test_when_something_was_late_it_is_named() -> None:
    late = observed("lost-up", None, "client", heartbeat=2.6)
    late.notices["server"] = observed("lost-up", None, "server", heartbeat=1.8).notices["server"]
    assert verdict(reported([*STOPPED, late])) == (
        "Heartline's heartbeat noticed 3 of 4 within interval + timeout (2s); not "
        '"lost to the server" (client: 2.60 s): the notes tell why.'
    )


def test_what_could_not_be_measured_is_not_held_against_it() -> None:
    found = report([fault("power")], [], Missing("root", "try it with sudo"), PATIENCE, WITHIN, KERNEL)
    assert verdict(found) == "Heartline's heartbeat: nothing of it could be measured here."


def test_the_json_has_the_settings_and_every_cell() -> None:
    data = json.loads(json.dumps(as_json(reported(STOPPED))))
    assert list(data) == ["settings", "kernel", "client_notices", "server_notices"]
    assert data["settings"] == {"interval_seconds": 1.0, "timeout_seconds": 1.0, "within_seconds": 10.0}
    assert data["kernel"]["tcp_keepalive_time"] == 7200
    (row,) = data["client_notices"]
    assert row["fault"] == "stop"
    assert list(row["detectors"]) == [detector.name for detector in DETECTORS]
    assert row["detectors"]["heartbeat"] == {
        "status": "noticed",
        "seconds": 1.5,
        "text": "1.50 s",
        "how": "in its words",
        "note": "",
    }
