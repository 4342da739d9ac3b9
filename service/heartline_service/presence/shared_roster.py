"""Who is there, where several nodes share a store: what happens here is told to it, and what ended elsewhere is ended.

Rules:
- The store decides, by compare-and-set; this node knows only its own sessions. So a change is known when it is stored.
- What happens to one client is stored in its order, one after the other. A store that fails holds up nobody: it is
  given later what comes to the same.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from heartline_service import wire
from heartline_service.clock import Clock, Timer
from heartline_service.presence.membership import Membership
from heartline_service.presence.presence import Cause, Presence
from heartline_service.presence.standing import Act, CheckOut, Hold, Lease, LeaseOver, NodeGone, Seen, act, together
from heartline_service.stores.base import PresenceRecord, StoreError
from heartline_service.stores.shared import SharedStore, Standing

RETRY_INTERVAL = 1.0
"""Seconds between tries to store presence while the store fails."""
SLACK = 1.5
"""A poll's lease lasts for this many ttls, so that a client that polls all the time costs a write now and then."""
PATIENCE = 0.5
"""Seconds that who asks waits for what is about to be stored."""

log = logging.getLogger("heartline.service")


@dataclass(slots=True, eq=False)
class Entry:
    """A client of which something is here: sessions, a grace, polls, or what is not stored yet."""

    client_id: str
    presence: Presence = field(default_factory=Presence)
    """Of its sessions here alone."""
    status: str = ""
    polls: int = 0
    standing: Standing | None = None
    """As it was stored last, as far as is known here."""
    acts: list[Act] = field(default_factory=list)
    storing: asyncio.Task[None] | None = None
    timer: Timer | None = None


class SharedRoster:
    """Presence of all clients, as far as this node has to do with it."""

    def __init__(
        self, store: SharedStore, clock: Clock, default_ttl: float, followed: Callable[[str, str], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._default_ttl = default_ttl
        self._entries: dict[str, Entry] = {}
        self._membership = Membership(store, clock, self._joined, self._over, followed)
        self._failing = self._closed = False

    async def restore(self, grace: float) -> None:
        """Takes part from now on. Raises StoreError."""
        await self._membership.begin(grace)

    def session_opened(self, client_id: str, status: str, follows: str = "") -> None:
        """A session was opened. An anonymous one, of client "", has no presence; so with the other calls.

        Whatever nodes hold the client are told which session it `follows`, as far as that is not here.
        """
        if client_id:
            entry = self._entry(client_id, status)
            entry.presence.session_opened()
            self._do(entry, Hold(entry.presence.sessions, Cause.CONNECTED, follows))

    def session_closed(self, client_id: str, cause: Cause, grace: float, *, check_out: bool = False) -> None:
        """A session is over; the client may return within the grace, in seconds."""
        if not client_id or self._closed:
            return
        entry = self._entry(client_id)
        if check_out:
            self._do(entry, CheckOut())
        change = entry.presence.session_closed(self._clock.now(), cause, grace)
        self._do(entry, Hold(None if change else entry.presence.sessions, cause))
        self._arm(entry)

    def poll_began(self, client_id: str) -> Callable[[], None]:
        """A poll is pending. Call what comes back when it ends."""
        if not client_id:
            return _nothing
        entry, seen = self._entry(client_id), Seen()
        entry.polls += 1
        ttl, pending = self._default_ttl, True
        renewal: Timer | None = None

        def extend() -> None:
            if not self._closed:
                now = self._store.time()
                self._do(entry, Lease(now + ttl * SLACK, now + ttl, Cause.POLLED, seen))

        def renew() -> None:
            nonlocal renewal
            # Its timer may have fired a moment before the poll ended.
            if pending:
                extend()
                renewal = self._clock.call_at(self._clock.now() + ttl / 2, renew)

        def ended() -> None:
            nonlocal pending
            pending = False
            if renewal is not None:
                renewal.cancel()
            entry.polls -= 1
            extend()

        renew()
        return ended

    def check_in(self, client_id: str, ttl: float, status: str) -> float:
        """The client is here for `ttl` seconds. Returns when its lease ends, in Unix time."""
        until = self._store.time() + ttl
        self._do(self._entry(client_id, status), Lease(until, until, Cause.CHECKED_IN))
        return until

    def check_out(self, client_id: str) -> None:
        """The client is gone; its sessions stay."""
        entry = self._entry(client_id)
        returning = entry.presence.online and not entry.presence.sessions
        entry.presence.check_out(self._clock.now())
        self._do(entry, CheckOut())
        if returning:
            self._do(entry, Hold(None, Cause.CHECKED_OUT))

    def note_status(self, client_id: str, status: str) -> None:
        """A heartbeat carried a word on how the client is. Shown here at once; stored with its next change."""
        if client_id and status:
            self._entry(client_id, status)

    async def get(self, client_id: str) -> tuple[PresenceRecord, int] | None:
        """A client's presence and its count of live sessions; None if it was never seen. Raises StoreError."""
        entry = self._entries.get(client_id)
        if entry is not None and entry.storing is not None:
            await asyncio.wait([entry.storing], timeout=PATIENCE)
        standing = await self._store.standing(client_id)
        return None if standing is None else self._shown(standing)

    async def page(self, after: str, limit: int, online: bool | None) -> list[tuple[PresenceRecord, int]]:
        """Clients by client_id. Raises StoreError."""
        storing = [entry.storing for entry in self._entries.values() if entry.storing is not None]
        if storing:
            await asyncio.wait(storing, timeout=PATIENCE)
        return [self._shown(standing) for standing in await self._store.standings(after, limit, online)]

    async def close(self) -> None:
        """Stores what can be stored, and leaves; who may still return has that long at the other nodes."""
        self._closed = True
        storing = [entry.storing for entry in self._entries.values() if entry.storing is not None]
        late: set[asyncio.Task[None]] = set()
        if storing:
            _, late = await asyncio.wait(storing, timeout=RETRY_INTERVAL)
        for task in late:
            task.cancel()
        now = self._clock.now()
        waiting = [entry.presence.deadline() or now for entry in self._entries.values() if entry.presence.online]
        for entry in self._entries.values():
            if entry.timer is not None:
                entry.timer.cancel()
        await self._membership.end(max([0.0, *(due - now for due in waiting)]))

    def _entry(self, client_id: str, status: str = "") -> Entry:
        entry = self._entries.get(client_id)
        if entry is None:
            entry = self._entries[client_id] = Entry(client_id)
        entry.status = status or entry.status
        return entry

    def _shown(self, standing: Standing) -> tuple[PresenceRecord, int]:
        record, entry = standing.record, self._entries.get(standing.record.client_id)
        if entry is not None and entry.status and entry.presence.online:
            record = replace(record, status=entry.status)
        return record, sum(standing.holders.values())

    def _arm(self, entry: Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
        due = entry.presence.deadline()
        if due is not None:
            entry.timer = self._clock.call_at(due, lambda: self._tick(entry, due))

    def _tick(self, entry: Entry, due: float) -> None:
        entry.timer = None
        if self._closed:
            return
        change = entry.presence.tick(max(due, self._clock.now()))
        if change is not None:
            self._do(entry, Hold(None, change.cause))
        self._arm(entry)

    def _do(self, entry: Entry, what: Act) -> None:
        entry.acts.append(what)
        if entry.storing is None:
            entry.storing = asyncio.get_running_loop().create_task(self._store_all(entry))

    async def _store_all(self, entry: Entry) -> None:
        try:
            while entry.acts:
                try:
                    await self._store_one(entry, entry.acts[0])
                    del entry.acts[0]
                    if self._failing:
                        log.info("presence is stored again")
                    self._failing = False
                except StoreError as error:
                    if not self._failing:
                        log.warning("presence is stored when the store takes it again: %s", error)
                    self._failing = True
                    await asyncio.sleep(RETRY_INTERVAL)
                    entry.acts = together(entry.acts)
                except Exception:
                    log.exception("a defect: presence of %r could not be stored", entry.client_id)
                    del entry.acts[0]
        finally:
            entry.storing = None
            if not (entry.presence.online or entry.polls or entry.acts):
                self._entries.pop(entry.client_id, None)

    async def _store_one(self, entry: Entry, what: Act) -> None:
        sure = False
        while True:
            new, change = act(
                entry.standing, what, entry.client_id, self._membership.node, entry.status, self._store.time()
            )
            if new == entry.standing:
                if sure:
                    break
                # So it seems from here. Another node may have changed it meanwhile.
                entry.standing, sure = await self._store.standing(entry.client_id), True
                continue
            event = wire.presence_message(entry.client_id, change, new.record.status) if change else None
            done, entry.standing = await self._store.change_standing(entry.standing, new, event)
            if done:
                break
            sure = True
        if isinstance(what, Hold) and what.follows:
            for node in new.holders.keys() - {self._membership.node}:
                await self._store.follow(node, what.follows, entry.client_id)
        if isinstance(what, Lease) and what.seen is not None and what.seen.check_outs is None:
            what.seen.check_outs = new.check_outs

    def _joined(self) -> None:
        for entry in list(self._entries.values()):
            if entry.presence.online:
                self._do(entry, Hold(entry.presence.sessions, Cause.CONNECTED))

    def _over(self, client_id: str, what: LeaseOver | NodeGone) -> None:
        self._do(self._entry(client_id), what)


def _nothing() -> None:
    pass
