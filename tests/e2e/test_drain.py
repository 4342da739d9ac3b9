"""SIGTERM, and Ctrl-C: the server asks everybody to go elsewhere, waits a little, and is gone with exit code 0."""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any

import grpc
import pytest
from e2e.process import GUARD, Serving
from e2e.raw import Calls, RawSession, calling, seconds, session
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from heartline.v1.admin_service_pb2 import GetServerRequest
from heartline.v1.events_pb2 import Subscription
from heartline.v1.request_service_pb2 import PollRequest, PollResponse
from heartline.v1.session_service_pb2 import (
    GOODBYE_REASON_CLIENT_GOODBYE,
    GOODBYE_REASON_SHUTDOWN,
    ClientGoodbye,
    ConnectResponse,
)

DRAIN_TIMEOUT = 1.0
TOLERANCE = 2.0
"""Seconds that the rest of the shutdown may take."""


@dataclass
class Drained:
    """What each client of a server saw when the signal came."""

    health: list[int]
    drains: list[ConnectResponse]
    poll: PollResponse
    refused_call: status_pb2.Status
    refused_session: status_pb2.Status
    left: ConnectResponse
    stayed: ConnectResponse
    poll_ended_after: float
    ended_after: float
    exit_code: int
    said: str


@pytest.fixture(scope="module", params=["SIGTERM", "SIGINT"])
def drained(request: pytest.FixtureRequest) -> Drained:
    """A server with two sessions, a long poll and a health watch gets the signal."""
    return asyncio.run(_drain(signal.Signals[request.param]))


async def _drain(number: signal.Signals) -> Drained:
    async with AsyncExitStack() as stack, asyncio.timeout(GUARD):
        server = stack.enter_context(Serving("--drain-timeout", f"{DRAIN_TIMEOUT}s")).ready()
        calls = await stack.enter_async_context(calling(server.address))
        leaves, stays = [
            await stack.enter_async_context(session(server.address, client_id=name)) for name in ("leaves", "stays")
        ]
        health_stub: Any = health_pb2_grpc.HealthStub(calls.channel)
        watch = health_stub.Watch(health_pb2.HealthCheckRequest())
        health = [(await watch.read()).status]
        poll = asyncio.ensure_future(_pending_poll(calls))
        while not (await calls.admin.GetServer(GetServerRequest())).pending_polls:
            pass

        at = monotonic()
        server.signal(number)
        poll_answer = await poll
        poll_ended_after = monotonic() - at
        health.append((await watch.read()).status)
        drains = [await one.next("drain") for one in (leaves, stays)]
        refused_call = await _refusal(calls.publish("orders", "too late"))
        # Without a hello: a write that fails would hide the server's status behind gRPC's own.
        refused_session = await _refusal(RawSession(calls.channel).call.read())
        await leaves.send(goodbye=ClientGoodbye(returning=True))
        left = await leaves.next("goodbye")
        stayed = await stays.next("goodbye")
        exit_code = await server.ended()
        return Drained(
            health=health,
            drains=drains,
            poll=poll_answer,
            refused_call=refused_call,
            refused_session=refused_session,
            left=left,
            stayed=stayed,
            poll_ended_after=poll_ended_after,
            ended_after=monotonic() - at,
            exit_code=exit_code,
            said=server.err.text(),
        )


async def _pending_poll(calls: Calls) -> PollResponse:
    request = PollRequest(client_id="poller", subscriptions=[Subscription(channel="orders")], wait=seconds(60))
    answer: PollResponse = await calls.requests.Poll(request)
    return answer


async def _refusal(call: Any) -> status_pb2.Status:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    assert status is not None, caught.value
    return status


def _reason(status: status_pb2.Status) -> str:
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def test_health_turns_to_not_serving(drained: Drained) -> None:
    assert drained.health == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]


def test_each_session_is_asked_to_reconnect_after_a_time_within_the_drain_timeout(drained: Drained) -> None:
    assert [frame.drain.reconnect_after.ToTimedelta().total_seconds() < DRAIN_TIMEOUT for frame in drained.drains] == [
        True,
        True,
    ]


def test_a_pending_long_poll_is_answered_at_once_with_where_it_stands(drained: Drained) -> None:
    assert [len(batch.events) for batch in drained.poll.batches] == [0]
    assert drained.poll.batches[0].position.epoch
    assert drained.poll_ended_after < DRAIN_TIMEOUT


def test_new_calls_and_sessions_are_refused(drained: Drained) -> None:
    assert (_reason(drained.refused_call), _reason(drained.refused_session)) == ("DRAINING", "DRAINING")
    assert {drained.refused_call.code, drained.refused_session.code} == {grpc.StatusCode.UNAVAILABLE.value[0]}


def test_a_session_may_say_goodbye_and_is_answered(drained: Drained) -> None:
    assert drained.left.goodbye.reason == GOODBYE_REASON_CLIENT_GOODBYE


def test_a_session_that_does_not_leave_is_ended_and_told_to_come_back(drained: Drained) -> None:
    assert drained.stayed.goodbye.reason == GOODBYE_REASON_SHUTDOWN
    assert drained.stayed.goodbye.retry


def test_the_process_ends_with_0_soon_after_the_drain_timeout(drained: Drained) -> None:
    assert drained.exit_code == 0
    assert DRAIN_TIMEOUT <= drained.ended_after < DRAIN_TIMEOUT + TOLERANCE
    assert "Traceback" not in drained.said


async def test_a_second_ctrl_c_ends_at_once() -> None:
    with Serving("--drain-timeout", "60s") as server:
        async with session(server.ready().address):
            server.interrupt()
            await server.err.line("draining")
            server.interrupt()
            assert await server.ended(TOLERANCE) == 130
