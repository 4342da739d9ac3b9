"""Runs Heartline for a moment with this Python's grpcio and protobuf: every module, a server, and both ways to it."""

import asyncio
import importlib
import pkgutil
import signal
import sys
from importlib.metadata import version

import heartline
import heartline_service


def import_everything() -> None:
    """Imports every module there is. Raises ImportError."""
    for package in (heartline, heartline_service):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


async def exchange(address: str) -> None:
    """Publishes one event and reads it by both transports."""
    for transport in ("stream", "poll"):
        async with heartline.connect(address, transport=transport) as line:
            await line.publish("runtime", f"by {transport}")
            async for event in line.subscribe("runtime", start=heartline.Start.EARLIEST):
                if event.data == f"by {transport}":
                    break


async def main() -> None:
    """Raises what goes wrong."""
    serve = (
        sys.executable,
        "-m",
        "heartline",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        "memory:",
        "--log-level",
        "warning",
    )
    server = await asyncio.create_subprocess_exec(*serve, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    try:
        async with asyncio.timeout(30):
            first = (await server.stdout.readline()).decode()
            await exchange(first.removeprefix("heartline: serving on ").partition(",")[0])
            server.send_signal(signal.SIGTERM)
            code = await server.wait()
    finally:
        if server.returncode is None:
            server.kill()
    if code != 0:
        raise SystemExit(f"the server ended with exit code {code}")


if __name__ == "__main__":
    import_everything()
    asyncio.run(main())
    print(f"runs with grpcio {version('grpcio')}, protobuf {version('protobuf')}, Python {sys.version.split()[0]}")
