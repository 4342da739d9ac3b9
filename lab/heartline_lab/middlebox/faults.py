"""What the network between client and server does wrong. Pure: times are arguments, nothing is read or sent.

Rules:
- Faults are one value, replaced as a whole: a change that makes no sense changes nothing.
- `up` is from client to server, `down` from server to client. Latency and jitter hold for each way.
- A connection is idle while no byte arrives at the box on either of its sides. Bare acknowledgements and the probes of
  SO_KEEPALIVE do not show here: the box's own kernel answers them.
"""

from dataclasses import dataclass
from typing import Literal, TypedDict

_MOST = 1e15
"""More than any number of seconds or bytes here; infinity and what is no number fall out with it."""

Way = Literal["up", "down"]
BlackHole = Literal["", "up", "down", "both"]
IdleAction = Literal["silent", "rst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong at the moment; nothing, by default. Raises ValueError, as a sentence, for what cannot be."""

    latency: float = 0.0
    """Seconds that everything takes longer, each way."""
    jitter: float = 0.0
    """Up to so many seconds more, by chance. Bytes stay in order, as TCP keeps them."""
    bandwidth: float | None = None
    """Bytes a second, each way, which all connections share."""
    black_hole: BlackHole = ""
    """The way in which nothing arrives as long as this lasts."""
    idle_timeout: float | None = None
    """Seconds of silence after which a connection is dropped."""
    idle_action: IdleAction = "silent"
    """How it is dropped: both ends are told nothing, or both get a reset."""
    refuse: bool = False
    """Whether new connections are refused."""

    def __post_init__(self) -> None:
        for name, value in (("latency", self.latency), ("jitter", self.jitter)):
            if not (_is_number(value) and value >= 0):
                raise ValueError(f"{name} is a number of seconds from 0, not {value!r}")
        for name, limit, unit in (
            ("bandwidth", self.bandwidth, "bytes a second"),
            ("idle_timeout", self.idle_timeout, "seconds"),
        ):
            if limit is not None and not (_is_number(limit) and limit > 0):
                raise ValueError(f"{name} is a number of {unit} above 0, or None, not {limit!r}")
        if self.black_hole not in ("", "up", "down", "both"):
            raise ValueError(f"black_hole is up, down, both, or '' for none, not {self.black_hole!r}")
        if self.idle_action not in ("silent", "rst"):
            raise ValueError(f"idle_action is silent or rst, not {self.idle_action!r}")
        if not isinstance(self.refuse, bool):
            raise ValueError(f"refuse is true or false, not {self.refuse!r}")

    def swallows(self, way: Way) -> bool:
        """Whether nothing gets through that way."""
        return self.black_hole in (way, "both")

    def idle_at(self, active_at: float) -> float | None:
        """When a connection is dropped on which the last byte came at `active_at`; None for never."""
        return None if self.idle_timeout is None else active_at + self.idle_timeout


class Changes(TypedDict, total=False):
    """Some of the faults by name, as `Faults` has them."""

    latency: float
    jitter: float
    bandwidth: float | None
    black_hole: BlackHole
    idle_timeout: float | None
    idle_action: IdleAction
    refuse: bool


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST
