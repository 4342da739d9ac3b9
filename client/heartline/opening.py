"""`heartline.connect`: what the user asks for, and the real world around it."""

import random
import time
from collections.abc import Callable
from typing import Literal

from heartline.dialer import Settings, Surroundings
from heartline.events import LineState
from heartline.line import Line
from heartline.network import GrpcConnection
from heartline.status import Status


def connect(
    target: str,
    *,
    client_id: str = "",
    transport: Literal["auto", "stream", "poll"] = "auto",
    heartbeat_interval: float | None = None,
    heartbeat_timeout: float | None = None,
    status: str | Callable[[], str] = "",
    on_state: Callable[[LineState], None] | None = None,
    on_heartbeat: Callable[[float], None] | None = None,
) -> Line:
    """Opens a line to the server at `target`, such as "localhost:50051". Use it as an async context manager.

    Heartbeat settings are in seconds, None for the server's own. `status` is a short word on how this client is; a
    function is asked for it each time that it can be told, as with each heartbeat. `on_state` is called with each new
    state, `on_heartbeat` with each measured round-trip in seconds. Raises ValueError for an unknown transport or a
    target that is no address, RuntimeError outside of a running loop.
    """
    if not target or target.startswith(("http://", "https://")):
        raise ValueError(f'target must be HOST:PORT, such as "localhost:50051", not {target!r}')
    if transport not in ("auto", "stream", "poll"):
        raise ValueError(f'transport must be "auto", "stream" or "poll", not {transport!r}')
    settings = Settings(client_id, transport, heartbeat_interval, heartbeat_timeout, Status(status))
    # SystemRandom has no state that a fork could repeat: two processes must never make the same message ids.
    world = Surroundings(lambda: GrpcConnection(target), random.SystemRandom(), time.time)
    return Line(settings, world, on_state=on_state, on_heartbeat=on_heartbeat)
