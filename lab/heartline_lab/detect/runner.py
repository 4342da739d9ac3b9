"""Runs all that is to be measured, side by side: two programs for each fault, struck together when all are ready.

However it ends, no program and no namespace is left.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from heartline.cli.exits import CommandError, Exit

from heartline_lab.detect.faults import DETECTORS, Run, Side
from heartline_lab.detect.observed import Notice, Observed
from heartline_lab.detect.patience import Patience
from heartline_lab.detect.ways import Way, way
from heartline_lab.processes import START_TIMEOUT, running

QUIET = {"GRPC_VERBOSITY": "NONE"}
"""The environment in which gRPC says nothing of what it lost: that is told otherwise."""


class Program:
    """One end, as it runs. What it says goes into the Observed; `on_notice` hears of each notice."""

    def __init__(self, process: Process, side: Side, observed: Observed, on_notice: Callable[[], None]) -> None:
        self.pid = process.pid
        self._process = process
        self._side = side
        self._observed = observed
        self._on_notice = on_notice
        self.ports: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self.armed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def listen(self) -> None:
        """Hears it until it has no more to say."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._hear(json.loads(line))
        ended = CommandError(
            f"the {self._side} for the fault {self._observed.run.fault.name!r} ended too early", Exit.UNAVAILABLE
        )
        for future in (self.ports, self.armed):
            if not future.done():
                future.set_exception(ended)
                future.exception()  # whether anybody asks or not

    def _hear(self, said: dict[str, Any]) -> None:
        if "ports" in said:
            self.ports.set_result(said["ports"])
        elif "armed" in said:
            self.armed.set_result(None)
        elif "late" in said:
            self._observed.lateness[self._side].append((said["at"], said["late"]))
        else:
            self._observed.notices[self._side][said["noticed"]] = Notice(said["at"], said["how"], said["heard_at"])
            self._on_notice()


class Bench:
    """Where runs are done together, each watched for `within` seconds after its fault.

    `on_struck` hears of each fault, `on_notice` of each detector that speaks.
    """

    def __init__(
        self,
        patience: Patience,
        within: float,
        *,
        namespaces: bool,
        on_struck: Callable[[], None] = lambda: None,
        on_notice: Callable[[], None] = lambda: None,
    ) -> None:
        self._patience = patience
        self._within = within
        self._namespaces = namespaces
        self._on_struck = on_struck
        self._on_notice = on_notice

    async def observe(self, runs: Sequence[Run]) -> list[Observed]:
        """Does them all. Raises CommandError."""
        together = asyncio.Barrier(len(runs))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._observe(run, together)) for run in runs]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _observe(self, run: Run, together: asyncio.Barrier) -> Observed:
        observed = Observed(run)
        enough = asyncio.Event()

        def noticed() -> None:
            self._on_notice()
            if all(len(observed.notices[side]) == len(DETECTORS) for side in run.watchers):
                enough.set()

        async with AsyncExitStack() as stack:
            network = way(run, self._namespaces, stack)
            pids = await self._start(network, stack, lambda process, side: Program(process, side, observed, noticed))
            await together.wait()
            # Whatever starting cost is over then, and every detector has asked at least once.
            await asyncio.sleep(self._patience.interval)
            observed.struck_at = time.monotonic()
            network.strike(run.fault, pids[run.victim] if run.victim else None)
            observed.took = time.monotonic() - observed.struck_at
            self._on_struck()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._within):
                    await enough.wait()
        return observed

    async def _start(
        self, network: Way, stack: AsyncExitStack, program: Callable[[Process, Side], Program]
    ) -> dict[Side, int]:
        async def start(side: Side, inside: Sequence[str], host: str, ports: Sequence[int]) -> Program:
            process = await stack.enter_async_context(
                running(*inside, *self._end(side, host, ports), environment=QUIET)
            )
            started = program(process, side)
            listening = asyncio.create_task(started.listen())
            stack.callback(listening.cancel)
            return started

        try:
            async with asyncio.timeout(START_TIMEOUT):
                server = await start("server", network.server_inside, network.host, ())
                client = await start(
                    "client", network.client_inside, *await network.open((network.host, await server.ports))
                )
                await asyncio.gather(server.armed, client.armed)
        except TimeoutError:
            raise CommandError(
                f"a server and its client were not ready within {START_TIMEOUT:g} s", Exit.UNAVAILABLE
            ) from None
        return {"client": client.pid, "server": server.pid}

    def _end(self, side: Side, host: str, ports: Sequence[int]) -> list[str]:
        order = {
            "host": host,
            "ports": list(ports),
            "interval": self._patience.interval,
            "timeout": self._patience.timeout,
        }
        return [sys.executable, "-m", f"heartline_lab.detect.ends.{side}", json.dumps(order)]
