"""What docker-compose.yml promises of its profile `cluster`: two nodes on one Redis that are one server to clients.

They are called through the load balancer, as clients do, and by the command line inside a node's container.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import heartline
import pytest
from compose.project import (
    CLUSTER,
    GUARD,
    check_is_unprivileged,
    cluster,
    container,
    grpcurl,
    inspect,
    poll,
    published,
    run,
)
from e2e.raw import calling, session
from grpc_health.v1 import health_pb2, health_pb2_grpc
from heartline.events import Start

NODES = ("node-a", "node-b")
SERVICES = ("balancer", *NODES, "redis")


@pytest.fixture(scope="module", autouse=True)
def up() -> Iterator[None]:
    """All services but the lab: the profile beside the single server."""
    cluster("up", "--no-start")
    give_redis_its_data()
    cluster("up", "-d")
    with grpc.insecure_channel(CLUSTER) as channel:
        check: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]  # its type stubs lack it
        check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=GUARD)
    yield
    cluster("down", "--volumes")


def give_redis_its_data() -> None:
    """Makes the volume the user's of an image that stands in for the public one, which does so itself."""
    redis = inspect("redis")
    if not json.loads(run("docker", "image", "inspect", redis["Image"]))[0]["Config"]["Entrypoint"]:
        volume = f"{redis['Mounts'][0]['Name']}:/data"
        run("docker", "run", "--rm", "--user", "root", "--volume", volume, redis["Image"], "chown", "redis", "/data")


def inside(node: str, *command: str) -> list[Any]:
    """What a command of Heartline's command line tells in a node's container, about that node."""
    told = cluster("exec", "-T", node, "heartline", *command, "--json")
    return [json.loads(line) for line in told.splitlines()]


def node_of(client_id: str) -> str:
    """The node that holds the client's session."""
    (found,) = [node for node in NODES if inside(node, "sessions", "--client-id", client_id)]
    return found


class Talk:
    """A client that publishes one message after the other, and one that listens: what was answered, and what heard."""

    def __init__(self, channel: str) -> None:
        self.listener = f"{channel}-listener"
        self.answered: list[str] = []
        self.heard: list[str] = []
        self._channel = channel
        self._enough = False
        self._changed = asyncio.Condition()

    async def publish(self) -> None:
        """Publishes until told that it is enough."""
        async with heartline.connect(CLUSTER) as line:
            while not self._enough:
                text = str(len(self.answered))
                await line.publish(self._channel, text)
                self.answered.append(text)

    async def listen(self) -> None:
        """Listens for good. A gap raises."""
        async with heartline.connect(CLUSTER, client_id=self.listener, transport="stream") as line:
            async for event in line.subscribe(self._channel, start=Start.EARLIEST):
                async with self._changed:
                    self.heard.append(str(event.data))
                    self._changed.notify_all()

    async def goes_on(self) -> None:
        """Waits until more was heard."""
        more = len(self.heard) + 20
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.heard) >= more)

    async def end(self, publishing: asyncio.Task[None]) -> None:
        """Publishes no more, and waits until as much was heard as was answered."""
        self._enough = True
        await publishing
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.heard) >= len(self.answered))


@asynccontextmanager
async def talk(channel: str) -> AsyncIterator[Talk]:
    """A talk over a channel, which loses nothing and repeats nothing whatever happens meanwhile."""
    made = Talk(channel)
    async with asyncio.timeout(GUARD), asyncio.TaskGroup() as group:
        listening, publishing = group.create_task(made.listen()), group.create_task(made.publish())
        await made.goes_on()
        yield made
        await made.goes_on()
        await made.end(publishing)
        listening.cancel()
    assert made.heard == made.answered


def test_it_runs_beside_the_single_server_with_a_state_of_its_own() -> None:
    grpcurl("heartline.v1.RequestService/Publish", channel="beside", messages=[{"text": "single"}])
    grpcurl("heartline.v1.RequestService/Publish", CLUSTER, channel="beside", messages=[{"text": "cluster"}])
    assert (poll("beside"), poll("beside", CLUSTER)) == (["single"], ["cluster"])


def test_what_is_published_through_one_node_is_received_through_the_other() -> None:
    inside("node-a", "publish", "across", "hello")
    assert [event["text"] for event in inside("node-b", "poll", "across", "--start", "earliest")] == ["hello"]


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_runs_without_privileges(service: str) -> None:
    check_is_unprivileged(service)


def test_only_the_balancer_is_published_and_that_on_the_loopback_address() -> None:
    assert [published(service) for service in SERVICES] == [[("127.0.0.1", "50052")], [], [], []]


async def test_a_session_whose_node_is_stopped_goes_on_and_the_node_takes_sessions_when_it_is_back() -> None:
    async with talk("stopped") as going:
        node = await asyncio.to_thread(node_of, going.listener)
        await asyncio.to_thread(cluster, "stop", node)
        assert inspect(node)["State"]["ExitCode"] == 0
        await going.goes_on()
        await asyncio.to_thread(cluster, "start", node)
        taken_by = ""
        while taken_by != node:
            async with session(CLUSTER) as peer:
                taken_by = peer.welcome.server_name
        async with calling(CLUSTER) as calls:
            told = [event.attributes for event in await calls.read_all("$presence")]
        assert [one["online"] for one in told if one["client_id"] == going.listener] == ["true"]


async def test_a_redis_that_is_killed_has_lost_nothing_when_it_is_back() -> None:
    async with talk("killed"):
        await asyncio.to_thread(run, "docker", "kill", container("redis"))
        await asyncio.to_thread(cluster, "start", "redis")


def test_all_of_it_stops_when_asked_and_says_that_all_went_well() -> None:
    cluster("stop")
    assert [inspect(service)["State"]["ExitCode"] for service in SERVICES] == [0, 0, 0, 0]
