"""When each of many clients is asked to come back: evenly, so that no moment gets much more than its share. Pure."""

from collections.abc import Callable


def spread(count: int, period: float, random: Callable[[], float]) -> list[float]:
    """So many waits, in seconds from 0 to `period`, in order; `random` gives numbers from 0 to 1.

    Each has a place of its own, and chance only within it: in any window there is at most its share and two more, where
    waits drawn freely would crowd now and then.
    """
    place = period / max(1, count)
    return [(number + random()) * place for number in range(count)]
