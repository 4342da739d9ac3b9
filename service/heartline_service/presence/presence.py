"""One client's presence: who is there, since when, and why not any more. Pure.

A client is online while something holds it: a live session, a pending poll, a lease that has not run out, or the short
grace after a connection was lost. First in and last out are what counts. All times are seconds on one monotonic clock.
"""

import enum
from dataclasses import dataclass


class Cause(enum.Enum):
    """Why presence changed. The names are those of PresenceReason without its prefix; the values are for people."""

    CONNECTED = "connected"
    CHECKED_IN = "checked in"
    POLLED = "polled"
    GOODBYE = "said goodbye"
    CHECKED_OUT = "checked out"
    HEARTBEAT_TIMEOUT = "answered no heartbeat"
    CONNECTION_LOST = "lost its connection"
    LEASE_EXPIRED = "let its lease run out"
    ENDED_BY_OPERATOR = "was ended by an operator"
    SERVER_RESTARTED = "did not return after the server stopped"


@dataclass(frozen=True, slots=True)
class Change:
    """The client came or went."""

    online: bool
    cause: Cause


class Presence:
    """What holds one client. Every method returns the change that it made, if any."""

    __slots__ = ("_generation", "_grace_cause", "_grace_until", "_polls", "lease_until", "online", "sessions")

    def __init__(self) -> None:
        self.online = False
        self.sessions = 0
        self.lease_until: float | None = None
        self._polls = 0
        self._generation = 0
        self._grace_until: float | None = None
        self._grace_cause = Cause.CONNECTION_LOST

    def restore(self, now: float, grace: float, lease_left: float) -> None:
        """The server started again and finds this client online: a grace, so that nobody who returns flickers."""
        self.online = True
        self._grace_until, self._grace_cause = now + grace, Cause.SERVER_RESTARTED
        if lease_left > 0:
            self.lease_until = now + lease_left

    def session_opened(self) -> Change | None:
        """A session was opened."""
        self.sessions += 1
        self._grace_until = None
        return self._came(Cause.CONNECTED)

    def session_closed(self, now: float, cause: Cause, grace: float) -> Change | None:
        """A session is over. With a grace, in seconds, the client may return before anyone is told."""
        self.sessions -= 1
        if grace > 0 and not self.sessions:
            self._grace_until, self._grace_cause = now + grace, cause
        return self._settle(now, cause)

    def poll_began(self) -> tuple[int, Change | None]:
        """A poll that names the client is pending. Hand the number to `poll_ended`."""
        self._polls += 1
        return self._generation, self._came(Cause.POLLED)

    def poll_ended(self, begun: int, now: float, ttl: float) -> Change | None:
        """The poll was answered: the lease is extended, unless the client checked out since the poll began."""
        if begun != self._generation:
            return None
        self._polls -= 1
        self._extend(now + ttl)
        return self._settle(now, Cause.LEASE_EXPIRED)

    def check_in(self, now: float, ttl: float) -> Change | None:
        """The client says that it is here, for `ttl` seconds. A lease is never shortened."""
        self._extend(now + ttl)
        return self._came(Cause.CHECKED_IN)

    def check_out(self, now: float, cause: Cause = Cause.CHECKED_OUT) -> Change | None:
        """The client says that it is gone. Nothing begun earlier renews its lease."""
        self._generation += 1
        self._polls = 0
        self.lease_until = self._grace_until = None
        return self._settle(now, cause)

    def deadline(self) -> float | None:
        """When to call `tick`; None while nothing that runs out holds the client."""
        if not self.online or self.sessions or self._polls:
            return None
        return max(self.lease_until or 0.0, self._grace_until or 0.0)

    def tick(self, now: float) -> Change | None:
        """Time has passed."""
        lease_last = (self.lease_until or 0.0) >= (self._grace_until or 0.0)
        return self._settle(now, Cause.LEASE_EXPIRED if lease_last else self._grace_cause)

    def _extend(self, until: float) -> None:
        self.lease_until = max(self.lease_until or until, until)
        # It did return, even when the grace outlasts the lease.
        self._grace_cause = Cause.LEASE_EXPIRED

    def _came(self, cause: Cause) -> Change | None:
        if self.online:
            return None
        self.online = True
        return Change(True, cause)

    def _settle(self, now: float, cause: Cause) -> Change | None:
        if self.lease_until is not None and self.lease_until <= now:
            self.lease_until = None
        if self._grace_until is not None and self._grace_until <= now:
            self._grace_until = None
        held = self.sessions or self._polls or self.lease_until is not None or self._grace_until is not None
        if held or not self.online:
            return None
        self.online = False
        return Change(False, cause)
