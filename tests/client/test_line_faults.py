"""Fault schedules: whatever the network and the server do, events come once and in order, and so do publishes."""

import asyncio
from collections.abc import Callable

from client.fake_server import FakeServer
from heartline.events import Start
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import run_virtual

EVENTS = 60
FAULTS: dict[str, Callable[[FakeServer], None]] = {
    "cut": lambda server: server.cut(),
    "drain": lambda server: server.drain(1.0),
    "restart": lambda server: server.goodbye("SHUTDOWN", retry=True),
    "silent": lambda server: setattr(server, "silent", True),
    "unreachable": lambda server: change(server, "reachable", False),
    "refuse": lambda server: change(server, "stream", "refuse"),
    "swallow": lambda server: change(server, "stream", "swallow"),
    "lose receipts": lambda server: setattr(server, "lose_receipts", 2),
    "heal": lambda server: heal(server),
}
SCHEDULES = st.lists(st.tuples(st.floats(0.01, 40.0), st.sampled_from(sorted(FAULTS))), max_size=10)


def change(server: FakeServer, name: str, value: object) -> None:
    """From now on, and for the streams that are open too."""
    setattr(server, name, value)
    server.cut()


def heal(server: FakeServer) -> None:
    server.silent, server.reachable, server.stream = False, True, "accept"


@settings(max_examples=60, deadline=None)
@given(
    schedule=SCHEDULES,
    transport=st.sampled_from(["auto", "stream", "poll"]),
    handling=st.sampled_from([0.0, 0.3, 5.0]),
    capacity=st.sampled_from([1, 2, 7, 100]),
)
def test_nothing_is_lost_or_repeated(
    schedule: list[tuple[float, str]], transport: str, handling: float, capacity: int
) -> None:
    async def scenario() -> None:
        server = FakeServer()

        async def faults() -> None:
            for pause, fault in schedule:
                await asyncio.sleep(pause)
                FAULTS[fault](server)
            await asyncio.sleep(30)
            heal(server)

        async with server.line(transport=transport) as line, asyncio.TaskGroup() as group:
            orders = line.subscribe("orders", start=Start.EARLIEST, max_unacked=capacity)

            async def publish() -> None:
                for number in range(EVENTS):
                    await line.publish("orders", str(number))
                    await asyncio.sleep(0.5)

            group.create_task(faults())
            group.create_task(publish())
            for number in range(EVENTS):
                event = await anext(orders)
                assert (event.data, event.offset) == (str(number), number + 1)
                assert len(orders.inbox) <= capacity
                assert server.stored_acks.get(("phone-7", "orders"), 0) <= number
                await asyncio.sleep(handling)
        assert [event.text for event in server.logs["orders"]] == [str(number) for number in range(EVENTS)]

    run_virtual(scenario)
