"""What a mode costs for any number of clients, events and polls, from what was measured for some. Pure.

Rules:
- A poll costs so much for the call and so much for each event that it brings; a pushed event travels alone. All of it
  grows with the number of clients.
- A long poll is asked anew when it was answered: with events at random moments, a client makes one call for each turn
  plus the wait for the next event, which ends with the poll's own wait at the latest.
- A stream where nothing moves has heartbeats, each taken to cost as much as an event without its payload.
- What publishing costs is left out: it is the same in every mode.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median_low

from heartline_lab.contrast.figures import Run, percentiles, push_cost
from heartline_lab.contrast.results import Choice, ModeCosts

LONG_WAIT = 30.0
"""How long a long poll of the library waits, in seconds."""
HEARTBEAT_INTERVAL = 15.0
"""The default, in seconds."""
LONGEST_SILENCE = 50.0
"""A kept connection is polled at least this often, in seconds: common proxies and firewalls cut one after 60 s."""

Costs = Mapping[str, ModeCosts]


def costs_of(
    mode: str, runs: Sequence[Run], publish_cpu_us: float, event_cpu_us: float, event_bytes: float
) -> ModeCosts:
    """A mode's costs from its runs, given what a Publish and what each event in an answer costs the server."""

    def per_call(of: float, run: Run, event: float) -> float:
        return max(0.0, of - event * run.delivery.delivered) / run.calls

    cpu = [push_cost(run, publish_cpu_us) for run in runs]
    size = [run.span.bytes_up + run.span.bytes_down for run in runs]
    if mode == "stream":
        delivered = [run.delivery.delivered for run in runs]
        return ModeCosts(
            mode=mode,
            cpu_us_per_call=0.0,
            cpu_us_per_event=median_low(each / count for each, count in zip(cpu, delivered, strict=True)),
            bytes_per_call=0.0,
            bytes_per_event=median_low(each / count for each, count in zip(size, delivered, strict=True)),
            answer_ms=percentiles(latency for run in runs for latency in run.latencies_ms),
        )
    answers = [run.latencies_ms if mode == "long-poll" else run.answers_ms for run in runs]
    return ModeCosts(
        mode=mode,
        cpu_us_per_call=median_low(per_call(each, run, event_cpu_us) for each, run in zip(cpu, runs, strict=True)),
        cpu_us_per_event=event_cpu_us,
        bytes_per_call=median_low(per_call(each, run, event_bytes) for each, run in zip(size, runs, strict=True)),
        bytes_per_event=event_bytes,
        answer_ms=percentiles(answer for taken in answers for answer in taken),
    )


def choices(costs: Costs, clients: int, rate: float, fresh_within: float) -> tuple[Choice, ...]:
    """What each mode would cost for so many clients and events a second, with news at most so many seconds old."""
    return tuple(_choice(costs, mode, clients, rate, fresh_within) for mode in costs)


def poll_interval(fresh_within: float, answer: float) -> float | None:
    """The longest interval, to two digits, at which news is fresh enough; None when calls take too long for any."""
    room = fresh_within - answer
    if room < answer:
        return None
    digit = 10.0 ** (math.floor(math.log10(room)) - 1)
    return float(f"{math.floor(room / digit + 1e-9) * digit:.2g}")


def _choice(costs: Costs, mode: str, clients: int, rate: float, fresh_within: float) -> Choice:
    cost, interval = costs[mode], None
    staleness = cost.answer_ms.p99 / 1000
    calls = beats = 0.0
    if mode == "stream":
        beats = max(0.0, 1 / HEARTBEAT_INTERVAL - rate)
    elif mode == "long-poll":
        calls = 1 / (costs["kept"].answer_ms.p50 / 1000 + (1 - math.exp(-rate * LONG_WAIT)) / rate)
    else:
        interval = poll_interval(fresh_within, staleness)
        if interval and mode == "kept":
            interval = min(interval, LONGEST_SILENCE)
        every = interval or staleness
        calls, staleness = 1 / every, every + staleness
    cpu_us = calls * cost.cpu_us_per_call + (rate + beats) * cost.cpu_us_per_event
    beat_bytes = max(0.0, cost.bytes_per_event - costs["kept"].bytes_per_event)
    size = calls * cost.bytes_per_call + rate * cost.bytes_per_event + beats * beat_bytes
    return Choice(
        mode=mode,
        poll_interval_seconds=interval,
        fresh=staleness <= fresh_within,
        staleness_seconds=staleness,
        server_cores=clients * cpu_us / 1e6,
        bytes_per_second=clients * size,
        calls_per_second=clients * calls,
    )
