"""How people and other processes tell a middlebox what to do: words such as `latency 50ms`, and orders as JSON. Pure.

Rules:
- An order is read as a whole before anything is done: words that make no sense change nothing.
- Words, flags, Python and JSON come to the same `Order`; whatever has a middlebox's methods can follow it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol, Unpack, cast, get_args

from heartline.durations import format_duration, parse_duration

from heartline_lab.middlebox.faults import Changes, Faults

Deed = Literal["change", "heal", "forget", "fin", "rst", "pull", "drop", "show", "help"]

HELP = """\
latency TIME             all takes TIME longer, each way, and a new connection its handshake too
jitter TIME              up to TIME more, by chance; bytes stay in order
bandwidth RATE           bytes a second (500, 100k, 2M), each way, for all connections together
black-hole up|down|both  nothing gets through to the server, to the client, or both, until it ends
idle-timeout TIME [rst]  without a byte for TIME, a connection is dropped in silence, or reset
refuse                   new connections are refused
                         each of these ends with `off`, such as `latency off`
forget                   the connections of now are dropped in silence, for good
fin, rst                 the connections of now end on both sides, with a FIN or a reset
heal                     all faults end; what was dropped stays dropped
show                     totals and faults"""

CABLE_HELP = """\
pull               the cable is out: the server's link is down, and the client's has no carrier
drop up|down|both  packets to the server, to the client, or both, are lost, and nobody is told
forget             the connections of now are lost, both ways; new ones work
heal               all is well again
show               what is wrong"""
"""With --namespace."""

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kMG]?)")
_SCALE = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to do."""

    deed: Deed
    changes: Changes = field(default_factory=Changes)
    """With the deed "change": which faults."""
    way: Literal["", "up", "down", "both"] = ""
    """With the deed "drop": which packets."""


class Switch(Protocol):
    """What can follow orders."""

    def change(self, **changes: Unpack[Changes]) -> None:
        """Changes faults."""

    def heal(self) -> None:
        """Takes all faults away."""

    def forget(self) -> None:
        """Drops connections in silence."""

    def cut(self, how: Literal["fin", "rst"]) -> None:
        """Ends connections."""


def follow(order: Order, switch: Switch) -> None:
    """Does what the order says. Raises ValueError, and then nothing was done."""
    if order.deed == "change":
        switch.change(**order.changes)
    elif order.deed == "heal":
        switch.heal()
    elif order.deed == "forget":
        switch.forget()
    elif order.deed == "fin" or order.deed == "rst":
        switch.cut(order.deed)
    elif order.deed == "pull" or order.deed == "drop":
        raise ValueError(f"`{order.deed}` is for a cable: start it with --namespace")


def parse(words: Sequence[str]) -> Order:
    """The order that the words stand for. Raises ValueError, as a sentence."""
    name, rest = (words[0], list(words[1:])) if words else ("show", [])
    if name == "drop":
        if rest not in (["up"], ["down"], ["both"]):
            raise ValueError("write `drop up|down|both`")
        return Order("drop", way=cast(Literal["up", "down", "both"], rest[0]))
    if name in get_args(Deed) and name != "change":
        if rest:
            raise ValueError(f"`{name}` stands alone, without {' '.join(rest)!r}")
        return Order(cast(Deed, name))
    if name not in _CHANGES:
        raise ValueError(f"{name!r} is not one of its words: {', '.join([*_CHANGES, *get_args(Deed)[1:]])}")
    changes = _CHANGES[name](rest)
    replace(Faults(), **changes)
    return Order("change", changes)


def rate(text: str) -> float:
    """Bytes a second, from 500, 100k, 2M. Raises ValueError, as a sentence."""
    match = _RATE.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise ValueError(f"{text!r} is not a bandwidth: write bytes a second, such as 500, 100k, 2M")
    return float(match[1]) * _SCALE[match[2]]


def described(faults: Faults) -> str:
    """The faults in the words that make them, or "no faults"."""
    words = []
    if faults.latency:
        words.append(f"latency {format_duration(faults.latency)}")
    if faults.jitter:
        words.append(f"jitter {format_duration(faults.jitter)}")
    if faults.bandwidth is not None:
        scale = next(name for name in "GMk" if faults.bandwidth >= _SCALE[name]) if faults.bandwidth >= 1000 else ""
        words.append(f"bandwidth {faults.bandwidth / _SCALE[scale]:.4g}{scale}")
    if faults.black_hole:
        words.append(f"black-hole {faults.black_hole}")
    if faults.idle_timeout is not None:
        how = " rst" if faults.idle_action == "rst" else ""
        words.append(f"idle-timeout {format_duration(faults.idle_timeout)}{how}")
    if faults.refuse:
        words.append("refuse")
    return ", ".join(words) or "no faults"


def to_json(order: Order) -> str:
    """The order in one line."""
    return json.dumps(asdict(order))


def from_json(line: str | bytes) -> Order:
    """The order in such a line. Raises ValueError."""
    try:
        fields: Any = json.loads(line)
    except RecursionError:
        raise ValueError("this is nested too deep for an order") from None
    if not isinstance(fields, dict) or fields.get("deed") not in get_args(Deed):
        raise ValueError(f"an order is an object whose deed is one of {', '.join(get_args(Deed))}")
    changes = fields.get("changes", {})
    if not isinstance(changes, dict) or not changes.keys() <= Changes.__annotations__.keys():
        raise ValueError(f"changes is an object with some of {', '.join(Changes.__annotations__)}")
    way = fields.get("way", "")
    if way not in (("up", "down", "both") if fields["deed"] == "drop" else ("",)):
        raise ValueError("way is up, down or both, and goes with the deed drop alone")
    return Order(fields["deed"], cast(Changes, changes), way)


def _time(name: Literal["latency", "jitter"], rest: list[str]) -> Changes:
    seconds = 0.0 if rest == ["off"] else parse_duration(_only(name, rest, "TIME"))
    return {"latency": seconds} if name == "latency" else {"jitter": seconds}


def _bandwidth(rest: list[str]) -> Changes:
    return {"bandwidth": None if rest == ["off"] else rate(_only("bandwidth", rest, "RATE"))}


def _black_hole(rest: list[str]) -> Changes:
    if rest == ["off"]:
        return {"black_hole": ""}
    way = _only("black-hole", rest, "up|down|both")
    if way not in ("up", "down", "both"):
        raise ValueError(f"a black-hole is up, down, both or off, not {way!r}")
    return {"black_hole": cast(Literal["up", "down", "both"], way)}


def _idle(rest: list[str]) -> Changes:
    if rest == ["off"]:
        return {"idle_timeout": None}
    action: Literal["silent", "rst"] = "silent"
    if rest[1:] in (["rst"], ["silent"]):
        action = cast(Literal["silent", "rst"], rest.pop())
    return {"idle_timeout": parse_duration(_only("idle-timeout", rest, "TIME [rst]")), "idle_action": action}


def _refuse(rest: list[str]) -> Changes:
    if rest not in ([], ["off"]):
        raise ValueError("write `refuse` or `refuse off`")
    return {"refuse": not rest}


def _only(name: str, rest: list[str], what: str) -> str:
    if len(rest) != 1:
        raise ValueError(f"write `{name} {what}` or `{name} off`")
    return rest[0]


_CHANGES = {
    "latency": lambda rest: _time("latency", rest),
    "jitter": lambda rest: _time("jitter", rest),
    "bandwidth": _bandwidth,
    "black-hole": _black_hole,
    "idle-timeout": _idle,
    "refuse": _refuse,
}
