"""How commands go to Redis: gathered while the ones before are under way, so that many callers cost few round-trips.

Rules:
- What is asked in one lane is done in the order of asking. A shard has a lane for writing and one for reading, so that
  a large answer holds up no publisher, and a shard that is gone holds up no other.
- When Redis is away one call at a time tries whether it is back; the others are refused at once.
- A script that Redis does not know (it was restarted) was not run: it is given anew.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError

from heartline_service.stores.base import StoreUnavailable
from heartline_service.stores.redis.client import RedisClient
from heartline_service.stores.redis.scripts import Script

MOST = 128
MOST_BYTES = 4 * 1024 * 1024
"""So much goes in one go, so that none waits long for those before it; but at least one command."""

Asked = tuple[Script | None, Sequence[Any], "asyncio.Future[Any]"]


class Lanes:
    """All lanes to a Redis."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._waiting: dict[tuple[str, str], list[Asked]] = defaultdict(list)
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._broken: set[tuple[str, str]] = set()
        self._closed = True

    async def run(self, script: Script, keys: Sequence[str], *arguments: Any, reading: bool = False) -> Any:
        """Runs a script. Raises StoreUnavailable."""
        command = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        return await self._ask(script, command, keys[0], reading)

    async def ask(self, *command: Any, reading: bool = False) -> Any:
        """Runs a command, whose first argument is its key. Raises StoreUnavailable."""
        return await self._ask(None, command, command[1], reading)

    def open(self) -> None:
        """Takes what is asked from now on."""
        self._closed = False

    async def close(self) -> None:
        """Waits for what is under way; what is asked from now on is refused."""
        self._closed = True
        if self._running:
            await asyncio.wait(self._running.values())

    def _ask(self, script: Script | None, command: Sequence[Any], key: str, reading: bool) -> "asyncio.Future[Any]":
        if self._closed:
            raise StoreUnavailable("the store is closed")
        lane = ("reading" if reading else "writing", self._client.shard(key))
        if lane in self._broken and lane in self._running:
            raise StoreUnavailable(f"the Redis at {self._client.where} is away")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append((script, command, future))
        if lane not in self._running:
            self._running[lane] = asyncio.get_running_loop().create_task(self._go(lane))
        return future

    async def _go(self, lane: tuple[str, str]) -> None:
        try:
            while waiting := self._waiting[lane]:
                # Once it has failed, those who waited meanwhile do not try one after the other.
                most = len(waiting) if lane in self._broken else _fitting(waiting)
                asked, self._waiting[lane] = waiting[:most], waiting[most:]
                if await self._send(asked):
                    self._broken.discard(lane)
                else:
                    self._broken.add(lane)
        finally:
            del self._running[lane]
            del self._waiting[lane]

    async def _send(self, asked: list[Asked]) -> bool:
        """Sends, and answers those who asked. Returns whether Redis answered."""
        answered = True
        try:
            answers = await self._client.send([command for _, command, _ in asked])
            unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if unknown:
                again = await self._client.send([_with_text(*asked[at][:2]) for at in unknown])
                for at, answer in zip(unknown, again, strict=True):
                    answers[at] = answer
        except Exception as error:
            answers, answered = [error] * len(asked), False
        for (_, _, future), answer in zip(asked, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, StoreUnavailable):
                future.set_exception(StoreUnavailable(*answer.args))
            elif isinstance(answer, Exception):
                future.set_exception(self._client.error(answer))
            else:
                future.set_result(answer)
        return answered


def _fitting(waiting: list[Asked]) -> int:
    size = 0
    for count, (_, command, _) in enumerate(waiting[:MOST]):
        size += sum(len(part) for part in command if isinstance(part, bytes))
        if size > MOST_BYTES and count:
            return count
    return MOST


def _with_text(script: Script | None, command: Sequence[Any]) -> Sequence[Any]:
    return command if script is None else ("EVAL", script.text, *command[2:])
