"""How the cells of the table read."""

import pytest
from heartline_lab.detect.cells import Cell, Missing, cell
from heartline_lab.detect.faults import DETECTORS, FAULTS, Run, Side, runs
from heartline_lab.detect.kernel import Kernel, parse
from heartline_lab.detect.observed import Notice, Observed
from heartline_lab.detect.patience import Patience
from lab.detect_examples import KERNEL, PATIENCE, STRUCK_AT, WITHIN, detector, fault, observed


def read(seen: Observed, name: str, side: Side = "client", kernel: Kernel = KERNEL) -> Cell:
    """The cell of a side's detector."""
    return cell(seen, side, detector(name), PATIENCE, WITHIN, kernel)


def test_what_was_noticed_reads_as_seconds_from_the_fault() -> None:
    found = read(observed("power", None, user_timeout=1.9712), "user-timeout")
    assert (found.status, found.text, found.seconds) == ("noticed", "1.97 s", 1.9712)
    assert (found.how, found.note) == ("in its words", "")


def test_what_was_not_noticed_says_so_and_why() -> None:
    found = read(observed("stop", "server"), "keepalive-tuned")
    assert (found.status, found.text) == ("not within", "not within 10 s")
    assert found.note == "the peer's kernel acknowledges, whatever became of its program"


def test_what_comes_when_the_watch_is_over_does_not_count() -> None:
    assert read(observed("stop", "server", read=10.5), "read").status == "not within"


def test_keepalive_as_the_system_has_it_is_computed_where_only_silence_could_tell() -> None:
    found = read(observed("power", None), "keepalive-system")
    assert (found.status, found.text, found.seconds) == ("computed", "2h11m", 7875.0)
    assert "tcp_keepalive_time 7200 s + tcp_keepalive_probes 9 x tcp_keepalive_intvl 75 s" in found.note


def test_keepalive_as_the_system_has_it_is_not_computed_where_the_peers_kernel_answers() -> None:
    assert read(observed("hang", "server"), "keepalive-system").status == "not within"


def test_keepalive_as_the_system_has_it_is_measured_where_it_was_noticed() -> None:
    assert read(observed("power", None, keepalive_system=3.0), "keepalive-system").text == "3.00 s"


def test_a_writer_into_silence_is_told_when_its_kernel_gives_up() -> None:
    assert "15m25s, as tcp_retries2 is 15" in read(observed("power", None), "write").note


def test_a_lease_and_a_middlebox_that_forgot_say_that_the_client_lives() -> None:
    seen = observed("forgot", None, "server", lease=1.9)
    assert (
        read(seen, "lease", "server").note == "the client lives: it is back with its next call, over a new connection"
    )
    unseen = read(observed("forgot", None), "lease", "server")
    assert (unseen.status, unseen.note) == ("not within", "the client was back in time, over a new connection")


def test_who_speaks_before_the_fault_gave_a_false_alarm() -> None:
    found = read(observed("stop", "server", heartbeat=-0.25), "heartbeat")
    assert (found.status, found.text, found.seconds) == ("false alarm", "false alarm", None)
    assert found.note == "it spoke 0.25 s before the fault"


def test_every_cell_that_can_stay_unnoticed_has_a_reason() -> None:
    unnoticed = {("hang", "grpc-keepalive"), ("proxy", "grpc-keepalive")}
    unnoticed |= {(f.name, d.name) for f in FAULTS if f.kernel != "tells" for d in DETECTORS[:5]}
    unnoticed -= {(f.name, d) for f in FAULTS if f.kernel == "silent" for d in ("keepalive-tuned", "user-timeout")}
    assert [pair for pair in sorted(unnoticed) if not read(observed(pair[0], None), pair[1]).note] == []


def test_a_heartbeat_within_interval_and_timeout_needs_no_word() -> None:
    assert read(observed("power", None, heartbeat=2.0), "heartbeat").note == ""


def test_a_late_heartbeat_tells_how_late_the_machine_was() -> None:
    seen = observed("power", None, heartbeat=2.021)
    seen.lateness["client"] = [(STRUCK_AT - 1, 0.5), (STRUCK_AT + 1, 0.015), (STRUCK_AT + 5, 0.7)]
    assert read(seen, "heartbeat").note.startswith(
        "0.021 s over interval + timeout: the fault took 0.002 s to be in force, this program was woken up to 0.015 s"
    )


def test_a_heartbeat_that_noticed_nothing_has_no_excuse() -> None:
    assert read(observed("hang", "server"), "heartbeat").note == "nothing that was measured explains this"


def test_a_heartbeat_that_still_heard_the_peer_after_the_fault_tells_when() -> None:
    seen = observed("lost-up", None)
    seen.notices["client"]["heartbeat"] = Notice(STRUCK_AT + 2.7, "silent", heard_at=STRUCK_AT + 0.8)
    assert read(seen, "heartbeat").note == (
        "what the server sent still arrived, the last of it 0.80 s after the fault; the silence from there was 1.90 s"
    )


@pytest.mark.parametrize("name", ["power", "forgot", "lost-up", "lost-down"])
def test_without_namespaces_whatever_judges_tcp_needs_root_when_the_network_fails(name: str) -> None:
    missing = Missing("root", "try it with sudo")
    needing = [d.name for d in DETECTORS if missing.of(fault(name), d)]
    tcp = ["write", "keepalive-system", "keepalive-tuned", "user-timeout"]
    assert needing == ([d.name for d in DETECTORS] if name == "power" else tcp)
    assert missing.of(fault(name), detector("write")) == Cell("needs", "needs root", note="try it with sudo")


@pytest.mark.parametrize("name", ["close", "crash", "stop", "hang", "proxy"])
def test_without_namespaces_what_happens_to_programs_is_measured_all_the_same(name: str) -> None:
    assert [Missing("root").of(fault(name), d) for d in DETECTORS] == [None] * len(DETECTORS)


def test_without_haproxy_the_row_behind_it_says_so() -> None:
    texts = {found.text for d in DETECTORS if (found := Missing(haproxy=True).of(fault("proxy"), d))}
    assert texts == {"needs haproxy"}


def test_a_fault_of_a_program_is_run_once_for_each_end_and_one_of_the_network_once_for_both() -> None:
    stop, power = fault("stop"), fault("power")
    assert list(runs([stop, power])) == [Run(stop, "client"), Run(stop, "server"), Run(power, None)]
    assert Run(stop, "client").watchers == ("server",)
    assert Run(power, None).watchers == ("client", "server")


def test_the_kernels_settings_are_read_from_its_files() -> None:
    kernel = parse(
        {
            "tcp_keepalive_time": "60\n",
            "tcp_keepalive_intvl": "5\n",
            "tcp_keepalive_probes": "3\n",
            "tcp_retries2": "8\n",
        }
    )
    assert kernel.keepalive_seconds == 75


@pytest.mark.parametrize(("retries", "seconds"), [(3, 3.0), (8, 102.2), (9, 204.6), (15, 924.6)])
def test_how_long_the_kernel_retransmits_is_what_its_documentation_says(retries: int, seconds: float) -> None:
    assert Kernel(7200, 75, 9, retries).unacknowledged_seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("interval", "timeout", "idle", "probes"),
    [(1.0, 1.0, 1, 1), (0.3, 0.3, 1, 1), (2.5, 3.2, 3, 4), (15.0, 10.0, 15, 10)],
)
def test_keepalive_is_as_patient_as_the_others_in_whole_seconds(
    interval: float, timeout: float, idle: int, probes: int
) -> None:
    patience = Patience(interval, timeout)
    assert (patience.keepalive_idle, patience.keepalive_interval, patience.keepalive_probes) == (idle, 1, probes)
