"""The virtual clock that other tests rely on."""

import asyncio
import time

import pytest
from virtual_time import START, NothingWillHappen, VirtualTimeLoop, eventually, run_virtual, virtual


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_week_passes_in_no_time() -> None:
    before = time.monotonic()

    async def week() -> float:
        await asyncio.sleep(7 * 86400)
        return now()

    assert run_virtual(week) == START + 7 * 86400
    assert time.monotonic() - before < 5


@virtual
async def test_timers_fire_at_their_exact_instants_in_order() -> None:
    fired: list[tuple[str, float]] = []
    loop = asyncio.get_running_loop()

    def fire(name: str) -> None:
        fired.append((name, now()))

    for name, at in (("c", 0.3), ("a", 0.1), ("b", 0.2)):
        loop.call_at(START + at, fire, name)
    await asyncio.sleep(1)
    assert fired == [("a", START + 0.1), ("b", START + 0.2), ("c", START + 0.3)]


@virtual
async def test_timeouts_follow_the_virtual_clock() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()
    assert now() == START + 3600


def test_waiting_for_what_cannot_happen_fails_at_once() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingWillHappen):
        run_virtual(hang)


@virtual
async def test_a_stall_lets_time_pass_while_nothing_runs() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    fired: list[float] = []
    loop.call_later(1, lambda: fired.append(now()))
    loop.stall(5)
    await asyncio.sleep(0.1)
    assert fired == [START + 5]


@virtual
async def test_eventually_looks_whenever_something_has_run() -> None:
    happened: list[bool] = []
    asyncio.get_running_loop().call_later(2.5, happened.append, True)
    await eventually(lambda: happened)
    assert now() == START + 2.5
    with pytest.raises(AssertionError, match=r"not so within 1\.5 s"):
        await eventually(lambda: False, within=1.5)
    assert now() == START + 4
