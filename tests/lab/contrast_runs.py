"""Runs made up for the tests of what is computed from them: plausible figures, nothing measured."""

from dataclasses import replace

from heartline_lab.contrast.figures import Delivery, Run, Span
from heartline_lab.contrast.results import ModeCosts, Percentiles

SPAN = Span(
    connections=0, bytes_up=15_000, bytes_down=30_000, segments_up=500, segments_down=400, server_cpu_us=100_000.0
)
RUN = Run(
    delivery=Delivery(100, 0, 0),
    latencies_ms=(1.0, 2.0, 3.0),
    answers_ms=(1.0,),
    calls=50,
    empty_calls=20,
    span=SPAN,
    opening=replace(SPAN, connections=10, server_cpu_us=8000.0),
    published=10,
    client_wakeups=1000,
    seconds=2.5,
    traffic=(),
    way=(),
)


def costs(kept_us: float = 800.0, push_us: float = 200.0) -> dict[str, ModeCosts]:
    """What a mode costs: a call and an event, in microseconds of CPU and in bytes, and how long an answer takes."""
    return {
        "short": ModeCosts("short", 1500.0, 2.0, 900.0, 200.0, Percentiles(3.0, 4.0, 5.0)),
        "kept": ModeCosts("kept", kept_us, 2.0, 200.0, 200.0, Percentiles(1.0, 2.0, 5.0)),
        "long-poll": ModeCosts("long-poll", 500.0, 2.0, 200.0, 200.0, Percentiles(4.0, 8.0, 10.0)),
        "stream": ModeCosts("stream", 0.0, push_us, 0.0, 400.0, Percentiles(3.0, 6.0, 8.0)),
    }
