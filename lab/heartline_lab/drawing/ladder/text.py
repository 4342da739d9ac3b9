"""A ladder diagram in box-drawing characters, for terminals and plain text. Pure.

Rules:
- No line is longer than the width. What is too narrow for a label on its arrow puts it above; notes are wrapped.
- Nothing hangs on colour: heartbeats are dashed, lost packets end in a cross.
"""

from math import ceil

from heartline_lab.drawing.ladder.steps import Ladder, Step, printable, wrapped

_LEAST_GAP = 8
_LEAST_NOTES = 12
_LONGEST_NAME = 16
_CROSS = "\N{BOX DRAWINGS LIGHT DIAGONAL CROSS}"
_LOST = 0.7
"""How far a lost packet gets, as a share of its way."""


def as_text(ladder: Ladder, width: int = 100) -> str:
    """Draws the ladder in lines of at most `width` characters. Raises ValueError when it cannot be that narrow."""
    return "\n".join(_Drawing(ladder, width).lines())


class _Drawing:
    def __init__(self, ladder: Ladder, width: int) -> None:
        self._ladder = ladder
        self._width = width
        self._times = ladder.times()
        names = [min(len(name), _LONGEST_NAME) for name in ladder.lanes]
        self._clock = max(map(len, [*self._times, "ms"]))
        left = self._clock + 2 + names[0] // 2
        spans = len(names) - 1
        notes = max((len(step.note) for step in ladder.steps), default=0)
        beside = 3 if notes else 1
        least = left + _LEAST_GAP * spans + max(names[-1] // 2 + 1, beside + min(notes, _LEAST_NOTES))
        if width < least:
            raise ValueError(f"{width} columns are too narrow for this ladder: it needs {least}")
        wide = min(notes, max(_LEAST_NOTES, width // 3))
        room = width - left - max(names[-1] // 2 + 1, beside + wide)
        self._gap = max(_LEAST_GAP, min(room // spans, max([max(names) + 2, *map(self._wish, ladder.steps)])))
        self._lanes = {name: left + self._gap * i for i, name in enumerate(ladder.lanes)}
        self._note_at = left + self._gap * spans + 3

    def lines(self) -> list[str]:
        """The whole drawing."""
        rows = [list(line) for line in wrapped(self._ladder.title, self._width)]
        rows += [[], *self._heads()]
        for step, time, silence in zip(self._ladder.steps, self._times, self._ladder.silences(), strict=True):
            if silence:
                rows.append(self._row("┊"))
            rows += self._step(step, time)
        return ["".join(row).rstrip() for row in [*rows, self._row("│")]]

    def _wish(self, step: Step) -> int:
        """The distance of lanes at which the label stands on its arrow."""
        if step.source == step.target:
            return len(step.label) + 4
        spans = abs(self._ladder.lanes.index(step.source) - self._ladder.lanes.index(step.target))
        return ceil((len(step.label) + 8) / (_LOST if step.lost else 1) / spans)

    def _row(self, lane: str) -> list[str]:
        row = [" "] * self._width
        for at in self._lanes.values():
            row[at] = lane
        return row

    def _heads(self) -> list[list[str]]:
        names = {lane: wrapped(lane, min(self._gap - 1, _LONGEST_NAME)) for lane in self._lanes}
        high = max(map(len, names.values()))
        rows = [[" "] * self._width for _ in range(high)]
        for lane, at in self._lanes.items():
            for row, line in zip(rows[high - len(names[lane]) :], names[lane], strict=True):
                _put(row, at - len(line) // 2, line)
        _put(rows[-1], self._clock - 2, "ms")
        return [*rows, self._row("│")]

    def _step(self, step: Step, time: str) -> list[list[str]]:
        drawn = self._event(step) if step.source == step.target else self._arrow(step)
        notes = wrapped(step.note, max(1, self._width - self._note_at))
        drawn += [self._row("│") for _ in range(len(notes) - len(drawn))]
        for row, note in zip(drawn, notes, strict=False):
            _put(row, self._note_at, note)
        _put(drawn[0], self._clock - len(time), time)
        return drawn

    def _event(self, step: Step) -> list[list[str]]:
        at = self._lanes[step.source]
        rows = []
        for i, line in enumerate(wrapped(step.label, self._gap - 3) or [""]):
            row = self._row("│")
            row[at] = "●" if i == 0 else "│"
            _put(row, at - 1 - len(line) if at == max(self._lanes.values()) else at + 2, line)
            rows.append(row)
        return rows

    def _arrow(self, step: Step) -> list[list[str]]:
        start, end = self._lanes[step.source], self._lanes[step.target]
        right = end > start
        reach = start + round((end - start) * _LOST) if step.lost else end - (1 if right else -1)
        low, high = min(start, reach) + 1, max(start, reach)
        row = self._row("│")
        for i in range(low, high):
            row[i] = "┼" if row[i] == "│" else "╌" if step.kind == "heartbeat" else "─"
        row[start] = "├" if right else "┤"
        row[reach] = _CROSS if step.lost else "▶" if right else "◀"
        label = printable(step.label)
        if not label:
            return [row]
        if len(label) + 4 <= high - low:
            _put(row, low + (high - low - len(label) - 2) // 2, f" {label} ")
            return [row]
        above = []
        inner = abs(end - start) - 3
        for line in wrapped(label, inner):
            above.append(self._row("│"))
            _put(above[-1], min(start, end) + 2 + (inner - len(line)) // 2, line)
        return [*above, row]


def _put(row: list[str], at: int, text: str) -> None:
    row[at : at + len(text)] = text
