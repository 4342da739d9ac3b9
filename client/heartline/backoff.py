"""How long to wait before trying again: full-jitter exponential back-off.

Pure: randomness is an argument. With full jitter (uniform from 0 to the bound) the clients of a server that went away
come back spread over the whole bound instead of in waves. The base of 0.2 s makes the first retry of a single lost
connection feel immediate (0.1 s on average). The cap of 10 s keeps a server that is back from staying unnoticed (5 s
on average), while 10,000 waiting clients knock about 2,000 times a second.

What this promises when a server dies under n clients: no wave ever comes again that is higher than the first, and the
rate falls like 1/t, from about 6 n a second to n/5 a second. What it cannot promise: a low first rate, since no client
knows how many others there are (all first tries fall into the base); nor a most that a moment gets, since each draws
for itself (where 20 come in 0.1 s on average, one such moment in 40,000 gets over 40). A server that is still there
to ask does better: a drain gives every client a time of its own.
"""

from collections.abc import Callable

BASE = 0.2
"""The bound of the first wait, in seconds."""
CAP = 10.0
"""No wait is longer than this, in seconds."""


class Backoff:
    """Counts failures in a row. `random` gives a number from 0 to 1."""

    def __init__(self, random: Callable[[], float], base: float = BASE, cap: float = CAP) -> None:
        self._random = random
        self._base = base
        self._cap = cap
        self.failures = 0

    def next(self, at_least: float | None = None) -> float:
        """One more failure: how many seconds to wait, but no less than `at_least`, which a server may ask for."""
        bound = min(self._cap, self._base * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return max(at_least or 0.0, self._random() * bound)

    def reset(self) -> None:
        """It worked: the next failure is a first one again."""
        self.failures = 0
