"""What `import heartline` gives, and what is refused before anything is sent."""

from typing import Any

import heartline
import pytest
from client.fake_server import FakeServer
from heartline.events import Position
from heartline.line import MAX_SUBSCRIPTIONS
from heartline.network import _options
from virtual_time import settle, virtual

SERVER = "localhost:50051"


def test_everything_that_is_named_is_there() -> None:
    assert [name for name in heartline.__all__ if not hasattr(heartline, name)] == []


def test_a_line_needs_a_running_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        heartline.connect(SERVER)


@pytest.mark.parametrize(
    "wrong",
    [
        {"transport": "pigeon"},
        {"heartbeat_interval": float("nan")},
        {"heartbeat_timeout": "soon"},
        {"client_id": 7},
        {"status": "\ud800"},
    ],
)
async def test_settings_that_cannot_be_sent_are_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        heartline.connect(SERVER, **wrong)


@pytest.mark.parametrize("target", ["", "http://localhost:50051"])
async def test_a_target_that_is_no_address_is_refused_at_once(target: str) -> None:
    with pytest.raises(ValueError, match="must be HOST:PORT"):
        heartline.connect(target)


@pytest.mark.parametrize(
    ("channel", "wrong"),
    [
        (7, {}),
        ("\ud800", {}),
        ("orders", {"max_unacked": 0}),
        ("orders", {"max_unacked": 2**32}),
        ("orders", {"on_gap": "ignore"}),
        ("orders", {"after": Position("orders", "e1", -1)}),
    ],
)
@virtual
async def test_a_subscription_that_cannot_be_is_refused_at_once_and_leaves_nothing(
    channel: Any, wrong: dict[str, Any]
) -> None:
    server = FakeServer()
    async with server.line() as line:
        with pytest.raises((TypeError, ValueError)):
            line.subscribe(channel, **wrong)
        await settle()
        assert line.state.name == "online"
        line.subscribe("orders")


@virtual
async def test_a_line_reads_at_most_100_channels() -> None:
    server = FakeServer()
    async with server.line() as line:
        for number in range(MAX_SUBSCRIPTIONS):
            line.subscribe(f"channel-{number}")
        with pytest.raises(heartline.InvalidRequest, match="at most 100"):
            line.subscribe("one more")


@virtual
async def test_an_event_can_be_read_on_from() -> None:
    server = FakeServer()
    server.publish("orders", "1", "2", "3")
    async with server.line() as line:
        async with line.subscribe("orders", start=heartline.Start.EARLIEST) as orders:
            place = (await anext(orders)).position
        async with line.subscribe("orders", after=place) as orders:
            assert (await anext(orders)).data == "2"


@pytest.mark.parametrize(
    ("target", "direct"),
    [
        ("localhost:50051", True),
        ("127.0.0.1:50051", True),
        ("[::1]:50051", True),
        ("dns:///localhost:50051", True),
        ("heartline.example:443", False),
        ("10.0.0.7:50051", False),
    ],
)
def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(target: str, direct: bool) -> None:
    assert (dict(_options(target)).get("grpc.enable_http_proxy") == 0) is direct
