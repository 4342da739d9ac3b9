"""A client's presence where several nodes hold it: what each thing that happens at one of them makes of it. Pure.

A client is online while a node holds it (by sessions, or by the grace after one was lost), or while its lease lasts.
Leases belong to the client, not to the node where it checked in. Nothing here knows which node runs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from heartline_service.presence.presence import Cause, Change
from heartline_service.stores.base import PresenceRecord
from heartline_service.stores.shared import Standing


@dataclass(slots=True)
class Seen:
    """A poll, or what else is not renewed when its client has checked out since. `check_outs` is known once stored."""

    check_outs: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A node has so many sessions of the client now; 0: it may return; None: the node lets go of it."""

    sessions: int | None
    cause: Cause
    follows: str = ""
    """A session that the newest one here follows, and that another node may have."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The client is here until then; what it has already is left alone when it lasts until `enough`."""

    until: float
    enough: float
    cause: Cause
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class CheckOut:
    """The client says that it is gone."""


@dataclass(frozen=True, slots=True)
class LeaseOver:
    """A lease may have ended."""


@dataclass(frozen=True, slots=True)
class NodeGone:
    """A node has ceased to beat."""

    node: str


Act = Hold | Lease | CheckOut | LeaseOver | NodeGone


def act(
    old: Standing | None, what: Act, client_id: str, node: str, status: str, now: float
) -> tuple[Standing, Change | None]:
    """What the client's standing is after something happened at a node, and whether it came or went by that."""
    standing = old or Standing(PresenceRecord(client_id, False, "", 0.0, status, 0.0))
    record, holders = standing.record, dict(standing.holders)
    cause, leased_at, check_outs = Cause.LEASE_EXPIRED, standing.leased_at, standing.check_outs
    lease = record.lease_until
    if isinstance(what, Hold):
        cause = what.cause
        holders.pop(node, None)
        if what.sessions is not None:
            holders[node] = what.sessions
    elif isinstance(what, Lease):
        cause = what.cause
        begun_since = what.seen is None or what.seen.check_outs in (None, check_outs)
        if begun_since and lease < what.enough:
            lease, leased_at = max(lease, what.until), now
    elif isinstance(what, CheckOut):
        cause, lease, check_outs = Cause.CHECKED_OUT, 0.0, check_outs + 1
        holders = {name: sessions for name, sessions in holders.items() if sessions}
    elif isinstance(what, NodeGone):
        cause = Cause.SERVER_RESTARTED
        holders.pop(what.node, None)
    if lease <= now:
        lease = 0.0
    online = bool(holders) or lease > 0
    change = None if online == record.online else Change(online, cause)
    record = replace(record, lease_until=lease)
    if change is not None:
        record = replace(record, online=online, reason=cause.name, changed_at=now, status=status or record.status)
    return Standing(record, leased_at, holders, check_outs, standing.token), change


def together(acts: Sequence[Act]) -> list[Act]:
    """What comes to the same in the end, in few steps: for a store that could not take them one by one."""
    last_out = max((at for at, one in enumerate(acts) if isinstance(one, CheckOut)), default=-1)
    holds = [one for one in acts if isinstance(one, Hold)]
    leases = [one for one in acts[last_out + 1 :] if isinstance(one, Lease)]
    return [
        *([CheckOut()] if last_out >= 0 else []),
        *holds[-1:],
        *([max(leases, key=lambda one: one.until)] if leases else []),
        *(one for one in acts if isinstance(one, NodeGone)),
    ]
