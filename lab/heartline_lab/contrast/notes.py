"""What a reader must know to read the figures rightly. Pure."""

from collections.abc import Sequence

from heartline_lab.contrast.results import ModeResult, Sweep, Workload
from heartline_lab.drawing.units import number, span

MADE = 0.75
"""A machine that makes a smaller share of the polls that are due is too busy to be measured."""


def notes(
    workload: Workload, modes: Sequence[ModeResult], sweeps: Sequence[Sweep], publish_cpu_us: float
) -> tuple[str, ...]:
    """In the order in which they matter."""
    interval = span(workload.heartbeat_interval_seconds)
    promise = span(workload.heartbeat_interval_seconds + workload.heartbeat_timeout_seconds)
    told = [
        f"Figures are of one run: the median of {workload.repeats}, in brackets the lowest and the highest."
        if workload.repeats > 1
        else "Each mode ran once, so nothing is said of how much the figures vary: see --repeats.",
        "Latency is from the publish call's begin to the handler, on one clock, the middlebox included. The clients "
        "share a process: the more there are, the longer the last of them waits for its turn.",
        f"Server CPU is without publishing, which costs {span(publish_cpu_us / 1e6)} an event when nobody listens.",
        "Bytes are what TCP carries: HTTP/2 and gRPC are in them, headers of TCP and IP are not.",
        "What it took to get ready is only in the connections. A short poll has to get ready each time: TCP's "
        "handshake, and the preface and settings of HTTP/2, which HTTP/1.0 did not have.",
        f"Whoever vanishes is to be missed within {promise} in every mode. Streams have heartbeats for that. Who polls "
        f"checks in every {interval} with a lease of {promise}; these calls are not in the other figures.",
    ]
    told[:0] = _too_busy(workload, modes, sweeps)
    wrong = [mode for mode in modes if mode.lost or mode.duplicated]
    if wrong:
        said = "; ".join(f"{m.mode}: {number(m.lost)} lost, {number(m.duplicated)} repeated" for m in wrong)
        told.insert(0, f"SOMETHING IS WRONG: events must come once each, but not so here ({said}).")
    return tuple(told)


def _too_busy(workload: Workload, modes: Sequence[ModeResult], sweeps: Sequence[Sweep]) -> list[str]:
    interval = workload.poll_interval_seconds
    runs = [(mode.mode, interval, mode.calls / mode.run_seconds / workload.clients, "") for mode in modes]
    for sweep in sweeps:
        if sweep.setting == "poll_interval_seconds":
            runs += [(p.mode, p.value, p.calls_per_client_second, ", in the sweep") for p in sweep.points]
    return [
        f"The machine was too busy: polls every {span(every)} in the mode {mode} came only every {span(1 / calls)}"
        f"{where}. Measure again when it is idle, or with fewer clients."
        for mode, every, calls, where in runs
        if mode in ("short", "kept") and calls * every < MADE
    ]
