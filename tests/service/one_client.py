"""One client's presence, and the few words that its tests need."""

from heartline_service.presence.presence import Cause, Change, Presence

NOW = 1000.0
GRACE = 5.0
TTL = 60.0
FOREVER = 1e9


def online(cause: Cause) -> Change:
    return Change(True, cause)


def offline(cause: Cause) -> Change:
    return Change(False, cause)


def with_sessions(count: int) -> Presence:
    """A client with so many live sessions."""
    client = Presence()
    for _ in range(count):
        client.session_opened()
    return client


def with_lease(until: float) -> Presence:
    """A client that checked in at NOW."""
    client = Presence()
    client.check_in(NOW, until - NOW)
    return client
