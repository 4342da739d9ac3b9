"""A contrast as text for a terminal."""

from dataclasses import replace

from heartline.cli.output import uncoloured
from heartline_lab.contrast.notes import notes
from heartline_lab.contrast.results import MODES, Percentiles
from heartline_lab.contrast.table import ROWS, choice_table, lines, sweep_table, table
from lab.contrast_example import contrast, mode, swept

SPREAD = {row.name: (1.0, 1.0) for row in ROWS}


def cells(label: str, **changes: object) -> str:
    """The row of a figure in the table of a result with only one mode."""
    one = mode("kept", **{"spread": SPREAD, **changes})
    [row] = [line for line in plain(table(contrast(modes=(one,)))) if line.startswith(label)]
    return row.removeprefix(label).strip()


def full(**changes: object) -> list[str]:
    """All lines about a result whose figures all have a spread."""
    modes = tuple(mode(name, spread=SPREAD) for name in MODES)
    return plain(list(lines(contrast(modes=modes, **changes))))


def plain(coloured: list[str]) -> list[str]:
    """Without colours."""
    return [uncoloured(line) for line in coloured]


def test_a_figure_stands_with_its_spread() -> None:
    spread = {**SPREAD, "latency_ms.p50": (1.7, 2.3)}
    assert cells("latency p50, ms", latency_ms=Percentiles(1.9, 3, 4), spread=spread) == "1.9 (1.7\N{EN DASH}2.3)"


def test_a_figure_that_every_repeat_agrees_on_stands_alone() -> None:
    assert cells("TCP connections", connections=10) == "10"


def test_figures_have_three_digits_that_count_and_whole_ones_when_large() -> None:
    spread = {**SPREAD, "server_cpu_us_per_event": (999.96, 1234.5)}
    assert (
        cells("server CPU, µs an event", server_cpu_us_per_event=1100.4, spread=spread)
        == "1,100 (1,000\N{EN DASH}1,234)"
    )


def test_bytes_are_shown_in_kilobytes() -> None:
    assert cells("kB up", bytes_up=24_000, spread={**SPREAD, "bytes_up": (24_000, 24_000)}) == "24"


def test_the_table_says_how_many_events_should_have_come() -> None:
    assert cells("delivered, of 150") == "150"


def test_there_is_a_column_for_each_mode() -> None:
    assert [name for name in full()[2].split() if name in MODES] == list(MODES)


def test_no_line_is_wider_than_120_columns() -> None:
    wide = {row.name: (1234.5, 12345.6) for row in ROWS}
    modes = tuple(mode(name, spread=wide, calls=123_456, client_wakeups=123_456) for name in MODES)
    made = swept()
    said = plain(list(lines(contrast(modes=modes, sweeps=made.sweeps, break_even=made.break_even))))
    assert max(map(len, said)) <= 120


def test_a_sweep_has_a_row_for_each_figure_at_each_value_and_a_column_for_each_mode() -> None:
    intervals, rates = (plain(sweep_table(sweep)) for sweep in swept().sweeps)
    assert intervals[0].split() == ["poll", "every,", "s", "figure", "short", "kept"]
    assert rates[0].split() == ["events", "a", "second", "figure", *MODES]
    assert [line.split()[0] for line in rates[1::3]] == ["1", "10", "100"]


def test_what_each_mode_would_cost_is_listed_with_the_advised_one_marked() -> None:
    said = plain(choice_table(contrast()))
    assert [line.split("  ")[0] for line in said[1:]] == ["short", "kept", "long-poll", "stream (advised)"]


def test_a_mode_that_is_not_fresh_enough_is_shown_as_too_late() -> None:
    assert ["too late" in line for line in plain(choice_table(contrast()))[1:]] == [True, False, False, False]


def test_the_notes_and_the_advice_are_in_it() -> None:
    assert "- One clock for all." in full()
    assert full()[-1] == "Take a stream."


def test_a_loss_is_the_first_that_is_noted() -> None:
    workload = contrast().workload
    found = notes(workload, [mode("kept", lost=3), mode("stream", duplicated=1)], [], 400.0)
    assert found[0] == (
        "SOMETHING IS WRONG: events must come once each, but not so here "
        "(kept: 3 lost, 0 repeated; stream: 0 lost, 1 repeated)."
    )


def test_a_healthy_run_notes_nothing_wrong() -> None:
    found = notes(contrast().workload, [mode("kept")], [], 400.0)
    assert not any("WRONG" in note or "too busy" in note for note in found)


def test_polls_that_a_busy_machine_could_not_make_are_noted() -> None:
    found = notes(contrast().workload, [mode("kept", calls=100)], [], 400.0)
    assert found[0].startswith("The machine was too busy: polls every 200 ms in the mode kept came only every 310 ms.")


def test_one_repeat_says_that_it_has_no_spread() -> None:
    assert "ran once" in notes(replace(contrast().workload, repeats=1), [], [], 400.0)[0]
