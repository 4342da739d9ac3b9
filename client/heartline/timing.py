"""Heartbeat settings: their bounds, and which of them work together. Pure."""

from dataclasses import dataclass

MIN_DURATION = 0.1
"""The shortest heartbeat interval or timeout, in seconds."""
MAX_DURATION = 600.0
"""The longest heartbeat interval or timeout, in seconds."""
LARGEST_FRAME = 4 * 1024 * 1024
"""No frame is larger than this, in bytes: the receive limit of gRPC stubs that nobody configured."""
LINK_RATE = 20 * 1024 * 1024
"""Bytes a second that a link is taken to carry. A frame proves life only when all of it has come, so the two settings
must leave room for the largest one at this rate."""
EARLIEST_BEAT = 0.8
"""The smallest share of the interval after which an end beats."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The heartbeat settings in force, in seconds."""

    interval: float = 15.0
    timeout: float = 10.0

    def __post_init__(self) -> None:
        """Raises ValueError, naming the setting, when one is out of bounds or the two cannot work together."""
        for name in ("interval", "timeout"):
            if not MIN_DURATION <= getattr(self, name) <= MAX_DURATION:
                raise ValueError(f"heartbeat_{name} must be from 0.1 s to 10 minutes")
        if (EARLIEST_BEAT * self.interval + self.timeout) * LINK_RATE < LARGEST_FRAME:
            raise ValueError("0.8 x heartbeat_interval + heartbeat_timeout must leave 0.2 s for a frame of 4 MiB")
