"""What a benchmark hands back, the table for people, and the JSON that is kept.

Rules: a figure is judged by its median; the spread shown is the middle half of its samples, and the JSON keeps them
all. The JSON names the machine by what matters to speed, never by its name or its paths.
"""

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import google.protobuf
import grpc

from bench.measure import quartiles


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. Without a target it is told for what it explains; `facts` are the medians behind it."""

    name: str
    what: str
    unit: str
    samples: tuple[float, ...]
    at_most: float | None = None
    at_least: float | None = None
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target; None without one."""
        if self.at_most is not None:
            return self.median <= self.at_most
        return None if self.at_least is None else self.median >= self.at_least

    @property
    def target(self) -> str:
        """The target as text."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"


def table(figures: Sequence[Figure]) -> str:
    """The figures for a person at a terminal."""
    rows = [("", "figure", "median", "middle half", "target", "behind it")]
    for figure in figures:
        low, high = quartiles(figure.samples)
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        facts = ", ".join(f"{name} {value:.4g}" for name, value in figure.facts.items())
        median = f"{figure.median:.2f} {figure.unit}"
        rows.append(
            (verdict, f"{figure.name}: {figure.what}", median, f"{low:.2f} to {high:.2f}", figure.target, facts)
        )
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def to_json(figures: Sequence[Figure], *, quick: bool, peers: Mapping[str, str]) -> str:
    """The figures to keep, with the versions of the peers that took part."""
    machine = {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "grpcio": grpc.__version__,
        "protobuf": google.protobuf.__version__,
        "sqlite": sqlite3.sqlite_version,
    }
    record = {"machine": machine, "peers": peers, "quick": quick, "figures": [_record(f) for f in figures]}
    return json.dumps(record, indent=2) + "\n"


def _record(figure: Figure) -> dict[str, object]:
    low, high = quartiles(figure.samples)
    return {
        "name": figure.name,
        "what": figure.what,
        "unit": figure.unit,
        "median": round(figure.median, 4),
        "middle_half": [round(low, 4), round(high, 4)],
        "target": figure.target,
        "met": figure.met,
        "samples": [round(sample, 4) for sample in figure.samples],
        "facts": {name: round(value, 4) for name, value in figure.facts.items()},
    }
