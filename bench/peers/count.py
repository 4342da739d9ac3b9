"""Counts delivered events in bytes as sockets bring them. Pure.

Rules: an event counts when its mark, the end of a payload that occurs nowhere else, has come whole. So one counter does
for every protocol that sends a payload in one piece, and costs the load the same for each server. HTTP/2 alone may cut
a payload in two, and wants answers: its frames are looked into.
"""

from typing import Protocol

from bench.http2 import DATA, answer, frames


class Reader(Protocol):
    """What reads one connection."""

    owed: bytes
    """What the protocol says must be sent back; whoever sends it takes it away."""

    def look_for(self, mark: bytes) -> None:
        """Counts this mark from now on."""

    def feed(self, data: bytes) -> int:
        """How many marks became whole with these bytes."""


class Marks:
    """Counts a mark in a row of bytes, however it is cut."""

    owed = b""

    def __init__(self, mark: bytes = b"") -> None:
        self.look_for(mark)

    def look_for(self, mark: bytes) -> None:
        """Counts this mark from now on; it has two bytes at least, and does not overlap itself."""
        self._mark = mark
        self._kept = len(mark) - 1
        self._end = b""

    def feed(self, data: bytes) -> int:
        """How many marks became whole with these bytes."""
        # What is kept is one byte too short for a mark, so none counts twice.
        seen = self._end + data
        self._end = seen[-self._kept :]
        return seen.count(self._mark)


class MarksInData(Marks):
    """Counts a mark in what the DATA frames of HTTP/2 carry, however they are cut."""

    _rest = b""

    def feed(self, data: bytes) -> int:
        """How many marks became whole with these bytes."""
        whole, self._rest = frames(self._rest + data)
        found = 0
        for kind, flags, _, body in whole:
            if kind == DATA:
                found += Marks.feed(self, body)
            else:
                self.owed += answer(kind, flags, body)
        return found
