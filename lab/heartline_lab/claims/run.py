"""Tests statements, several at a time where that spoils no figure, and says what became of each.

Rules:
- What is missing here (a right, a program) is told as that. Any other failure is told as it is, and is a failure.
"""

import asyncio
import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from heartline.cli.exits import CommandError

from heartline_lab.claims.parts import Part
from heartline_lab.claims.rights import Need, missing
from heartline_lab.claims.statements import Statement
from heartline_lab.network import NoNamespaces

AT_A_TIME = 4
GUARD = 60.0
"""Seconds that one experiment may take; the longest takes about six."""
_NO_RIGHT = {errno.EPERM, errno.EACCES}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a statement: its parts, or why it was not tested."""

    outcome: Sequence[Part] | str
    seconds: float
    failed: bool = False
    """Whether it was not tested for another reason than that a right is missing."""


Done = Callable[[Statement[Any], Result], None]


async def run(statements: Sequence[Statement[Any]], done: Done) -> dict[int, Result]:
    """Tests them; `done` hears of each as it is."""
    results: dict[int, Result] = {}
    places = asyncio.Semaphore(AT_A_TIME)

    async def test(statement: Statement[Any]) -> None:
        async with places:
            results[statement.number] = result = await examined(statement)
        done(statement, result)

    async with asyncio.TaskGroup() as tasks:
        for statement in statements:
            if not statement.alone:
                tasks.create_task(test(statement))
    for statement in statements:
        if statement.alone:
            await test(statement)
    return results


async def examined(statement: Statement[Any]) -> Result:
    """Runs one experiment and has it judged."""
    if lacking := [need for need in statement.needs if missing(need)]:
        return Result(f"needs {' and '.join(need.value for need in lacking)}", 0.0, failed=lacking != [Need.ROOT])
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(GUARD):
            facts = await statement.measure()
        return Result(statement.judge(facts), loop.time() - began)
    except Exception as error:
        why, failed = _explained(error)
        return Result(why, loop.time() - began, failed)


def _explained(error: Exception) -> tuple[str, bool]:
    """Why an experiment came to nothing, and whether that is a failure."""
    if isinstance(error, NoNamespaces) or (isinstance(error, OSError) and error.errno in _NO_RIGHT):
        return f"needs {Need.ROOT.value}: {error}", False
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return f"needs a kernel whose settings may be changed, as they may not in a container: {error.filename}", False
    if isinstance(error, CommandError):
        return str(error), True
    return f"the experiment failed: {error!r}", True
