"""What a contrast brings forth, and its JSON form: docs/contrast.md describes each field. Pure.

Rules:
- A field here is a field of the JSON, under the same name. Names carry their unit; what has none is a count.
- A figure is of one run of the workload: the median of the repeats, with the lowest and highest in `spread`. Loss must
  not hide behind a median, so `delivered`, `lost` and `duplicated` are of the repeat that did worst.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from heartline_lab.contrast.records import record
from heartline_lab.drawing.ladder.steps import Step

SCHEMA = "heartline.contrast/1"
MODES = ("short", "kept", "long-poll", "stream")


@dataclass(frozen=True, slots=True)
class Workload:
    """What was measured."""

    clients: int
    rate: float
    """Events a second; each goes to every client."""
    seconds: float
    payload: int
    """Bytes of data in an event."""
    poll_interval_seconds: float
    """How often a client polls in the modes `short` and `kept`."""
    repeats: int
    wait_seconds: float = 10.0
    """How long a long poll waits."""
    heartbeat_interval_seconds: float = 1.0
    heartbeat_timeout_seconds: float = 1.0
    """With the interval: the promise on which presence is compared. Check-in leases last as long as both together."""

    @property
    def events(self) -> int:
        """How many events are published in a run."""
        return max(1, round(self.rate * self.seconds))


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of latencies, in milliseconds."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Opening:
    """What it took to be ready, before the first event: for all clients together."""

    connections: int
    bytes_up: int
    bytes_down: int
    segments_up: int
    segments_down: int
    server_cpu_ms: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many bytes had gone each way, so many seconds after the run began."""

    at_seconds: float
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True, slots=True)
class ModeResult:
    """One way to get events, measured."""

    mode: str
    delivered: int
    lost: int
    duplicated: int
    latency_ms: Percentiles
    """From the publish call's begin to the handler."""
    calls: int
    empty_calls: int
    connections: int
    """TCP connections opened, those that were opened before the first event included."""
    bytes_up: int
    """From the clients to the server."""
    bytes_down: int
    segments_up: int
    segments_down: int
    server_cpu_us_per_event: float
    """Per delivered event, without what publishing costs."""
    client_wakeups: int
    online_after_vanishing_seconds: float
    """How long a client that vanished still counted as online."""
    run_seconds: float
    """How long the run lasted, from the first moment an event could come until the last had arrived."""
    opening: Opening
    spread: Mapping[str, tuple[float, float]]
    """The lowest and highest repeat of each figure above; those inside another are named as `latency_ms.p50` is."""
    latency_samples_ms: tuple[float, ...]
    """Of all repeats, sorted; when there are many, as many of them as a plot needs, evenly picked."""
    traffic: tuple[Traffic, ...]
    """Bytes over time in the last repeat."""
    way: tuple[Step, ...]
    """How one event came to one client, since its publish: that one of the last repeat whose latency was the median."""


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One mode at one setting."""

    mode: str
    value: float
    latency_ms: Percentiles
    server_cpu_us_per_client_second: float
    """The server's CPU for one client and second, without what publishing costs."""
    bytes_per_client_second: float
    """Both ways together."""
    calls_per_client_second: float
    empty_share: float
    """Of the calls, from 0 to 1."""
    lost: int
    duplicated: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """What happens when one setting changes and the rest of the workload stays."""

    setting: str
    """`poll_interval_seconds` or `rate`."""
    points: tuple[SweepPoint, ...]


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The event rate at which pushing costs as much as another mode: below it pushing is cheaper, above it dearer."""

    mode: str
    measure: str
    """`server_cpu` or `bytes`."""
    rate: float | None
    """Events a second, interpolated between measurements; None when the lines do not cross where it was measured."""
    text: str
    """In plain words."""


@dataclass(frozen=True, slots=True)
class ModeCosts:
    """What one mode's calls and events cost by these measurements: advice for other numbers is computed from it."""

    mode: str
    cpu_us_per_call: float
    """The server's, for a poll that brings nothing; 0 for a stream."""
    cpu_us_per_event: float
    """The server's, for each event that an answer brings, or that is pushed."""
    bytes_per_call: float
    """Both ways, as all bytes here."""
    bytes_per_event: float
    answer_ms: Percentiles
    """Of polls at intervals: how long a call took. Of the others: how long an event took."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What one mode would cost for the numbers that were asked about."""

    mode: str
    poll_interval_seconds: float | None
    """None where nothing is polled at intervals, and where no interval is short enough."""
    fresh: bool
    """Whether it keeps what was asked for."""
    staleness_seconds: float
    """Up to this old is what a client knows: an interval and an answer, or a push."""
    server_cores: float
    """How many cores the server keeps busy."""
    bytes_per_second: float
    calls_per_second: float


@dataclass(frozen=True, slots=True)
class Advice:
    """Which mode to take for so many clients, such a rate of events and such freshness, and why."""

    clients: int
    rate: float
    fresh_within_seconds: float
    mode: str
    poll_interval_seconds: float | None
    choices: tuple[Choice, ...]
    text: tuple[str, ...]
    """In plain words, a sentence or two each."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A whole result."""

    workload: Workload
    modes: tuple[ModeResult, ...]
    publish_cpu_us_per_event: float
    """What one Publish costs the server; taken off each mode's CPU time."""
    advice: Advice
    machine: Mapping[str, str]
    """What matters to speed: never a name, never a path."""
    sweeps: tuple[Sweep, ...] = ()
    break_even: tuple[BreakEven, ...] = ()
    costs: tuple[ModeCosts, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, in plain words."""
    schema: str = field(default=SCHEMA)


def to_json(contrast: Contrast) -> str:
    """The result as JSON."""
    return json.dumps(dataclasses.asdict(contrast), indent=2, ensure_ascii=False) + "\n"


def from_json(text: str) -> Contrast:
    """The result that `to_json` wrote. Raises ValueError when it is none, or of another schema."""
    raw = json.loads(text)
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if schema != SCHEMA:
        raise ValueError(f"this is no result of `heartline contrast`: its schema is {schema!r}, not {SCHEMA!r}")
    try:
        return record(Contrast, raw)
    except (KeyError, TypeError) as error:
        raise ValueError(f"this result of `heartline contrast` is damaged: {error}") from None
