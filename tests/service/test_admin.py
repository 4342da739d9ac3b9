"""For whoever runs the server, over a real socket: what it holds, its health, its reflection, and how it stops."""

import asyncio
import time
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from heartline.timing import Timing
from heartline.v1.admin_service_pb2 import (
    EndSessionRequest,
    GetServerRequest,
    ListChannelsRequest,
    ListSessionsRequest,
    ListSessionsResponse,
)
from heartline.v1.events_pb2 import Message, Position, Subscription
from heartline.v1.presence_pb2 import PRESENCE_REASON_ENDED_BY_OPERATOR
from heartline.v1.request_service_pb2 import GetPresenceRequest, PublishRequest
from heartline.v1.session_service_pb2 import GOODBYE_REASON_ENDED_BY_OPERATOR
from heartline.version import VERSION
from heartline_service.edge import Caller
from heartline_service.server import PortInUse, Server
from heartline_service.servicers.admin import AdminServicer
from service.peer import house
from service.stubs import GUARD, Stream, admin, refused, requests, stream
from virtual_time import virtual

SERVICES = ["heartline.v1.AdminService", "heartline.v1.RequestService", "heartline.v1.SessionService"]


async def health_of(channel: grpc.aio.Channel, service: str = "") -> int:
    check: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
    answer: health_pb2.HealthCheckResponse = await check(health_pb2.HealthCheckRequest(service=service))
    return answer.status


class TestServer:
    async def test_it_tells_what_it_is(self, channel: grpc.aio.Channel) -> None:
        told = await admin(channel).GetServer(GetServerRequest())
        assert (told.server_name, told.version, told.store) == ("test", VERSION, "memory")
        assert told.epoch
        assert abs(time.time() - told.start_time.ToMicroseconds() / 1e6) < GUARD
        assert (told.sessions, told.pending_polls, told.draining) == (0, 0, False)

    async def test_the_epoch_is_that_of_its_events(self, channel: grpc.aio.Channel) -> None:
        published = await requests(channel).Publish(PublishRequest(channel="news", messages=[Message()]))
        told = await admin(channel).GetServer(GetServerRequest())
        assert published.receipts[0].epoch == told.epoch

    async def test_a_port_in_use_is_told_as_such(self, server: Server, serve: Any) -> None:
        with pytest.raises(PortInUse, match=f"cannot listen on {server.address}"):
            await serve(listen=server.address)


class TestSessions:
    async def test_a_session_is_shown_with_what_it_reads(self, serve: Any) -> None:
        server = await serve(heartbeat=Timing(20.0, 7.5))
        async with grpc.aio.insecure_channel(server.address) as channel:
            subscription = Subscription(channel="news", after=Position(), max_unacked=10)
            async with stream(channel, client_id="phone-7", subscriptions=[subscription]) as line:
                await line.expect("subscribed")
                await requests(channel).Publish(PublishRequest(channel="news", messages=[Message()] * 3))
                await line.expect("events")
                await line.say(ack={"positions": [Position(channel="news", offset=1)]})
                await line.say("b", heartbeat={"sequence": 1})
                await line.expect("heartbeat_ack", "b")
                (shown,) = (await admin(channel).ListSessions(ListSessionsRequest())).sessions
        assert shown.client_id == "phone-7"
        assert shown.peer.startswith("ipv4:127.0.0.1:")
        assert abs(time.time() - shown.open_time.ToMicroseconds() / 1e6) < GUARD
        assert shown.heartbeat_interval.ToNanoseconds() == 20_000_000_000
        assert shown.heartbeat_timeout.ToNanoseconds() == 7_500_000_000
        assert 0 <= shown.silence.ToNanoseconds() < GUARD * 1e9
        assert not shown.HasField("round_trip")
        assert shown.events_sent == 3
        (reads,) = shown.subscriptions
        assert (reads.position.channel, reads.position.offset) == ("news", 3)
        assert (reads.unacked, reads.max_unacked) == (2, 10)

    async def test_they_are_listed_page_by_page_and_of_one_client(self, channel: grpc.aio.Channel) -> None:
        lines = [Stream(channel) for _ in range(7)]
        for number, line in enumerate(lines):
            await line.say(hello={"client_id": f"phone-{number % 2}"})
            await line.expect("welcome")

        async def listed(**fields: Any) -> list[ListSessionsResponse]:
            answers = [await admin(channel).ListSessions(ListSessionsRequest(page_size=2, **fields))]
            while token := answers[-1].next_page_token:
                request = ListSessionsRequest(page_size=2, page_token=token, **fields)
                answers.append(await admin(channel).ListSessions(request))
            return answers

        everybody = await listed()
        names = [one.session_id for answer in everybody for one in answer.sessions]
        assert [len(answer.sessions) for answer in everybody] == [2, 2, 2, 1]
        assert names == sorted(set(names))
        one_client = [one for answer in await listed(client_id="phone-0") for one in answer.sessions]
        assert [one.client_id for one in one_client] == ["phone-0"] * 4
        for line in lines:
            line.call.cancel()

    @virtual
    async def test_a_page_stays_under_4_mib_however_much_they_read(self) -> None:
        async with house() as server:
            names = [f"{number:0255}" for number in range(100)]
            for _ in range(160):
                await server.client("phone-7", *names)
            listed: list[str] = []
            answer = ListSessionsResponse()
            while answer.next_page_token or not listed:
                request = ListSessionsRequest(page_size=1000, page_token=answer.next_page_token)
                answer = await AdminServicer(server.hub, VERSION).ListSessions(request, Caller("test"))
                assert answer.ByteSize() < 4 * 1024 * 1024
                listed += [one.session_id for one in answer.sessions]
            assert listed == sorted(server.hub.sessions)

    async def test_an_operator_ends_one(self, channel: grpc.aio.Channel) -> None:
        async with stream(channel, client_id="phone-7") as line:
            (shown,) = (await admin(channel).ListSessions(ListSessionsRequest())).sessions
            await admin(channel).EndSession(EndSessionRequest(session_id=shown.session_id))
            told = await line.expect("goodbye")
            assert (told.reason, told.retry) == (GOODBYE_REASON_ENDED_BY_OPERATOR, False)
            assert await line.ended() == grpc.StatusCode.OK
        presence = (await requests(channel).GetPresence(GetPresenceRequest(client_id="phone-7"))).presence
        assert (presence.online, presence.reason) == (False, PRESENCE_REASON_ENDED_BY_OPERATOR)

    async def test_one_that_is_gone_cannot_be_ended(self, channel: grpc.aio.Channel) -> None:
        told = await refused(admin(channel).EndSession(EndSessionRequest(session_id="0123456789abcdef")))
        assert (told.code, told.reason, told.field) == ("NOT_FOUND", "SESSION_NOT_FOUND", "session_id")


class TestChannels:
    async def test_they_are_listed_by_name_with_their_ends(self, channel: grpc.aio.Channel) -> None:
        for count, name in enumerate(("c", "a", "b"), 1):
            await requests(channel).Publish(PublishRequest(channel=name, messages=[Message()] * count))
        first = await admin(channel).ListChannels(ListChannelsRequest(page_size=2))
        told = [(one.channel, one.oldest_offset, one.latest_offset) for one in first.channels]
        assert told == [("a", 1, 2), ("b", 1, 3)]
        request = ListChannelsRequest(page_size=2, page_token=first.next_page_token)
        second = await admin(channel).ListChannels(request)
        assert [one.channel for one in second.channels] == ["c"]
        assert not second.next_page_token


class TestHealth:
    async def test_the_server_and_each_service_serve(self, channel: grpc.aio.Channel) -> None:
        for name in ("", *SERVICES):
            assert await health_of(channel, name) == health_pb2.HealthCheckResponse.SERVING

    async def test_a_service_that_nobody_knows_is_not_found(self, channel: grpc.aio.Channel) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await health_of(channel, "heartline.v1.Nothing")
        assert failed.value.code() == grpc.StatusCode.NOT_FOUND


async def test_reflection_lists_the_services_and_knows_their_files(channel: grpc.aio.Channel) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]  # it takes this too
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="heartline.v1.SessionService"),
    ]
    async with asyncio.timeout(GUARD):
        listed, file = [answer async for answer in stub.ServerReflectionInfo(iter(asked))]
    names = {service.name for service in listed.list_services_response.service}
    assert names == {*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert file.file_descriptor_response.file_descriptor_proto


class TestStop:
    async def test_while_it_drains_it_is_not_healthy_and_takes_no_new_calls(self, serve: Any) -> None:
        server = await serve(drain_timeout=GUARD)
        async with grpc.aio.insecure_channel(server.address) as channel, stream(channel) as line:
            stopping = asyncio.create_task(server.stop())
            await line.expect("drain")
            for name in ("", *SERVICES):
                assert await health_of(channel, name) == health_pb2.HealthCheckResponse.NOT_SERVING
            told = await refused(requests(channel).Publish(PublishRequest(channel="news", messages=[Message()])))
            assert (told.code, told.reason, told.retry) == ("UNAVAILABLE", "DRAINING", True)
            another = Stream(channel)
            told = await refused(another.next())
            assert (told.code, told.reason, told.retry) == ("UNAVAILABLE", "DRAINING", True)
            await line.say("p", publish={"channel": "news", "messages": [Message()]})
            assert (await line.expect("published", "p")).receipts[0].offset == 1
            await line.say(goodbye={})
            await line.expect("goodbye")
            await stopping

    async def test_its_port_is_free_when_it_has_stopped(self, server: Server, serve: Any) -> None:
        await server.stop()
        assert (await serve(listen=server.address)).address == server.address
