"""A node among those that share a store: that it is alive, and what has run out elsewhere.

Rules:
- A node that is not heard of for NODE_LEASE has lost its clients; they have their grace then.
- What was to be renewed is let run out only by a node that was connected all the time in which it had to be: a store
  that was away, or a node that was stopped, takes nobody with it.
- A node that the others gave up takes a new name, and holds its clients anew.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable

from heartline_service.clock import Clock
from heartline_service.presence.standing import LeaseOver, NodeGone
from heartline_service.stores.base import StoreError
from heartline_service.stores.shared import SharedStore

BEAT_INTERVAL = 1.0
"""Seconds between two beats."""
NODE_LEASE = 10.0
"""Seconds without a beat after which the grace of a node's clients begins."""
PAGE = 100
"""Clients of a node that is gone, in one go."""

log = logging.getLogger("heartline.service")


class Membership:
    """One node. `node` is its name; `joined` is called when that is a new one, `over` with what a client has lost.

    `followed` gets each session of this node that another one follows elsewhere, and whose it has to be.
    """

    def __init__(
        self,
        store: SharedStore,
        clock: Clock,
        joined: Callable[[], None],
        over: Callable[[str, LeaseOver | NodeGone], None],
        followed: Callable[[str, str], None],
    ) -> None:
        self.node = ""
        self._store = store
        self._clock = clock
        self._joined = joined
        self._over = over
        self._followed = followed
        self._ttl = NODE_LEASE
        self._connected_since: float | None = None
        self._heard_at = 0.0
        self._beats: asyncio.Task[None] | None = None

    async def begin(self, grace: float) -> None:
        """Joins. Raises StoreError."""
        self._ttl = NODE_LEASE + grace
        await self._join()
        self._beats = asyncio.get_running_loop().create_task(self._go_on())

    async def end(self, grace: float) -> None:
        """Leaves; in so many seconds the others let go of its clients."""
        if self._beats is None:
            return
        self._beats.cancel()
        await asyncio.wait([self._beats])
        try:
            await self._store.beat(self.node, grace)
        except StoreError as error:
            log.debug("the store did not learn that this node leaves: %s", error)

    async def _join(self) -> None:
        self.node = secrets.token_hex(8)
        await self._store.beat(self.node, self._ttl, join=True)
        self._joined()

    async def _go_on(self) -> None:
        while True:
            try:
                await self._beat()
            except StoreError as error:
                self._connected_since = None
                log.debug("a beat failed: %s", error)
            except Exception:
                log.exception("a beat failed")
            await asyncio.sleep(BEAT_INTERVAL)

    async def _beat(self) -> None:
        pulse = await self._store.beat(self.node, self._ttl)
        if not pulse.known:
            log.warning("the others took this node for gone: it takes a new name, and holds its clients anew")
            await self._join()
        for session_id, client_id in pulse.followed:
            self._followed(session_id, client_id)
        now, silence = self._store.time(), self._clock.now() - self._heard_at
        self._heard_at += silence
        if self._connected_since is None or silence > NODE_LEASE / 2:
            self._connected_since = now
        since = self._connected_since
        all_along = now - since >= self._ttl
        for client_id in pulse.due_leases:
            standing = await self._store.standing(client_id)
            if standing is not None and (all_along or since <= standing.leased_at):
                self._over(client_id, LeaseOver())
        for node in pulse.silent_nodes if all_along else ():
            held = await self._store.held_by(node, PAGE)
            for client_id in held:
                self._over(client_id, NodeGone(node))
            if not held:
                await self._store.forget_node(node)
