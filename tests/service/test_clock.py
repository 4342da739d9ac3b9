"""The service's clock: alarms on one timer of the event loop."""

import asyncio
from typing import Any

from heartline_service.clock import FEW, Clock
from virtual_time import START, settle, virtual


class Rung:
    """Which alarms rang, and when, in seconds since the start."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.log: list[tuple[str, float]] = []

    def at(self, name: str, seconds: float) -> Any:
        """Sets an alarm."""
        return self.clock.call_at(START + seconds, lambda: self.log.append((name, self.clock.now() - START)))


async def until(seconds: float) -> None:
    """Lets time pass until then, and what is due happen."""
    await asyncio.sleep(START + seconds - asyncio.get_running_loop().time())
    await settle()


@virtual
async def test_alarms_ring_when_they_are_due_in_whatever_order_they_were_set() -> None:
    rung = Rung()
    rung.at("late", 9)
    rung.at("early", 2)
    rung.at("between", 5)
    await until(10)
    assert rung.log == [("early", 2), ("between", 5), ("late", 9)]


@virtual
async def test_alarms_of_one_instant_ring_in_the_order_in_which_they_were_set() -> None:
    rung = Rung()
    for name in "abc":
        rung.at(name, 1)
    await until(1)
    assert [name for name, _ in rung.log] == ["a", "b", "c"]


@virtual
async def test_an_alarm_that_was_cancelled_does_not_ring_and_the_others_do() -> None:
    rung = Rung()
    alarms = [rung.at(name, at) for at, name in enumerate("abc")]
    alarms[0].cancel()
    alarms[1].cancel()
    alarms[1].cancel()
    await until(5)
    assert rung.log == [("c", 2)]


@virtual
async def test_an_alarm_can_be_cancelled_in_the_turn_in_which_it_is_due() -> None:
    rung = Rung()
    later: list[Any] = []
    rung.clock.call_at(START + 1, lambda: later[0].cancel())
    later.append(rung.at("cancelled", 1))
    await until(2)
    assert rung.log == []


@virtual
async def test_an_alarm_in_the_past_rings_at_once() -> None:
    rung = Rung()
    await until(3)
    rung.at("past", 1)
    await settle()
    assert rung.log == [("past", 3)]


@virtual
async def test_a_thousand_alarms_hold_one_timer_of_the_loop() -> None:
    rung = Rung()
    for number in range(1000):
        rung.at("", 10 + number)
    loop: Any = asyncio.get_running_loop()
    assert len([handle for handle in loop._scheduled if not handle.cancelled()]) == 1


@virtual
async def test_cancelled_alarms_do_not_pile_up() -> None:
    rung = Rung()
    rung.at("first", 1)
    for _ in range(10 * FEW):
        rung.at("long", 1000).cancel()
    assert len(rung.clock._alarms) <= 2 * FEW + 2


@virtual
async def test_what_came_before_an_alarm_was_due_is_handled_before_it_rings() -> None:
    rung, loop = Rung(), asyncio.get_running_loop()
    rung.at("alarm", 1)
    # As a frame that came during a stall: its reader wakes in the turn in which the timer is due.
    loop.call_at(START + 1, loop.call_soon, lambda: rung.log.append(("frame", 1)))
    await until(1)
    assert [name for name, _ in rung.log] == ["frame", "alarm"]
