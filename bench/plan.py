"""How much is measured, and what stands where the real server does.

Rules: a check of the harness itself puts the bare server in the real one's place; then every ratio must be 1, as far as
the machine's noise lets it.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from bench import floor_server, servers
from bench.script import Script


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run: with `quick`, fewer repeats; with `self_check`, the floor against the floor."""

    quick: bool = False
    self_check: bool = False
    kind: str = floor_server.TUNED
    """Which kind of floor."""

    def repeats(self, full: int) -> int:
        """How many samples of each kind to take."""
        return max(2, full // 3) if self.quick else full

    def server(
        self, stand_in: Script, store: str = "memory:", *flags: str
    ) -> AbstractAsyncContextManager[servers.Server]:
        """The server that is measured."""
        return self.floor(stand_in) if self.self_check else servers.heartline(store, *flags)

    def floor(self, script: Script) -> AbstractAsyncContextManager[servers.Server]:
        """The bare server."""
        return servers.floor(script, self.kind)
