"""A ladder diagram as one self-contained SVG, for a page or a file of its own. Pure.

Rules:
- No script, no font of its own, nothing to fetch; whatever it says is escaped.
- It reads on light and dark. A page that has colours of its own sets --ladder-paper, --ladder-ink, --ladder-quiet and
  --ladder-data, -control, -heartbeat, -fault.
- Colour is never the only sign: data is bold, heartbeats are dashed, what was lost ends in a cross.
"""

import zlib
from html import escape

from heartline_lab.drawing.ladder.steps import Ladder, Step, printable, wrapped

_LETTER = 7.2
"""What a letter of 12.5 px takes on average in the widest of the usual fonts."""
_CAPITAL = 8.8
_LINE = 16
_SLANT = 8
_EDGE = 14
_BESIDE = 14
_NARROW, _WIDE = 70, 330
_NOTES = 14, 34
"""The least and the most letters in a line of notes."""
_LOST = 0.7
_SILENCE = 26

_STYLE = """
.ladder { --paper: var(--ladder-paper, #fff); --ink: var(--ladder-ink, #1b2230); --quiet: var(--ladder-quiet, #5d6675);
  --data: var(--ladder-data, #0060a8); --control: var(--ladder-control, #5d6675);
  --heartbeat: var(--ladder-heartbeat, #00755a); --fault: var(--ladder-fault, #b8420a);
  font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
@media (prefers-color-scheme: dark) { .ladder { --paper: var(--ladder-paper, #14181f);
  --ink: var(--ladder-ink, #e6e9ef); --quiet: var(--ladder-quiet, #98a1b0);
  --data: var(--ladder-data, #6bb8f5); --control: var(--ladder-control, #98a1b0);
  --heartbeat: var(--ladder-heartbeat, #4cc9a4); --fault: var(--ladder-fault, #ff9a62); } }
.ladder .paper { fill: var(--paper); }
.ladder .lane { stroke: var(--quiet); opacity: .55; }
.ladder .silence { stroke-dasharray: 1 5; stroke-linecap: round; stroke-width: 2; }
.ladder text { fill: var(--ink); }
.ladder .name { font-weight: 600; text-anchor: middle; }
.ladder .label { text-anchor: middle; }
.ladder .before, .ladder .time { text-anchor: end; }
.ladder .label, .ladder .event { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.ladder g { --own: var(--ink); }
.ladder .data { --own: var(--data); }
.ladder .control { --own: var(--control); }
.ladder .heartbeat { --own: var(--heartbeat); }
.ladder .fault { --own: var(--fault); }
.ladder g path { stroke: var(--own); stroke-width: 1.4; fill: none; }
.ladder .data path { stroke-width: 2.2; }
.ladder .heartbeat path { stroke-dasharray: 5 3; }
.ladder g .solid { stroke-dasharray: none; }
.ladder g .head, .ladder g circle { fill: var(--own); stroke: none; }
.ladder .fault text { fill: var(--fault); }
.ladder .time, .ladder .note, .ladder .fault .time, .ladder .fault .note { fill: var(--quiet); }
"""


def as_svg(ladder: Ladder, width: float = 1000) -> str:
    """Draws the ladder as an <svg> element, as wide as its words need, and at most about `width` px."""
    return _Drawing(ladder, width).svg()


class _Drawing:
    def __init__(self, ladder: Ladder, width: float) -> None:
        self._ladder = ladder
        lanes = ladder.lanes
        clock = max(map(_letters, [*ladder.times(), "ms"]))
        self._left = _EDGE + max(clock + _BESIDE, _letters(lanes[0]) / 2)
        self._notes = max((len(step.note) for step in ladder.steps), default=0)
        self._notes = min(self._notes, max(_NOTES[0], min(_NOTES[1], int(width / 3.6 / _LETTER))))
        right = max(_letters(lanes[-1]) / 2, _BESIDE + self._notes * _LETTER if self._notes else 0) + _EDGE
        wish = max([*(_letters(lane) + 16 for lane in lanes), *map(self._wish, ladder.steps)])
        self._gap = max(_NARROW, min(_WIDE, wish, (width - self._left - right) / (len(lanes) - 1)))
        self._lanes = {name: self._left + self._gap * i for i, name in enumerate(lanes)}
        self._right = self._left + self._gap * (len(lanes) - 1)
        self._width = self._right + right
        self._y = 0.0
        self._parts: list[str] = []

    def svg(self) -> str:
        """The whole element."""
        ladder = self._ladder
        self._parts += [_text(x, 22, "name", [printable(lane)]) for lane, x in self._lanes.items()]
        self._parts.append(_text(self._left - _BESIDE, 42, "time", ["ms"]))
        self._y = 30
        self._verticals(14, "")
        for step, time, silence in zip(ladder.steps, ladder.times(), ladder.silences(), strict=True):
            if silence:
                self._verticals(_SILENCE, " silence")
            self._step(step, time)
        self._verticals(_LINE, "")
        title = printable(ladder.title)
        told = "; ".join(_told(step, time) for step, time in zip(ladder.steps, ladder.times(), strict=True))
        mark = f"ladder-{zlib.crc32(repr(ladder).encode()):08x}"
        height = self._y + _EDGE
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ladder" role="img" aria-labelledby="{mark}-t {mark}-d" '
            f'viewBox="0 0 {self._width:g} {height:g}" width="{self._width:g}" height="{height:g}">'
            f'<title id="{mark}-t">{escape(title)}</title><desc id="{mark}-d">{escape(told)}</desc>'
            f'<style>{_STYLE}</style><rect class="paper" width="100%" height="100%"/>{"".join(self._parts)}</svg>'
        )

    def _wish(self, step: Step) -> float:
        if step.source == step.target:
            return _letters(step.label) + 28
        spans = abs(self._ladder.lanes.index(step.source) - self._ladder.lanes.index(step.target))
        return (_letters(step.label) + 24) / spans / (_LOST if step.lost else 1)

    def _verticals(self, high: float, kind: str) -> None:
        """Goes down, and draws all lanes on the way."""
        self._parts += [f'<path class="lane{kind}" d="M{x:g} {self._y:g}v{high:g}"/>' for x in self._lanes.values()]
        self._y += high

    def _step(self, step: Step, time: str) -> None:
        event = step.source == step.target
        room = self._gap - 28 if event else abs(self._lanes[step.source] - self._lanes[step.target]) - 12
        labels = wrapped(step.label, max(6, int(room * (_LOST if step.lost else 1) / _LETTER)))
        notes = wrapped(step.note, self._notes or 1)
        high = 6 + _LINE * max(len(labels), len(notes) - (0 if event else 1), 1) + (0 if event else 6 + _SLANT)
        top, first = self._y, self._y + 6 + 12
        self._verticals(high, "")
        draw = self._event if event else self._arrow
        parts = [
            _text(self._left - _BESIDE, first, "time", [time]),
            *draw(step, labels, top),
            _text(self._right + _BESIDE, first, "note", notes),
        ]
        self._parts.append(f'<g class="{step.kind or "other"}">{"".join(parts)}</g>')

    def _event(self, step: Step, labels: list[str], top: float) -> list[str]:
        x = self._lanes[step.source]
        left = x == self._right
        words = _text(x - 11 if left else x + 11, top + 18, "event before" if left else "event", labels)
        return [f'<circle cx="{x:g}" cy="{top + 14:g}" r="4.5"/>', words]

    def _arrow(self, step: Step, labels: list[str], top: float) -> list[str]:
        start, end = self._lanes[step.source], self._lanes[step.target]
        way = _LOST if step.lost else 1.0
        side = 1 if end > start else -1
        y = top + 6 + _LINE * len(labels) + 4
        x, down = start + (end - start) * way, y + _SLANT * way
        if step.lost:
            tip = f'<path class="solid" d="M{x - 5:g} {down - 5:g}l10 10m0-10l-10 10"/>'
            line_end, line_down = x, down
        else:
            tip = (
                f'<path class="head" d="M{x - side:g} {down:g}l{-10 * side} -5.4l{1.6 * side:g} 5l{-1.6 * side:g} 5z"/>'
            )
            line_end, line_down = x - 9 * side, down - _SLANT * 9 / abs(end - start)
        line = f'<path d="M{start:g} {y:g}L{line_end:g} {line_down:.2f}"/>'
        return [line, tip, _text((start + x) / 2, top + 6 + 12, "label", labels)]


def _told(step: Step, time: str) -> str:
    where = f"in {step.source}" if step.source == step.target else f"{step.source} to {step.target}"
    told = [f"{time} ms {where}: {step.label}", "lost" if step.lost else "", step.note]
    return printable(", ".join(filter(None, told)))


def _letters(text: str) -> float:
    """About how wide a text is."""
    return sum(_CAPITAL if letter.isupper() else _LETTER for letter in text)


def _text(x: float, y: float, kind: str, lines: list[str]) -> str:
    """Lines of text under each other; nothing when there are none."""
    if not lines:
        return ""
    spans = "".join(f'<tspan x="{x:g}" dy="{_LINE if i else 0}">{escape(line)}</tspan>' for i, line in enumerate(lines))
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{spans}</text>'
