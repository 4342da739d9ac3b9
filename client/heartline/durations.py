"""Lengths of time as people write them: 500ms, 15s, 5m, 2h, 7d, or plain seconds. Pure."""

import re

LONGEST = 315_576_000_000.0
"""What google.protobuf.Duration can hold, in seconds."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)?")


def parse_duration(text: str) -> float:
    """The seconds that `text` stands for. Raises ValueError, in words for the person who wrote it."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write 500ms, 15s, 5m, 2h, 7d, or plain seconds")
    seconds = float(match[1]) * _UNITS[match[2] or "s"]
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is too long: more than 10,000 years")
    return seconds


def format_duration(seconds: float) -> str:
    """A short form with at most two units, such as 0.6ms, 480ms, 2.5s, 15s, 5m, 1h20m, 3d4h."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 0.01:
        return _trim(f"{seconds * 1000:.1f}") + "ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 9.95:
        return _trim(f"{seconds:.1f}") + "s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return _pair(whole, 60, "m", 1, "s")
    if whole < 86400:
        return _pair(whole, 3600, "h", 60, "m")
    return _pair(whole, 86400, "d", 3600, "h")


def _pair(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = whole % large // small
    return f"{whole // large}{large_name}" + (f"{rest}{small_name}" if rest else "")


def _trim(number: str) -> str:
    return number.removesuffix(".0")
