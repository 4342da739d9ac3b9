"""What a store that several nodes hold at once offers beyond base.py: above all presence that they agree on. Pure.

Rules:
- A client's standing is changed by compare-and-set, so that nodes that change it at once do not undo each other.
- A node takes part under the name of its incarnation, for as long as it beats. One that was given up takes a new one.
- `head` asks the store, and tells by `on_change` what this node had not heard of, before it returns.
- All instants are the store's time: clocks of nodes may be wrong, and must not matter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

from heartline_service.stores.base import NewMessage, PresenceRecord, Store


@dataclass(frozen=True, slots=True)
class Standing:
    """A client's presence, and what it rests on."""

    record: PresenceRecord
    leased_at: float = 0.0
    """When its lease was last extended."""
    holders: Mapping[str, int] = field(default_factory=dict)
    """How many of its sessions each node has; 0 for one where it may still return."""
    check_outs: int = 0
    """How often it checked out."""
    token: bytes = field(default=b"", compare=False)
    """The store's own: what this was read from."""


class Pulse(NamedTuple):
    """What a node learns by a beat. `known`: it is still taken for alive."""

    known: bool
    silent_nodes: list[str]
    """Nodes that ceased to beat."""
    due_leases: list[str]
    """Clients whose leases have ended."""
    followed: list[tuple[str, str]]
    """Sessions of this node that others follow elsewhere, since the last beat: the session, and whose it has to be."""


@runtime_checkable
class SharedStore(Store, Protocol):
    """A store that several nodes hold at once."""

    def watch(self, told: Callable[[bool], None]) -> None:
        """From `open` on, tells when the store goes away (False) and when it is back (True)."""

    def forget(self, channel: str) -> None:
        """Nobody here reads a channel any more: `on_change` need not tell of it until its head is asked for again."""

    def time(self) -> float:
        """The store's time, as far as this node knows it."""

    async def standing(self, client_id: str) -> Standing | None:
        """A client's standing, None if it was never seen."""

    async def standings(self, after: str, limit: int, online: bool | None) -> list[Standing]:
        """As `presences`."""

    async def change_standing(
        self, old: Standing | None, new: Standing, event: NewMessage | None
    ) -> tuple[bool, Standing | None]:
        """Puts `new` in the place of `old` and, in the same step, appends `event` to "$presence".

        Returns whether it did, and what stands there now. Raises StoreUnavailable, also when a new holder is no node
        that is known.
        """

    async def beat(self, node: str, ttl: float, *, join: bool = False) -> Pulse:
        """The node is alive for `ttl` seconds more. One that is not known is only when it asks to `join`."""

    async def follow(self, node: str, session_id: str, client_id: str) -> None:
        """Tells a node, with its next beat, that a session elsewhere follows one of its own."""

    async def held_by(self, node: str, limit: int) -> list[str]:
        """Clients that a node holds."""

    async def forget_node(self, node: str) -> None:
        """The node is not known any more."""
