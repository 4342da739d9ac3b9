"""Decides what callers ask for, over one state: channels, presence, live sessions.

It knows no transport: servicers translate for it, sessions talk to it, stores keep what it decided.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable

from heartline.v1 import events_pb2

from heartline_service import checks, wire
from heartline_service.clock import Clock
from heartline_service.faults import Fault
from heartline_service.presence.presence import Cause
from heartline_service.presence.roster import Roster
from heartline_service.presence.shared_roster import SharedRoster
from heartline_service.reading import polls
from heartline_service.reading.channels import Channels, Piece
from heartline_service.reading.cursor import begin, check_ack
from heartline_service.sessions.live import LiveSession
from heartline_service.settings import Settings
from heartline_service.spreading import spread
from heartline_service.stores.base import Acked, NewMessage, PresenceRecord, Receipt, Store, StoreError
from heartline_service.stores.shared import SharedStore

TRIM_INTERVAL = 10.0
"""Seconds between two rounds of retention by age."""

log = logging.getLogger("heartline.service")


class Hub:
    """The state, and what may be done to it. `random` gives a number from 0 to 1."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, random: Callable[[], float]) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self.channels = Channels(store)
        self.roster: Roster | SharedRoster = (
            SharedRoster(store, clock, checks.DEFAULT_TTL, self._followed_elsewhere)
            if isinstance(store, SharedStore)
            else Roster(store, clock, checks.DEFAULT_TTL)
        )
        self.sessions: dict[str, LiveSession] = {}
        self.pending_polls = 0
        self.ready = False
        self.draining = False
        self._poll_stops: set[Callable[[], None]] = set()
        self._random = random
        self._trimmer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Opens the store, and takes over who was online. Raises StoreError."""
        await self.store.open(self.channels.changed)
        await self.roster.restore(self.settings.grace)
        self._trimmer = asyncio.get_running_loop().create_task(self._trim())
        self.ready = True

    async def stop(self) -> None:
        """Lets go of the store, with everything in it."""
        if self._trimmer is not None:
            self._trimmer.cancel()
        await self.roster.close()
        await self.store.close()

    # Channels.

    async def publish(self, channel: str, messages: list[NewMessage]) -> list[Receipt]:
        """Appends messages; when this returns they are durable. Raises StoreError."""
        return await self.store.append(channel, messages, self.clock.wall())

    async def poll(
        self, client_id: str, wishes: list[checks.Wish], max_events: int, wait: float | None
    ) -> tuple[list[Piece], bool]:
        """Reads once; with `wait`, in seconds, as soon as there is something. Also tells whether more is waiting."""
        ended = self.roster.poll_began(client_id)
        self.pending_polls += 1
        try:
            cursors = [await begin(self.channels, self.store, client_id, wish) for wish in wishes]
            if wait and not self.draining and not any(cursor.behind() for cursor in cursors):
                await polls.wait(cursors, self.clock, wait, self._poll_stops)
            pieces = await polls.read(cursors, max_events)
            return pieces, any(cursor.behind() for cursor in cursors)
        finally:
            self.pending_polls -= 1
            ended()

    async def ack(self, client_id: str, positions: list[events_pb2.Position]) -> list[Acked]:
        """Moves a client's stored cursors, and returns where they are. Raises Fault, StoreError."""
        acks = []
        for index, position in enumerate(positions):
            channel = await self.channels.get(position.channel)
            await self.channels.hear_of(channel, position.epoch, position.offset)
            head = channel.head
            check_ack(head, position, index)
            acks.append(Acked(position.channel, head.epoch, position.offset))
        return await self.store.ack(client_id, acks)

    # Presence.

    async def check_in(self, client_id: str, ttl: float, status: str) -> tuple[float, bool]:
        """Sets a lease. Returns its end, in Unix time, and whether events wait behind the client's acks."""
        until = self.roster.check_in(client_id, ttl, status)
        for acked in (await self.store.acked(client_id)).values():
            head = (await self.channels.get(acked.channel)).head
            if acked.epoch != head.epoch or acked.offset < head.latest:
                return until, True
        return until, False

    async def presence(self, client_id: str) -> tuple[PresenceRecord, int]:
        """A client's presence and its count of sessions. Raises Fault, StoreError."""
        found = await self.roster.get(client_id)
        if found is None:
            raise Fault("CLIENT_NOT_FOUND", f"no client {client_id!r} was ever seen", "client_id")
        return found

    # Sessions.

    def refuse_when_away(self) -> None:
        """Raises Fault when the server is not ready yet, or about to stop."""
        if not self.ready:
            raise Fault("STARTING", "the server is about to be ready; try again")
        if self.draining:
            raise Fault("DRAINING", "the server is about to stop; go to another, or try again")

    def replaced(self, session_id: str, client_id: str) -> LiveSession | None:
        """The session that a new one follows, if it is still live. Raises Fault when it is another client's."""
        session = self.sessions.get(session_id)
        if session is not None and session.client_id != client_id:
            raise Fault("SESSION_OF_ANOTHER_CLIENT", "only a client's own session can be replaced", "replaces")
        return session

    def session_opened(self, session: LiveSession, status: str, follows: str = "") -> None:
        """A session's hello was accepted; it `follows` one that is not here."""
        self.sessions[session.id] = session
        self.roster.session_opened(session.client_id, status, follows)

    def session_replaced(self, session: LiveSession) -> None:
        """Another session of the client follows this one: it ends."""
        session.finish(Cause.CONNECTION_LOST, last=wire.goodbye("REPLACED", retry=False), why="has a successor")

    def session_over(self, session: LiveSession, cause: Cause, grace: float, check_out: bool) -> None:
        """An open session has ended."""
        del self.sessions[session.id]
        self.roster.session_closed(session.client_id, cause, grace, check_out=check_out)

    def end_session(self, session_id: str) -> None:
        """An operator ends a session. Raises Fault."""
        session = self.sessions.get(session_id)
        if session is None:
            raise Fault("SESSION_NOT_FOUND", f"no session {session_id!r} is live here", "session_id")
        session.finish(Cause.ENDED_BY_OPERATOR, last=wire.goodbye("ENDED_BY_OPERATOR", retry=False))

    async def drain(self) -> None:
        """Asks all sessions to go elsewhere, evenly over half the drain timeout; ends those that are left after it."""
        self.draining = True
        for stop in tuple(self._poll_stops):
            stop()
        now, patience = self.clock.now(), self.settings.drain_timeout
        for session, after in self._spread(self.sessions.values()):
            session.drain(after)
        while self.sessions and (left := now + patience - self.clock.now()) > 0:
            await asyncio.wait([session.ended for session in self.sessions.values()], timeout=left)
        ending = list(self.sessions.values())
        for session, after in self._spread(ending):
            last = wire.goodbye("SHUTDOWN", retry=True, after=after)
            grace = after + self.settings.grace
            session.finish(session.gone, grace=grace, last=last, why="the server stops")
        if ending:
            await asyncio.wait([session.ended for session in ending])

    def _followed_elsewhere(self, session_id: str, client_id: str) -> None:
        session = self.sessions.get(session_id)
        if session is not None and session.client_id == client_id:
            self.session_replaced(session)

    def _spread(self, sessions: Collection[LiveSession]) -> Iterable[tuple[LiveSession, float]]:
        return zip(sessions, spread(len(sessions), self.settings.drain_timeout / 2, self._random), strict=True)

    async def _trim(self) -> None:
        while True:
            try:
                await self.store.trim(self.clock.wall())
            except StoreError as error:
                log.warning("retention has to wait: %s", error)
            await asyncio.sleep(TRIM_INTERVAL)
