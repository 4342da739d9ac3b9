"""The table: its rows as data, as text for people, and as JSON. Pure; docs/detect.md describes the JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from heartline.durations import format_duration
from rich.console import Group
from rich.table import Table
from rich.text import Text

from heartline_lab.detect.cells import HEARTBEAT, Cell, Missing, cell
from heartline_lab.detect.faults import DETECTORS, FAULTS, SIDES, Fault, Side
from heartline_lab.detect.kernel import Kernel
from heartline_lab.detect.observed import Observed
from heartline_lab.detect.patience import Patience

_TITLES: dict[Side, str] = {
    "client": "The client notices that the server is gone:",
    "server": "The server notices that the client is gone:",
}
_FAULT_WIDTH = max(len(fault.title) for fault in FAULTS)
_CELL_WIDTH = len("not within") + 1
_STYLES = {"noticed": "", "not within": "yellow", "computed": "yellow", "needs": "dim", "false alarm": "red"}


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, and with what. `rows` has a cell for each detector, in their order."""

    patience: Patience
    within: float
    kernel: Kernel
    rows: dict[Side, list[tuple[Fault, list[Cell]]]]


def report(
    faults: Sequence[Fault],
    seen: Sequence[Observed],
    missing: Missing,
    patience: Patience,
    within: float,
    kernel: Kernel,
) -> Report:
    """Puts what was seen into rows."""
    found = {(one.run.fault.name, side): one for one in seen for side in one.run.watchers}

    def row(fault: Fault, side: Side) -> list[Cell]:
        return [
            missing.of(fault, detector) or cell(found[fault.name, side], side, detector, patience, within, kernel)
            for detector in DETECTORS
        ]

    rows: dict[Side, list[tuple[Fault, list[Cell]]]] = {
        side: [(fault, row(fault, side)) for fault in faults] for side in SIDES
    }
    return Report(patience, within, kernel, rows)


def as_json(report: Report) -> dict[str, object]:
    """The report as plain data."""
    return {
        "settings": {
            "interval_seconds": report.patience.interval,
            "timeout_seconds": report.patience.timeout,
            "within_seconds": report.within,
        },
        "kernel": asdict(report.kernel),
        **{
            f"{side}_notices": [
                {
                    "fault": fault.name,
                    "detectors": {d.name: _fields(c) for d, c in zip(DETECTORS, cells, strict=True)},
                }
                for fault, cells in rows
            ]
            for side, rows in report.rows.items()
        },
    }


def as_text(report: Report, width: int) -> Group:
    """The report for people, as rich draws it: detectors that have no room beside the others come in a second table."""
    notes = _notes(report)
    interval, timeout = format_duration(report.patience.interval), format_duration(report.patience.timeout)
    parts: list[Text | Table] = [
        Text(f"Each detector asks after {interval} of silence and gives up {timeout} later. Times run from the fault."),
    ]
    beside = max(1, (width - _FAULT_WIDTH) // (_CELL_WIDTH + 1))
    for side in SIDES:
        parts.append(Text(f"\n{_TITLES[side]}", style="bold"))
        for first in range(0, len(DETECTORS), beside):
            parts.append(_table(report, side, notes, slice(first, first + beside)))
    parts += [Text(f"{str(number).translate(_SUPERSCRIPT)} {note}", style="dim") for note, number in notes.items()]
    return Group(*parts, Text(f"\n{verdict(report)}"))


def verdict(report: Report) -> str:
    """What there is to say of Heartline's own column."""
    column = [
        (side, fault, cells[_HEARTBEAT])
        for side, rows in report.rows.items()
        for fault, cells in rows
        if cells[_HEARTBEAT].status != "needs"
    ]
    if not column:
        return "Heartline's heartbeat: nothing of it could be measured here."
    whole = report.patience.whole
    bound = f"interval + timeout ({format_duration(whole)})"
    late = [(side, fault, cell) for side, fault, cell in column if cell.seconds is None or cell.seconds > whole]
    if not late:
        slowest = max(cell.seconds or 0.0 for _, _, cell in column)
        return f"Heartline's heartbeat noticed all within {bound}, the slowest after {slowest:.2f} s."
    told = ", ".join(f'"{fault.title}" ({side}: {cell.text})' for side, fault, cell in late)
    return (
        f"Heartline's heartbeat noticed {len(column) - len(late)} of {len(column)} within {bound}; not {told}: "
        "the notes tell why."
    )


_HEARTBEAT = [detector.name for detector in DETECTORS].index(HEARTBEAT)
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _table(report: Report, side: Side, notes: dict[str, int], shown: slice) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("fault", no_wrap=True, width=_FAULT_WIDTH)
    for detector in DETECTORS[shown]:
        table.add_column(detector.title, width=_CELL_WIDTH)
    for fault, cells in report.rows[side]:
        table.add_row(fault.title, *(_drawn(cell, notes) for cell in cells[shown]))
    return table


def _drawn(cell: Cell, notes: dict[str, int]) -> Text:
    mark = str(notes[cell.note]).translate(_SUPERSCRIPT) if cell.note else ""
    computed = " (computed)" if cell.status == "computed" else ""
    return Text(f"{cell.text}{mark}{computed}", style=_STYLES[cell.status])


def _fields(cell: Cell) -> dict[str, object]:
    return {"status": cell.status, "seconds": cell.seconds, "text": cell.text, "how": cell.how, "note": cell.note}


def _notes(report: Report) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for side in SIDES:
        for _, cells in report.rows[side]:
            for note in (one.note for one in cells if one.note):
                numbers.setdefault(note, len(numbers) + 1)
    return numbers
