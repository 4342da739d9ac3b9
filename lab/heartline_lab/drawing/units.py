"""How figures read on plots and pages: at most three digits that count, with the unit that keeps them short. Pure."""


def span(seconds: float) -> str:
    """A length of time, such as 850 µs, 1.9 ms, 12.4 s."""
    if abs(seconds) < 0.0009995:
        return f"{number(seconds * 1e6)} µs"
    if abs(seconds) < 0.9995:
        return f"{number(seconds * 1000)} ms"
    return f"{number(seconds)} s"


def size(count: float) -> str:
    """A number of bytes, such as 90 B, 9 kB, 1.25 MB."""
    for limit, scale, unit in ((999.5, 1, "B"), (999.5e3, 1e3, "kB"), (999.5e6, 1e6, "MB")):
        if abs(count) < limit:
            return f"{number(count / scale)} {unit}"
    return f"{number(count / 1e9)} GB"


def number(value: float) -> str:
    """A number: whole ones as they are, others with three digits that count."""
    if value == round(value) or abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}"
