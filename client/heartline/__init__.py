"""Heartline: channels and presence over gRPC, reached by short calls or by one stream that heartbeats.

    async with heartline.connect("localhost:50051", client_id="phone-7") as line:
        async for event in line.subscribe("orders"):
            ...

`connect` opens a `Line`; `heartline.errors` draws the tree of what is raised. State changes, gaps and dead peers are
logged to the logger "heartline".

Each name is imported on its first use: a command that is interrupted at once is then past this file, and ends cleanly.
"""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from heartline.errors import (
        ClosedError,
        Conflict,
        GapError,
        HeartlineError,
        InvalidRequest,
        NotFound,
        Refused,
        RequestError,
        ServerError,
        Unavailable,
    )
    from heartline.events import Event, Gap, GapReason, Lease, LineState, Position, Presence, Receipt, Start
    from heartline.line import Line
    from heartline.opening import connect
    from heartline.subscription import Subscription

__all__ = [
    "ClosedError",
    "Conflict",
    "Event",
    "Gap",
    "GapError",
    "GapReason",
    "HeartlineError",
    "InvalidRequest",
    "Lease",
    "Line",
    "LineState",
    "NotFound",
    "Position",
    "Presence",
    "Receipt",
    "Refused",
    "RequestError",
    "ServerError",
    "Start",
    "Subscription",
    "Unavailable",
    "connect",
]

_HOMES = ("errors", "events", "line", "opening", "subscription")


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return import_module(f"heartline.{name}")
    if name in __all__:
        for home in _HOMES:
            found = getattr(import_module(f"heartline.{home}"), name, None)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
