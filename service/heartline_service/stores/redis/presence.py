"""Presence in Redis: records, standings that nodes change by compare-and-set, and the nodes themselves.

Everything is in the slot of "$presence", so a change and its event are one step.
"""

import asyncio
import json
from typing import Any

from heartline_service.retention import PRESENCE_CHANNEL
from heartline_service.stores.base import NewMessage, PresenceRecord, StoreUnavailable
from heartline_service.stores.redis.follow import Follower
from heartline_service.stores.redis.keys import PREFIX
from heartline_service.stores.redis.lanes import Lanes
from heartline_service.stores.redis.logs import Logs
from heartline_service.stores.redis.presence_scripts import BEAT, STANDING, TELL
from heartline_service.stores.shared import Pulse, Standing

_TAG = f"{PREFIX}{{{PRESENCE_CHANNEL}}}:"
RECORDS, ONLINE, OFFLINE, LEASES, NODES = (
    f"{_TAG}{name}" for name in ("records", "clients:online", "clients:offline", "leases", "nodes")
)
ANYTHING = b"*"
TOLD_SECONDS = 60
"""For so long what a node was told waits for its beat."""


class RedisPresence:
    """Presence, and the nodes that hold it."""

    def __init__(self, lanes: Lanes, logs: Logs) -> None:
        self._lanes = lanes
        self._logs = logs

    async def standing(self, client_id: str) -> Standing | None:
        """See SharedStore."""
        found = await self._lanes.ask("HGET", RECORDS, client_id)
        return _read(client_id, found or b"")

    async def standings(self, after: str, limit: int, online: bool | None) -> list[Standing]:
        """See SharedStore."""
        lists = [key for key, which in ((ONLINE, True), (OFFLINE, False)) if online in (None, which)]
        start = f"({after}" if after else "-"
        pages = await asyncio.gather(
            *(self._lanes.ask("ZRANGE", key, start, "+", "BYLEX", "LIMIT", 0, limit, reading=True) for key in lists)
        )
        names = sorted({name for page in pages for name in page})[:limit]
        if not names:
            return []
        found = await self._lanes.ask("HMGET", RECORDS, *names, reading=True)
        read = [_read(name.decode(), one or b"") for name, one in zip(names, found, strict=True)]
        return [one for one in read if one is not None and online in (None, one.record.online)]

    async def change(
        self,
        follower: Follower,
        old: Standing | None,
        new: Standing,
        event: NewMessage | None,
        now: float,
        *,
        whatever: bool = False,
    ) -> tuple[bool, Standing | None]:
        """As SharedStore.change_standing. With `whatever`, it does not matter what stands there."""
        messages, known = [] if event is None else [event], follower.known(PRESENCE_CHANNEL)
        keys, arguments = self._logs.step(PRESENCE_CHANNEL, messages, now, known)
        before = {} if old is None else old.holders
        joined = [node for node in new.holders if node not in before]
        left = [node for node in before if node not in new.holders]
        record, written = new.record, _written(new)
        keys[3:3] = [RECORDS, ONLINE, OFFLINE, LEASES, NODES]
        keys += map(_clients_of, (*joined, *left))
        expected = ANYTHING if whatever else b"" if old is None else old.token
        arguments[7:7] = [
            *(record.client_id, expected, written, int(record.online), record.lease_until if record.online else 0),
            *(len(joined), len(left), *joined),
        ]
        answer = await self._logs.born(PRESENCE_CHANNEL, STANDING, keys, arguments)
        if answer[1] == b"changed":
            return False, _read(record.client_id, answer[2])
        if answer[1] == b"stranger":
            raise StoreUnavailable("the other nodes took this one for gone; it joins them again")
        if messages:
            done = self._logs.appended(answer, messages, now, known)
            if done.news is not None:
                await follower.appended(PRESENCE_CHANNEL, done.news)
            if not done.listed:
                await self._logs.enlist(PRESENCE_CHANNEL)
        return True, _read(record.client_id, written)

    async def beat(self, node: str, ttl: float, join: bool) -> Pulse:
        """See SharedStore."""
        answer = await self._lanes.run(BEAT, [NODES, LEASES, _told(node)], node, ttl, int(join))
        silent, due, told = ([one.decode() for one in part] for part in answer[1:])
        followed = [(session_id, client_id) for session_id, _, client_id in (one.partition("\n") for one in told)]
        return Pulse(bool(answer[0]), silent, due, followed)

    async def follow(self, node: str, session_id: str, client_id: str) -> None:
        """See SharedStore."""
        await self._lanes.run(TELL, [_told(node)], f"{session_id}\n{client_id}", TOLD_SECONDS)

    async def held_by(self, node: str, limit: int) -> list[str]:
        """See SharedStore."""
        return [name.decode() for name in await self._lanes.ask("SRANDMEMBER", _clients_of(node), limit)]

    async def forget_node(self, node: str) -> None:
        """See SharedStore."""
        await self._lanes.ask("ZREM", NODES, node)


def _clients_of(node: str) -> str:
    return f"{_TAG}node:{node}"


def _told(node: str) -> str:
    return f"{_TAG}node:{node}:told"


def _written(standing: Standing) -> bytes:
    one = standing.record
    parts: list[Any] = [one.online, one.reason, one.changed_at, one.status, one.lease_until]
    return json.dumps([*parts, standing.leased_at, dict(standing.holders), standing.check_outs]).encode()


def _read(client_id: str, written: bytes) -> Standing | None:
    if not written:
        return None
    online, reason, changed_at, status, lease, leased_at, holders, check_outs = json.loads(written)
    record = PresenceRecord(client_id, online, reason, changed_at, status, lease)
    return Standing(record, leased_at, holders, check_outs, written)
