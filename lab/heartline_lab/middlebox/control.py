"""Switching a middlebox from another process, over a Unix socket: a line of JSON in, a line of JSON out.

Rules:
- Each order is a connection of its own. The answer has the faults and totals afterwards, or the error.
- The socket is for its owner alone. One that a dead process left is replaced; anything else there is not.
"""

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Unpack

from heartline.cli.exits import CommandError, Exit

from heartline_lab.middlebox.box import Middlebox
from heartline_lab.middlebox.counts import Flow, Totals
from heartline_lab.middlebox.faults import Changes, Faults
from heartline_lab.middlebox.words import Order, follow, from_json, to_json

TIMEOUT = 5.0
"""Seconds within which a middlebox must answer."""
LONGEST = 65536
"""Bytes of an order."""


class Control:
    """The middlebox behind a Unix socket. Its methods are those of Middlebox, and block for a moment.

    All raise CommandError when no middlebox answers.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)

    @property
    def faults(self) -> Faults:
        """What is wrong now."""
        return Faults(**self.send(Order("show"))["faults"])

    def change(self, **changes: Unpack[Changes]) -> None:
        """Changes faults, for all connections there are and will be. Raises ValueError and changes nothing."""
        self.send(Order("change", changes))

    def heal(self) -> None:
        """Takes all faults away. What was forgotten or cut stays so."""
        self.send(Order("heal"))

    def forget(self) -> None:
        """Drops the connections of now in silence, for good."""
        self.send(Order("forget"))

    def cut(self, how: Literal["fin", "rst"]) -> None:
        """Ends the connections of now on both sides."""
        self.send(Order(how))

    def totals(self) -> Totals:
        """What came through since the box opened."""
        totals = self.send(Order("show"))["totals"]
        return Totals(totals["connections"], totals["open"], Flow(**totals["up"]), Flow(**totals["down"]))

    def send(self, order: Order) -> dict[str, Any]:
        """Has an order followed; returns the faults and totals after it, as JSON has them. Raises ValueError."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(TIMEOUT)
            try:
                sock.connect(self._path)
                sock.sendall(to_json(order).encode() + b"\n")
                with sock.makefile("rb") as answers:
                    line = answers.readline()
            except OSError as error:
                reason = error.strerror or str(error)
                raise CommandError(f"no middlebox answers at {self._path}: {reason}", Exit.UNAVAILABLE) from None
        if not line:
            raise CommandError(f"the middlebox at {self._path} ended", Exit.UNAVAILABLE)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer


@asynccontextmanager
async def controlled(
    box: Middlebox, path: str, followed: Callable[[Order], None] = lambda order: None
) -> AsyncIterator[None]:
    """Follows orders from the Unix socket `path`, which is there as long as the block lasts. Raises CommandError."""

    def obey(order: Order) -> dict[str, Any]:
        follow(order, box)
        followed(order)
        return state(box)

    async with answering(path, obey):
        yield


@asynccontextmanager
async def answering(path: str, obey: Callable[[Order], dict[str, Any]]) -> AsyncIterator[None]:
    """Takes orders from the Unix socket `path` while the block lasts; `obey` gives the answer. Raises CommandError."""
    callers: set[asyncio.Transport] = set()

    def answer(line: bytes) -> bytes:
        return json.dumps(_answer(line, obey)).encode() + b"\n"

    sock = _bound(path)
    server = await asyncio.get_running_loop().create_unix_server(lambda: _Desk(answer, callers), sock=sock)
    try:
        yield
    finally:
        server.close()
        for transport in tuple(callers):
            transport.abort()
        with suppress(FileNotFoundError):
            os.unlink(path)


class _Desk(asyncio.Protocol):
    """Answers the first line of one caller."""

    def __init__(self, answer: Callable[[bytes], bytes], callers: set[asyncio.Transport]) -> None:
        self._answer = answer
        self._callers = callers
        self._line = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._callers.add(transport)

    def data_received(self, data: bytes) -> None:
        self._line += data
        if (b"\n" in data or len(self._line) > LONGEST) and not self._transport.is_closing():
            self._transport.write(self._answer(self._line))
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._callers.discard(self._transport)


def _answer(line: bytes, obey: Callable[[Order], dict[str, Any]]) -> dict[str, Any]:
    try:
        return obey(from_json(line))
    except (ValueError, CommandError) as error:
        return {"error": str(error)}


def state(box: Middlebox) -> dict[str, Any]:
    """Its faults and totals, for JSON."""
    return {"faults": asdict(box.faults), "totals": asdict(box.totals())}


def _bound(path: str) -> socket.socket:
    _clear(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        sock.bind(path)
    except OSError as error:
        sock.close()
        reason = error.strerror or str(error)
        raise CommandError(f"cannot make the control socket {path}: {reason}", Exit.UNAVAILABLE) from None
    finally:
        os.umask(mask)
    return sock


def _clear(path: str) -> None:
    """Takes away a socket that nobody listens at any more. Raises CommandError when something else is there."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise CommandError(f"{path} is no socket: choose another for --control", Exit.UNAVAILABLE)
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError as error:
            raise CommandError(f"cannot use the control socket {path}: {error.strerror}", Exit.UNAVAILABLE) from None
        else:
            raise CommandError(f"another program listens at {path}: choose another for --control", Exit.UNAVAILABLE)
