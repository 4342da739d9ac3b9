"""Keeps a line carried, whatever happens: opens sessions, waits, moves over, falls back to polling, and returns.

Rules:
- At most one thing carries the subscriptions at a time: a Feed on a stream, or Polling. `carrier` is that thing.
- A successor is open before its predecessor is let go; then the cursors move over in one step, so nothing is lost or
  repeated. That is so for a drain and for the return from polling.
- Only Heartline's own word that this line can never be ends `run`. Everything else is waited out.
"""

import asyncio
import logging
from typing import Any

from heartline.backoff import Backoff
from heartline.choice import OLD_AGE, Choice, Happened, State
from heartline.dialer import GOODBYE_TIMEOUT, Dialer, Settings, Surroundings
from heartline.ending import Ending, How
from heartline.errors import HeartlineError
from heartline.feed import Feed
from heartline.polling import Polling
from heartline.requests import Requests
from heartline.state import Reporter
from heartline.stream import Stream
from heartline.subscription import Subscription

STEADY = 10.0
"""A session that lived for this many seconds proves that the server is well: the next back-off begins at its base."""
_BEFORE_THE_WELCOME = {How.REFUSED: Happened.REFUSED, How.SWALLOWED: Happened.SWALLOWED}
log = logging.getLogger("heartline")


class Supervisor:
    """Runs one line, and reports its states and round-trips."""

    def __init__(
        self,
        settings: Settings,
        world: Surroundings,
        requests: Requests,
        subscriptions: dict[str, Subscription],
        report: Reporter,
    ) -> None:
        self.carrier: Feed | Polling | None = None
        self.stream: Stream | None = None
        self._settings = settings
        self._chance = world.chance.random
        self._dialer = Dialer(settings, world, report.beat)
        self._requests = requests
        self._subscriptions = subscriptions
        self._report = report
        self._choice = Choice()
        self._backoff = Backoff(self._chance)
        self._last_session = ""
        self._why = "the line is new"
        self._polling: asyncio.Task[None] | None = None
        self._leaving = False

    async def run(self) -> None:
        """Keeps the line carried until cancelled. Raises HeartlineError when this line can never be."""
        try:
            while not self._leaving:
                stream = await (self._poll() if self._polls else self._connect())
                while stream is not None:
                    stream = await self._ride(stream)
        finally:
            await self._dialer.close()

    async def leave(self) -> None:
        """Tells the server what was handled, and that this client is gone. `run` is still to be cancelled after it.

        Raises HeartlineError, TimeoutError.
        """
        self._leaving = True
        if isinstance(self.carrier, Feed) and self.stream is not None:
            self.carrier.flush()
            await self._dialer.say_goodbye(self.stream, check_out=True)
        elif isinstance(self.carrier, Polling) and self._polling is not None:
            polling = self.carrier
            self._polling.cancel()
            await asyncio.wait({self._polling})
            async with asyncio.timeout(GOODBYE_TIMEOUT):
                await polling.leave()

    @property
    def _polls(self) -> bool:
        transport = self._settings.transport
        return transport == "poll" or (transport == "auto" and self._choice.state is State.POLLING)

    async def _connect(self) -> Stream | None:
        self._report.enter("connecting", self._why)
        stream = await self._dialer.open(self._last_session)
        if stream.live:
            self._note(Happened.WELCOMED)
            return stream
        await self._ended(stream)
        return None

    async def _ride(self, stream: Stream) -> Stream | None:
        """Lets a stream carry the line until it ends; returns its open successor if it has one."""
        self._last_session = stream.session_id
        feed = Feed(stream, self._subscriptions, Backoff(self._chance).next)
        self.carrier, self.stream = feed, stream
        try:
            waited: set[asyncio.Future[Any]] = {stream.ended, feed.ready}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if stream.live:
                self._report.enter("online", f"session {stream.session_id} with {stream.server_name}")
            waited = {stream.ended, stream.draining}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            successor = None if stream.ended.done() else await self._move(stream)
        finally:
            feed.detach()
            self.carrier = self.stream = None
        if successor is None:
            await self._ended(stream)
        else:
            log.info("moved to another session, as the server asked")
            self._dialer.move_away(stream)
        return successor

    async def _move(self, stream: Stream) -> Stream | None:
        """The server asks to move: opens a session elsewhere while the old one lives."""
        delay = stream.draining.result()
        while True:
            await asyncio.wait({stream.ended}, timeout=delay)
            if stream.ended.done():
                return None
            successor = await self._dialer.open(replaces="")
            if successor.live:
                return successor
            delay = self._backoff.next(successor.ended.result().retry_after)

    async def _poll(self) -> Stream | None:
        """Lets polling carry the line until it fails, or until a stream is open again: returns that."""
        settings = self._settings
        self._report.enter("connecting", self._why)
        polling = Polling(
            self._requests,
            self._subscriptions,
            client_id=settings.client_id,
            status=settings.status,
            backoff=Backoff(self._chance),
            on_answer=self._polled,
        )
        self.carrier = polling
        run = self._polling = asyncio.create_task(polling.run())
        try:
            stream = await self._probe(run)
            if stream is not None:
                return stream
        finally:
            self.carrier = None
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        if not self._leaving:
            await self._unreached(run)
        return None

    async def _probe(self, run: asyncio.Task[None]) -> Stream | None:
        if self._settings.transport == "poll":
            await asyncio.wait({run})
        while not run.done():
            await asyncio.wait({run}, timeout=self._choice.probe_after)
            if run.done():
                break
            self._note(Happened.PROBE_DUE)
            stream = await self._dialer.open(self._last_session, until=[run])
            if stream.live:
                self._note(Happened.WELCOMED)
                return stream
            if not run.done():
                self._judge(stream.ended.result())
        return None

    async def _unreached(self, run: asyncio.Task[None]) -> None:
        error = run.exception()
        assert isinstance(error, HeartlineError)
        if error.reason and not error.retry:
            raise error
        self._note(Happened.UNREACHED)
        await self._wait(str(error), error.retry_after)

    async def _ended(self, stream: Stream) -> None:
        """A stream is over, and nothing carries the line: what now?"""
        await self._dialer.hang_up(stream)
        ending = stream.ended.result()
        if ending.how is How.DEAD:
            log.warning("%s; the connection is given up", ending.why)
        if ending.lived is not None and ending.lived >= STEADY:
            self._backoff.reset()
        if self._leaving:
            return
        self._judge(ending)
        self._why = ending.why
        if not self._polls:
            await self._wait(ending.why, ending.retry_after)

    def _judge(self, ending: Ending) -> None:
        if ending.how is How.FATAL and ending.error is not None:
            raise ending.error
        if ending.how is How.TOLD or (ending.lived or 0.0) >= OLD_AGE:
            self._note(Happened.LEFT)
        elif ending.lived is None:
            self._note(_BEFORE_THE_WELCOME.get(ending.how, Happened.FAILED))
        else:
            self._note(Happened.FAILED)

    def _note(self, what: Happened) -> None:
        if self._settings.transport == "auto":
            self._choice.note(what)

    async def _wait(self, why: str, at_least: float | None) -> None:
        delay = self._backoff.next(at_least)
        self._why = why
        self._report.enter("waiting", f"{why}; next attempt in {delay:.1f} s")
        await asyncio.sleep(delay)

    def _polled(self) -> None:
        self._backoff.reset()
        asked = self._settings.transport == "poll"
        self._report.enter("polling", "as asked" if asked else f"no stream can be held: {self._why}")
