"""What every detector is set to: the same patience, so that the table compares them and not their settings. Pure."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """After `interval` seconds of silence a detector asks, and `timeout` seconds later it gives up."""

    interval: float
    timeout: float

    @property
    def whole(self) -> float:
        """Seconds within which a silent peer is to be noticed."""
        return self.interval + self.timeout

    @property
    def keepalive_idle(self) -> int:
        """TCP_KEEPIDLE, in whole seconds, as the kernel takes it."""
        return max(1, math.ceil(self.interval))

    @property
    def keepalive_interval(self) -> int:
        """TCP_KEEPINTVL, in seconds."""
        return 1

    @property
    def keepalive_probes(self) -> int:
        """TCP_KEEPCNT: as many probes as fill the timeout."""
        return max(1, math.ceil(self.timeout))
