"""Reads channels over a live line until Ctrl-C, and tells how the line is: its states, its heartbeats.

Rules:
- Events and gaps go to stdout, the line's own news to stderr.
- However it ends, the session says goodbye.
- It ends when nobody reads stdout any more, also while no event comes.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Literal

import heartline
from heartline.cli.exits import Exit, NoServer
from heartline.cli.forms import gap_fields, gap_line, here_and_now, instant, moment
from heartline.cli.output import Output, bold, dim, green, plain, red, yellow
from heartline.cli.reading import Reading
from heartline.cli.running import run
from heartline.durations import format_duration
from heartline.errors import GapError
from heartline.events import Event, LineState

_MARKS = {"online": green("●"), "polling": green("◐"), "closed": dim("○")}


@dataclass(frozen=True, slots=True)
class Wish:
    """How the line should be. Lengths of time are seconds; None leaves them to the server."""

    server: str
    timeout: float
    client_id: str = ""
    transport: Literal["auto", "stream", "poll"] = "auto"
    heartbeat_interval: float | None = None
    heartbeat_timeout: float | None = None
    quiet: bool = False


class News:
    """Tells how the line is, unless nobody wants to know, and knows whether it was ever up."""

    def __init__(self, out: Output, quiet: bool) -> None:
        self._out = out
        self._quiet = quiet
        self._waited = False
        self.up = asyncio.Event()

    def state(self, state: LineState) -> None:
        """The line is in another state."""
        if state.name in ("online", "polling"):
            self.up.set()
        expected = state.name == "connecting" and self._waited
        self._waited = state.name == "waiting"
        if expected and not self._out.as_json:
            return  # people were told when the wait began
        mark = _MARKS.get(state.name, yellow("○"))
        # If closing has a reason worth telling, it is the error that ends the command.
        why = "" if state.name == "closed" else f"  {dim(plain(state.reason))}"
        self._tell({"type": "state", "state": state.name, "reason": state.reason}, f"{mark} {bold(state.name)}{why}")

    def heartbeat(self, round_trip: float) -> None:
        """A heartbeat was answered after so many seconds."""
        self._tell(
            {"type": "heartbeat", "round_trip_seconds": round(round_trip, 6)},
            f"{red('♥')} {dim(format_duration(round_trip))}",
        )

    def _tell(self, fields: dict[str, object], words: str) -> None:
        if self._quiet:
            return
        now = here_and_now()
        try:
            self._out.news({**fields, "time": instant(now)}, f"{dim(moment(now, now))}  {words}")
        except BrokenPipeError:
            self._quiet = True


def follow(readings: Sequence[Reading], show: Callable[[Event], bool], wish: Wish, out: Output) -> int:
    """Shows each event until `show` says that it was the last, and returns an exit code. Raises HeartlineError."""
    logging.getLogger("heartline").addHandler(logging.NullHandler())  # what the library logs is told here anyway
    run(_follow(readings, show, wish, out))
    return Exit.OK


async def _follow(readings: Sequence[Reading], show: Callable[[Event], bool], wish: Wish, out: Output) -> None:
    news = News(out, wish.quiet)
    line = heartline.connect(
        wish.server,
        client_id=wish.client_id,
        transport=wish.transport,
        heartbeat_interval=wish.heartbeat_interval,
        heartbeat_timeout=wish.heartbeat_timeout,
        on_state=news.state,
        on_heartbeat=news.heartbeat,
    )
    enough = asyncio.Event()

    async def read(reading: Reading) -> None:
        subscription = line.subscribe(reading.channel, start=reading.start, after=reading.after)
        while True:
            try:
                async for event in subscription:
                    if enough.is_set():
                        return
                    if show(event):
                        # The loop goes on to ask for the next event: this one then counts as handled.
                        enough.set()
                return
            except GapError as gap:
                out.result(gap_fields(gap), gap_line(gap, here_and_now()))

    async with line:
        news.state(LineState("connecting", f"to {wish.server}"))
        work = [read(reading) for reading in readings]
        await _first_of(*work, enough.wait(), _must_come_up(news.up, wish), _reader_gone(out))


async def _must_come_up(up: asyncio.Event, wish: Wish) -> None:
    try:
        async with asyncio.timeout(wish.timeout):
            await up.wait()
    except TimeoutError:
        raise NoServer(f"no server answers at {wish.server}") from None
    await asyncio.Event().wait()


async def _reader_gone(out: Output) -> None:
    gone = asyncio.Event()
    fd = out.pipe()
    if fd is not None:
        asyncio.get_running_loop().add_reader(fd, gone.set)
    await gone.wait()
    raise BrokenPipeError


async def _first_of(*work: Coroutine[None, None, object]) -> None:
    tasks = [asyncio.ensure_future(part) for part in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
