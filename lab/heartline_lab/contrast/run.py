"""Runs the workload once over one mode: subscribers behind a middlebox, the publisher straight at the server.

Rules:
- The server, the subscribers and this process, in which box and publisher live, are three processes. All of the box's
  connections are the subscribers', so what it counts is theirs alone.
- Getting ready is counted apart (`opening`): a run of seconds must not charge a connection that lasts for days to a
  handful of events. The run itself is what happens from its start until every event has come.
- The server is the same for all runs, and each run has a channel of its own.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from heartline.cli.exits import CommandError, Exit
from heartline.durations import format_duration
from heartline.network import GrpcConnection

from heartline_lab.contrast.clients import Order
from heartline_lab.contrast.figures import Run, Span, deliveries, evenly
from heartline_lab.contrast.journal import Journal, Published
from heartline_lab.contrast.publishing import moments, publish
from heartline_lab.contrast.results import Traffic, Workload
from heartline_lab.contrast.way import way
from heartline_lab.middlebox import Middlebox
from heartline_lab.middlebox.counts import Totals
from heartline_lab.processes import Server, cpu_ns, first_line, running

PATIENCE = 10.0
"""Seconds, and two intervals between polls, that events may come late before they count as lost."""
REPORT_TIMEOUT = 10.0
"""Seconds beyond that in which the subscribers must have told what they saw."""
SETTLE = 0.1
"""Seconds of quiet before a run, in which the server clears away the one before."""
MOST_TRAFFIC = 200
"""So many samples of the bytes that had gone are kept."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What all runs share: the measured server, and the publisher's connection to it."""

    server: Server
    publisher: GrpcConnection
    listen: str = "127.0.0.1:0"
    """Where the middlebox of each run listens; port 0 takes a free one."""
    numbers: "count[int]" = field(default_factory=count)

    def channel(self) -> str:
        """A channel that was never used."""
        return f"run-{next(self.numbers)}"


async def publish_alone(stage: Stage, workload: Workload, repeat: int) -> float:
    """What one Publish costs the server when nobody listens, in microseconds of CPU."""
    await asyncio.sleep(SETTLE)
    due = moments(workload, repeat)
    before = cpu_ns(stage.server.pid)
    await publish(stage.publisher, stage.channel(), workload.payload, time.monotonic_ns(), due)
    return (cpu_ns(stage.server.pid) - before) / len(due) / 1000


async def run(stage: Stage, workload: Workload, mode: str, repeat: int) -> Run:
    """Runs it. Raises CommandError when nothing arrived, or a process did not do its part."""
    await asyncio.sleep(SETTLE)
    pid, channel = stage.server.pid, stage.channel()
    async with Middlebox(stage.server.address, listen=stage.listen) as box:
        box_ns = time.monotonic_ns()
        order = _order(workload, mode, box.address, channel)
        command = (sys.executable, "-m", "heartline_lab.contrast.subscribers", json.dumps(asdict(order)))
        idle = _Counts(cpu_ns(pid), Totals())
        async with running(*command) as subscribers:
            starts_ns = json.loads(await first_line(subscribers, f"the subscribers of {mode}"))["starts_ns"]
            await asyncio.sleep(starts_ns / 1e9 - time.monotonic())
            opened = _Counts(cpu_ns(pid), box.totals())
            due = moments(workload, repeat)
            published = await publish(stage.publisher, channel, workload.payload, starts_ns, due)
            report = await _report(subscribers, order)
            done = _Counts(cpu_ns(pid), box.totals())
        traffic = _traffic(box.timeline, (starts_ns - box_ns) / 1e9, opened.totals)
    return _seen(order, report, published, starts_ns, (idle, opened, done), traffic)


@dataclass(frozen=True, slots=True)
class _Counts:
    cpu_ns: int
    totals: Totals

    def since(self, earlier: "_Counts") -> Span:
        """What came in between."""
        now, then = self.totals, earlier.totals
        return Span(
            connections=now.connections - then.connections,
            bytes_up=now.up.bytes - then.up.bytes,
            bytes_down=now.down.bytes - then.down.bytes,
            segments_up=now.up.segments - then.up.segments,
            segments_down=now.down.segments - then.down.segments,
            server_cpu_us=(self.cpu_ns - earlier.cpu_ns) / 1000,
        )


def _order(workload: Workload, mode: str, target: str, channel: str) -> Order:
    return Order(
        mode=mode,
        target=target,
        channel=channel,
        clients=workload.clients,
        events=workload.events,
        seconds=workload.seconds,
        poll_interval=workload.poll_interval_seconds,
        wait=workload.wait_seconds,
        patience=PATIENCE + 2 * workload.poll_interval_seconds,
    )


async def _report(subscribers: Process, order: Order) -> dict[str, Any]:
    assert subscribers.stdout is not None
    text = bytearray()
    try:
        async with asyncio.timeout(order.patience + REPORT_TIMEOUT):
            while not text.endswith(b"\n") and (chunk := await subscribers.stdout.read(1 << 16)):
                text += chunk
        report: dict[str, Any] = json.loads(text)
    except (TimeoutError, ValueError):
        told = f"the subscribers of {order.mode} gave no report: see what they said above"
        raise CommandError(told, Exit.INTERNAL) from None
    return report


def _traffic(timeline: Sequence[tuple[float, int, int]], start: float, opened: Totals) -> tuple[Traffic, ...]:
    later = [
        Traffic(round(at - start, 3), up - opened.up.bytes, down - opened.down.bytes)
        for at, up, down in timeline
        if at > start
    ]
    return evenly([Traffic(0.0, 0, 0), *later], MOST_TRAFFIC)


def _seen(
    order: Order,
    report: dict[str, Any],
    published: Sequence[Published],
    starts_ns: int,
    counts: tuple[_Counts, _Counts, _Counts],
    traffic: tuple[Traffic, ...],
) -> Run:
    idle, opened, done = counts
    journals = [Journal(**fields) for fields in report["journals"]]
    first_handled = [dict(reversed(journal.arrivals)) for journal in journals]
    calls = [call for journal, first in zip(journals, report["opened"], strict=True) for call in journal.calls[first:]]
    lasting = sum(journal.pending_ns is not None for journal in journals)
    delivery = deliveries(range(order.events), ((number for number, _ in journal.arrivals) for journal in journals))
    if not delivery.delivered:
        told = f"in the mode {order.mode} no event arrived within {format_duration(order.patience)} of the last one"
        raise CommandError(told, Exit.INTERNAL)
    return Run(
        delivery=delivery,
        latencies_ms=tuple(
            (at - published[number].begun_ns) / 1e6 for handled in first_handled for number, at in handled.items()
        ),
        answers_ms=tuple((ended - begun) / 1e6 for begun, ended, _ in calls),
        calls=order.clients if order.mode == "stream" else len(calls) + lasting,
        empty_calls=sum(events == 0 for _, _, events in calls),
        span=done.since(opened),
        opening=opened.since(idle),
        published=order.events,
        client_wakeups=report["wakeups"],
        seconds=(report["ended_ns"] - starts_ns) / 1e9,
        traffic=traffic,
        way=way(order.mode, journals[0], published),
    )
