"""A server's life in its process, from start to signal, and what it says on the way."""

import asyncio
import gc
import logging
import os
import shutil
import signal
import sys
from pathlib import Path

from heartline_service.loop import new_event_loop, threads_take_turns
from heartline_service.server import PortInUse, Server
from heartline_service.settings import Settings
from heartline_service.stores import shown
from heartline_service.stores.base import StoreCorrupt, StoreError, StoreLocked

EX_USAGE, EX_DATAERR, EX_UNAVAILABLE, EX_TEMPFAIL = 2, 65, 69, 75
"""As in sysexits.h, and argparse's own for usage."""

SWITCH_INTERVAL = 0.0005
"""Seconds that a thread may hold Python's lock while another waits for it."""
COLLECT_AFTER = 100_000
"""How many objects more than before make Python look for garbage in cycles. A push to 2,000 sessions is under way with
some 30,000 objects, none of them garbage; with the default of 700 they are looked through again and again: a twentieth
of all CPU, and more with more sessions."""


def serve_until_told(settings: Settings, level: int, *, worker: bool = False) -> int:
    """Serves until a signal comes; a worker also until its standard input ends. Returns the exit code."""
    # The store's thread needs Python's lock for moments at a time. With the default of 5 ms, a busy event loop makes it
    # wait that long for each of them: we measured a tenth more publishes a second this way.
    sys.setswitchinterval(SWITCH_INTERVAL)
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(_serve(settings, worker))
    except KeyboardInterrupt:
        return 130


async def _serve(settings: Settings, worker: bool) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stopping.set)
    if worker:
        loop.add_reader(sys.stdin, stopping.set)
    try:
        with threads_take_turns():
            server = Server(settings, share_port=worker)
        await server.start()
    except ValueError as error:
        return failed(str(error), EX_USAGE)
    except PortInUse as error:
        return failed(f"{error}; choose another with --listen", EX_UNAVAILABLE)
    except StoreLocked as error:
        return failed(str(error), EX_TEMPFAIL)
    except StoreCorrupt as error:
        return failed(str(error), EX_DATAERR)
    except StoreError as error:
        return failed(str(error), EX_UNAVAILABLE)
    announce(settings, server.address)
    # What is there now stays: it need not be looked through for garbage.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    await stopping.wait()
    # From here on, a second signal ends at once. Nothing is lost: what was answered is in the store.
    for number in signals:
        loop.add_signal_handler(number, os._exit, 128 + number)
    if worker:
        loop.remove_reader(sys.stdin)
    else:
        say_draining()
    await server.stop()
    return 0


def say_draining() -> None:
    """Tells the person at the terminal what happens."""
    print("heartline: draining; press Ctrl-C again to stop at once", file=sys.stderr, flush=True)


def announce(settings: Settings, address: str) -> None:
    """Tells that it serves, and what to try."""
    program = _program()
    server = "" if address.endswith(":50051") else f" --server {address}"
    lines = (
        f"heartline: serving on {address}, store {shown(settings.store)}",
        "try, in other terminals:",
        f"  {program} listen orders --client-id phone-7{server}",
        f'  {program} publish orders "hello"{server}',
        f"  {program} who{server}",
        "",
    )
    # In one go: who wanted the first line alone may be gone before a second comes.
    print("\n".join(lines), end="", flush=True)


def _program() -> str:
    """How the person who reads this can call us: by name if the shell finds us so, else by path."""
    found, called = shutil.which("heartline"), Path(sys.argv[0])
    if found and called.exists() and Path(found).samefile(called):
        return "heartline"
    return os.path.relpath(called) if called.name == "heartline" else "heartline"


def failed(message: str, code: int) -> int:
    """Says why it does not go on. Returns the exit code."""
    print(f"heartline: {message}", file=sys.stderr)
    return code
