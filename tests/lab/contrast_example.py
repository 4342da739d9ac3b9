"""A contrast made up for tests of what is drawn from one: plausible figures, nothing measured."""

from heartline_lab.contrast.results import (
    MODES,
    Advice,
    BreakEven,
    Choice,
    Contrast,
    ModeResult,
    Opening,
    Percentiles,
    Sweep,
    SweepPoint,
    Traffic,
    Workload,
)
from heartline_lab.drawing.ladder import Step

P50 = {"short": 110.0, "kept": 100.0, "long-poll": 3.0, "stream": 2.0}
CPU = {"short": 1300.0, "kept": 500.0, "long-poll": 600.0, "stream": 125.0}


def mode(name: str, **changes: object) -> ModeResult:
    """What was measured of one mode."""
    p50 = P50[name]
    fields = {
        "mode": name,
        "delivered": 150,
        "lost": 0,
        "duplicated": 0,
        "latency_ms": Percentiles(p50, p50 * 2, p50 * 3),
        "calls": 160,
        "empty_calls": 60,
        "connections": 10,
        "bytes_up": 24000,
        "bytes_down": 8000,
        "segments_up": 330,
        "segments_down": 300,
        "server_cpu_us_per_event": CPU[name],
        "client_wakeups": 1100,
        "online_after_vanishing_seconds": 1.5,
        "run_seconds": 3.1,
        "opening": Opening(10, 3200, 1900, 60, 50, 14.2),
        "spread": {"latency_ms.p50": (p50 * 0.9, p50 * 1.1), "calls": (160, 160)},
        "latency_samples_ms": tuple(p50 * (0.5 + i / 50) for i in range(100)),
        "traffic": tuple(Traffic(i / 10, i * 700, i * 300) for i in range(31)),
        "way": (
            Step(0, "publisher", "server", "Publish", kind="data"),
            Step(p50 / 1000, "server", "client", "1 event", f"by {name}", kind="data"),
        ),
    }
    return ModeResult(**{**fields, **changes})  # type: ignore[arg-type]


def contrast(**changes: object) -> Contrast:
    """A whole result without sweeps."""
    choices = tuple(Choice(name, None, name != "short", 0.004, 0.01, 9000.0, 10.0) for name in MODES)
    fields = {
        "workload": Workload(10, 5, 3, 100, 0.2, 3),
        "modes": tuple(map(mode, MODES)),
        "publish_cpu_us_per_event": 400.0,
        "costs": (),
        "advice": Advice(10, 5, 1.0, "stream", None, choices, ("Take a stream.",)),
        "machine": {"cores": "2", "python": "3.11.2"},
        "notes": ("One clock for all.",),
    }
    return Contrast(**{**fields, **changes})  # type: ignore[arg-type]


def swept() -> Contrast:
    """A result with both sweeps, in which polling breaks even with a stream at 20 events a second."""
    intervals = [point(name, value, CPU[name] / value) for name in ("short", "kept") for value in (0.1, 0.2, 0.5)]
    rates = [point(name, value, CPU[name] * value) for name in MODES for value in (1, 10, 100)]
    return contrast(
        sweeps=(Sweep("poll_interval_seconds", tuple(intervals)), Sweep("rate", tuple(rates))),
        break_even=(
            BreakEven("kept", "server_cpu", 20.0, "Up to 20 events a second a stream is cheaper."),
            BreakEven("long-poll", "server_cpu", None, "A stream is always cheaper than a long poll."),
        ),
    )


def point(name: str, value: float, cpu: float) -> SweepPoint:
    """One mode at one setting."""
    return SweepPoint(name, value, Percentiles(P50[name], P50[name] * 2, P50[name] * 3), cpu, cpu * 3, 5, 0.5, 0, 0)
