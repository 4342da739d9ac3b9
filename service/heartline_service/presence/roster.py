"""Who is there: every client's presence, with the timers that end it and the store that keeps it.

Memory is ahead of the store by one commit at most, while the store works. A store that fails holds up nobody: changes
wait, the newest of each client only, and are stored when it heals.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from heartline_service import wire
from heartline_service.clock import Clock, Timer
from heartline_service.presence.presence import Cause, Change, Presence
from heartline_service.stores.base import NewMessage, PresenceRecord, Store, StoreError

RETRY_INTERVAL = 1.0
"""Seconds between tries to store presence while the store fails."""
LEASE_SLACK = 0.5
"""A stored lease ends this share of the ttl later than the one promised, so that a client that polls all the time costs
a write now and then, not one for each poll."""
LOAD_PAGE = 1000

log = logging.getLogger("heartline.service")


@dataclass(slots=True, eq=False)
class Entry:
    """A client that is online, or whose last change is not stored yet."""

    presence: Presence
    record: PresenceRecord
    timer: Timer | None = None
    timer_at: float = 0.0
    unsaved: int = 0
    leased_at: float | None = None
    """The end of the lease on the monotonic clock, and then in Unix time: worked out once, so that it never wobbles."""
    leased_until: float = 0.0


Unsaved = tuple[Entry, PresenceRecord, NewMessage | None]
"""A client, its record to be stored, and the change to be told with it, if any."""


class Roster:
    """Presence of all clients."""

    def __init__(self, store: Store, clock: Clock, default_ttl: float) -> None:
        self._store = store
        self._clock = clock
        self._default_ttl = default_ttl
        self._entries: dict[str, Entry] = {}
        self._unsaved: list[Unsaved] = []
        self._saver: asyncio.Task[None] | None = None
        self._failing = False
        self._closed = False

    async def restore(self, grace: float) -> None:
        """Takes over who was online when the server last stopped; nobody leaves before `grace` seconds are over."""
        after, now, wall = "", self._clock.now(), self._clock.wall()
        while page := await self._store.presences(after, LOAD_PAGE, online=True):
            for record in page:
                entry = self._entries[record.client_id] = Entry(Presence(), record)
                entry.presence.restore(now, grace, record.lease_until - wall)
                self._arm(entry)
            after = page[-1].client_id

    def session_opened(self, client_id: str, status: str, follows: str = "") -> None:
        """A session was opened. An anonymous one, of client "", has no presence; so with the other calls."""
        if client_id:
            entry = self._entry(client_id, status)
            self._note(entry, entry.presence.session_opened())

    def session_closed(self, client_id: str, cause: Cause, grace: float, *, check_out: bool = False) -> None:
        """A session is over; the client may return within the grace, in seconds."""
        if client_id and not self._closed:
            if check_out:
                self.check_out(client_id)
            entry = self._entry(client_id)
            self._note(entry, entry.presence.session_closed(self._clock.now(), cause, grace))

    def poll_began(self, client_id: str) -> Callable[[], None]:
        """A poll is pending. Call what comes back when it ends."""
        if not client_id:
            return _nothing
        entry = self._entry(client_id)
        begun, change = entry.presence.poll_began()
        self._note(entry, change)

        def ended() -> None:
            if self._entries.get(client_id) is entry and not self._closed:
                now, ttl = self._clock.now(), self._default_ttl
                self._leased(entry, ttl, entry.presence.poll_ended(begun, now, ttl))

        return ended

    def check_in(self, client_id: str, ttl: float, status: str) -> float:
        """The client is here for `ttl` seconds. Returns when its lease ends, in Unix time."""
        entry = self._entry(client_id, status)
        self._leased(entry, ttl, entry.presence.check_in(self._clock.now(), ttl))
        return self._lease_until(entry)

    def check_out(self, client_id: str) -> None:
        """The client is gone; its sessions stay."""
        entry = self._entry(client_id)
        change = entry.presence.check_out(self._clock.now())
        if entry.record.lease_until:
            entry.record = replace(entry.record, lease_until=0.0)
            if change is None:
                self._save(entry, None)
        self._note(entry, change)

    def note_status(self, client_id: str, status: str) -> None:
        """A heartbeat carried a word on how the client is. Shown at once; stored with its next change."""
        if client_id and status:
            self._entry(client_id, status)

    async def get(self, client_id: str) -> tuple[PresenceRecord, int] | None:
        """A client's presence and its count of live sessions; None if it was never seen. Raises StoreError."""
        known = self._known(client_id)
        if known is not None:
            return known
        record = await self._store.presence(client_id)
        return None if record is None else (record, 0)

    async def page(self, after: str, limit: int, online: bool | None) -> list[tuple[PresenceRecord, int]]:
        """Clients by client_id. Raises StoreError."""
        if self._saver is not None:
            # So that a caller sees what it did just before; bounded, because the store may be failing.
            await asyncio.wait([self._saver], timeout=RETRY_INTERVAL / 2)
        records = await self._store.presences(after, limit, online)
        return [self._known(record.client_id) or (record, 0) for record in records]

    async def close(self) -> None:
        """Stores what can be stored, and lets everything go as it is: a restart finds who was online."""
        self._closed = True
        for entry in self._entries.values():
            if entry.timer is not None:
                entry.timer.cancel()
        if self._saver is not None:
            _, late = await asyncio.wait([self._saver], timeout=RETRY_INTERVAL)
            for task in late:
                task.cancel()

    def _known(self, client_id: str) -> tuple[PresenceRecord, int] | None:
        entry = self._entries.get(client_id)
        if entry is None or not entry.record.changed_at:
            return None
        return replace(entry.record, lease_until=self._lease_until(entry)), entry.presence.sessions

    def _entry(self, client_id: str, status: str = "") -> Entry:
        entry = self._entries.get(client_id)
        if entry is None:
            record = PresenceRecord(client_id, False, "", 0.0, status, 0.0)
            entry = self._entries[client_id] = Entry(Presence(), record)
        elif status != entry.record.status and (status or not entry.presence.online):
            entry.record = replace(entry.record, status=status)
        return entry

    def _note(self, entry: Entry, change: Change | None) -> None:
        if change is not None:
            entry.record = replace(
                entry.record, online=change.online, reason=change.cause.name, changed_at=self._clock.wall()
            )
            self._save(entry, wire.presence_message(entry.record.client_id, change, entry.record.status))
        self._arm(entry)

    def _leased(self, entry: Entry, ttl: float, change: Change | None) -> None:
        until = self._lease_until(entry)
        outgrown = until > entry.record.lease_until
        if outgrown:
            entry.record = replace(entry.record, lease_until=until + ttl * LEASE_SLACK)
        if change is None and outgrown:
            self._save(entry, None)
        self._note(entry, change)

    def _lease_until(self, entry: Entry) -> float:
        until = entry.presence.lease_until
        if until != entry.leased_at:
            entry.leased_at = until
            entry.leased_until = 0.0 if until is None else self._clock.wall() + until - self._clock.now()
        return entry.leased_until

    def _arm(self, entry: Entry) -> None:
        due = entry.presence.deadline()
        if due is None:
            self._forget_if_done(entry)
        elif entry.timer is None or due < entry.timer_at:
            if entry.timer is not None:
                entry.timer.cancel()
            entry.timer_at = due
            entry.timer = self._clock.call_at(due, lambda: self._tick(entry))

    def _tick(self, entry: Entry) -> None:
        entry.timer = None
        if not self._closed:
            self._note(entry, entry.presence.tick(max(entry.timer_at, self._clock.now())))

    def _forget_if_done(self, entry: Entry) -> None:
        client_id = entry.record.client_id
        if not entry.presence.online and not entry.unsaved and self._entries.get(client_id) is entry:
            if entry.timer is not None:
                entry.timer.cancel()
            del self._entries[client_id]

    def _save(self, entry: Entry, event: NewMessage | None) -> None:
        entry.unsaved += 1
        self._unsaved.append((entry, entry.record, event))
        if self._saver is None:
            self._saver = asyncio.get_running_loop().create_task(self._save_all())

    async def _save_all(self) -> None:
        try:
            while self._unsaved:
                batch, self._unsaved = self._unsaved, []
                now = self._clock.wall()
                saved = await asyncio.gather(
                    *(self._store.save_presence(record, event, now) for _, record, event in batch),
                    return_exceptions=True,
                )
                failed: dict[str, Unsaved] = {}
                for one, result in zip(batch, saved, strict=True):
                    one[0].unsaved -= 1
                    if isinstance(result, Exception) and not isinstance(result, StoreError):
                        log.error("presence of %r could not be stored", one[1].client_id, exc_info=result)
                    elif isinstance(result, StoreError) or one[1].client_id in failed:
                        _put_off(failed, one, told=result is None)
                if failed:
                    await self._try_later(failed)
                elif self._failing:
                    log.info("presence is stored again")
                self._failing = bool(failed)
                for entry, _, _ in batch:
                    self._forget_if_done(entry)
        finally:
            self._saver = None

    async def _try_later(self, failed: dict[str, Unsaved]) -> None:
        if not self._failing:
            log.warning("the store fails: presence is kept in memory, and stored when it can be")
        for one in self._unsaved:
            _put_off(failed, one, told=False)
        self._unsaved = list(failed.values())
        for entry, _, _ in self._unsaved:
            entry.unsaved = 1
        await asyncio.sleep(RETRY_INTERVAL)


def _put_off(left: dict[str, Unsaved], one: Unsaved, *, told: bool) -> None:
    """Adds what is to be stored later: a client's newest record, with its last change if that was not told."""
    entry, record, event = one
    if told and event is not None:
        del left[record.client_id]
    else:
        earlier = left.get(record.client_id)
        left[record.client_id] = (entry, record, event or (earlier[2] if earlier else None))


def _nothing() -> None:
    pass
