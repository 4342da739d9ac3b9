"""`heartline serve --workers N`: processes that share one port and one store, and the process that keeps them.

Rules:
- Each worker is a server of its own: a new program, since gRPC does not survive a fork. The kernel hands them the
  connections (SO_REUSEPORT). The keeper holds the port, but takes no connection.
- A worker that cannot start ends them all, with its exit code. One that dies later is started anew.
- Workers hear of the end from the keeper alone, by SIGTERM, or by the end of their standard input if it was killed.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import replace
from typing import Any

from heartline_service import options, serving
from heartline_service.server import PortInUse, try_address
from heartline_service.settings import Settings

RESTART_PAUSE = 1.0
"""Seconds before a worker that died is started anew."""


def reserve(listen: str) -> tuple[socket.socket, str]:
    """Holds a port for workers, and returns it with its address. Raises PortInUse."""
    try_address(listen)
    host, _, port = listen.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        held = socket.socket(family, kind, protocol)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(address)
    except OSError:
        raise PortInUse(f"cannot listen on {listen}: is it an address of this machine?") from None
    return held, f"{host}:{held.getsockname()[1]}"


async def keep(settings: Settings, flags: list[str]) -> int:
    """Runs the workers until a signal comes. Returns the exit code."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        held, address = reserve(settings.listen)
    except PortInUse as error:
        return serving.failed(f"{error}; choose another with --listen", serving.EX_UNAVAILABLE)
    with held:
        workers: list[Process] = []
        try:
            return await _keep(replace(settings, listen=address), workers, flags, stopping)
        finally:
            for worker in workers:
                if worker.returncode is None:
                    worker.kill()
                    await worker.wait()


async def _keep(settings: Settings, workers: list[Process], flags: list[str], stopping: asyncio.Event) -> int:
    stopped = asyncio.create_task(stopping.wait())
    # The first goes ahead, so that what is wrong with the store is said once.
    for count in (1, settings.workers - 1):
        fresh = [await _start(settings.listen, flags) for _ in range(count)]
        workers += fresh
        ready = asyncio.gather(*map(_serves, fresh))
        first: list[asyncio.Future[Any]] = [stopped, ready]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            break
        if not all(ready.result()):
            return max([await worker.wait() for worker in fresh])
    else:
        serving.announce(settings, settings.listen)
    ends = {asyncio.create_task(worker.wait()): number for number, worker in enumerate(workers)}
    while not stopping.is_set():
        done, _ = await asyncio.wait([stopped, *ends], return_when=asyncio.FIRST_COMPLETED)
        for end in done - {stopped}:
            number = ends.pop(end)
            print(f"heartline: a worker ended ({end.result()}) and is started anew", file=sys.stderr, flush=True)
            await asyncio.wait([stopped], timeout=RESTART_PAUSE)
            if not stopping.is_set():
                workers[number] = await _start(settings.listen, flags)
                ends[asyncio.create_task(workers[number].wait())] = number
    return await _stop(workers)


async def _stop(workers: list[Process]) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _kill, workers)
    serving.say_draining()
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            worker.terminate()
    codes = [await worker.wait() for worker in workers]
    return 130 if -signal.SIGKILL in codes else 0


def _kill(workers: list[Process]) -> None:
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()


async def _start(address: str, flags: list[str]) -> Process:
    words = [sys.executable, "-m", "heartline_service.workers", *flags, f"--listen={address}"]
    # A session of its own, so that Ctrl-C reaches the keeper alone.
    return await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, start_new_session=True)


async def _serves(worker: Process) -> bool:
    assert worker.stdout is not None
    return bool(await worker.stdout.readline())


def main() -> int:
    """A worker."""
    parser = argparse.ArgumentParser()
    options.add_arguments(parser)
    settings, level = options.settings(vars(parser.parse_args()), os.environ)
    return serving.serve_until_told(settings, level, worker=True)


if __name__ == "__main__":
    sys.exit(main())
