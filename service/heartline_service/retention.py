"""How long a channel's events are kept: by count and by age, chosen by the channel's name. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

PRESENCE_CHANNEL = "$presence"
"""The reserved channel on which each change of presence is an event."""


@dataclass(frozen=True, slots=True)
class Retention:
    """At most `max_events` events, none older than `max_age` seconds."""

    max_events: int = 100_000
    max_age: float = 7 * 86400.0


Retain = Callable[[str], Retention]
"""Tells a channel's retention."""


def by_pattern(rules: list[tuple[str, Retention]]) -> Retain:
    """The first rule whose shell-style pattern ("orders.*") matches the channel decides; no match: the default."""
    default = Retention()

    def retain(channel: str) -> Retention:
        return next((kept for pattern, kept in rules if fnmatchcase(channel, pattern)), default)

    return retain
