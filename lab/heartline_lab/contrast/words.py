"""How the advice and the tables name amounts. Pure."""

from heartline_lab.drawing.units import number


def many(count: float, thing: str) -> str:
    """So many of a thing, such as 1 client, 2.5 events."""
    return f"{number(count)} {thing}" + ("" if count == 1 else "s")


def rounded(value: float) -> float:
    """To two digits that count: more would say more than was measured."""
    return float(f"{value:.2g}")


def cores(busy: float) -> str:
    """How much of a processor is kept busy."""
    return f"{number(rounded(busy))} cores" if busy >= 1 else f"{number(rounded(busy * 100))}% of a core"
