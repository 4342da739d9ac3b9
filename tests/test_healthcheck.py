"""The health check that containers run: one word and an exit code."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from heartline_service.healthcheck import is_serving
from heartline_service.server import Server

SERVICE = Path(__file__).parent.parent / "service"


async def test_a_server_that_is_ready_serves(server: Server) -> None:
    assert await asyncio.to_thread(is_serving, server.address)


async def test_a_server_that_listens_on_all_addresses_is_asked_on_loopback(server: Server) -> None:
    port = server.address.rpartition(":")[2]
    assert await asyncio.to_thread(is_serving, f"0.0.0.0:{port}")


async def test_a_server_that_was_stopped_does_not_serve(server: Server) -> None:
    await server.stop()
    assert not await asyncio.to_thread(is_serving, server.address)


@pytest.mark.parametrize("given", ["argument", "variable"])
async def test_the_exit_code_tells(given: str, server: Server) -> None:
    def check() -> subprocess.CompletedProcess[str]:
        arguments = [server.address] if given == "argument" else []
        environment = os.environ | {"PYTHONPATH": str(SERVICE), "HEARTLINE_LISTEN": server.address}
        command = [sys.executable, "-m", "heartline_service.healthcheck", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10, check=False)

    done = await asyncio.to_thread(check)
    assert (done.returncode, done.stdout) == (0, f"{server.address} serves\n")
