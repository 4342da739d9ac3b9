"""The unary calls of presence over a real socket, as a first user with generated stubs meets them."""

import time

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from heartline.v1.events_pb2 import Subscription
from heartline.v1.presence_pb2 import (
    PRESENCE_REASON_CHECKED_IN,
    PRESENCE_REASON_CHECKED_OUT,
    PRESENCE_REASON_POLLED,
    Presence,
)
from heartline.v1.request_service_pb2 import CheckInRequest, CheckOutRequest, GetPresenceRequest, ListPresenceRequest
from service.stubs import poll, publish, refused, requests


async def presence(channel: grpc.aio.Channel, client_id: str) -> Presence:
    return (await requests(channel).GetPresence(GetPresenceRequest(client_id=client_id))).presence


async def check_in(channel: grpc.aio.Channel, *client_ids: str) -> None:
    for client_id in client_ids:
        await requests(channel).CheckIn(CheckInRequest(client_id=client_id))


class TestPresence:
    async def test_a_check_in_tells_when_its_lease_ends(self, channel: grpc.aio.Channel) -> None:
        request = CheckInRequest(client_id="phone-7", ttl=Duration(seconds=30), status="battery 80%")
        before = time.time()
        answer = await requests(channel).CheckIn(request)
        after = time.time()
        assert before + 29.9 <= answer.lease_expire_time.ToMicroseconds() / 1e6 <= after + 30.1
        assert not answer.events_waiting
        told = await presence(channel, "phone-7")
        assert (told.client_id, told.online, told.reason) == ("phone-7", True, PRESENCE_REASON_CHECKED_IN)
        assert (told.status, told.sessions) == ("battery 80%", 0)
        assert told.HasField("change_time")
        assert abs(told.lease_expire_time.ToMicroseconds() - answer.lease_expire_time.ToMicroseconds()) <= 1000

    async def test_a_check_in_tells_that_events_wait(self, channel: grpc.aio.Channel) -> None:
        await poll(channel, Subscription(channel="news"), client_id="phone-7")
        await publish(channel, "one")
        assert (await requests(channel).CheckIn(CheckInRequest(client_id="phone-7"))).events_waiting

    async def test_a_check_out_ends_the_lease(self, channel: grpc.aio.Channel) -> None:
        await check_in(channel, "phone-7")
        await requests(channel).CheckOut(CheckOutRequest(client_id="phone-7"))
        told = await presence(channel, "phone-7")
        assert (told.online, told.reason) == (False, PRESENCE_REASON_CHECKED_OUT)
        assert not told.HasField("lease_expire_time")

    async def test_a_check_out_of_who_was_never_here_is_no_error(self, channel: grpc.aio.Channel) -> None:
        await requests(channel).CheckOut(CheckOutRequest(client_id="phone-7"))

    async def test_who_polls_is_online(self, channel: grpc.aio.Channel) -> None:
        await poll(channel, Subscription(channel="news"), client_id="phone-7")
        told = await presence(channel, "phone-7")
        assert (told.online, told.reason) == (True, PRESENCE_REASON_POLLED)
        assert told.HasField("lease_expire_time")

    async def test_a_list_goes_page_by_page_in_the_order_of_names(self, channel: grpc.aio.Channel) -> None:
        names = [f"phone-{number}" for number in range(7)]
        await check_in(channel, *reversed(names))
        listed, token, pages = [], "", 0
        while pages == 0 or token:
            answer = await requests(channel).ListPresence(ListPresenceRequest(page_size=3, page_token=token))
            listed += [one.client_id for one in answer.presences]
            token, pages = answer.next_page_token, pages + 1
        assert listed == names
        assert pages == 3

    async def test_a_full_last_page_has_no_next(self, channel: grpc.aio.Channel) -> None:
        await check_in(channel, "a", "b")
        answer = await requests(channel).ListPresence(ListPresenceRequest(page_size=2))
        assert len(answer.presences) == 2
        assert not answer.next_page_token

    async def test_a_list_can_be_of_those_that_are_online_or_of_those_that_are_not(
        self, channel: grpc.aio.Channel
    ) -> None:
        await check_in(channel, "a", "b", "c", "d")
        for gone in ("b", "d"):
            await requests(channel).CheckOut(CheckOutRequest(client_id=gone))
        wanted = {None: ["a", "b", "c", "d"], True: ["a", "c"], False: ["b", "d"]}
        for online, names in wanted.items():
            request = ListPresenceRequest() if online is None else ListPresenceRequest(online=online)
            answer = await requests(channel).ListPresence(request)
            assert [one.client_id for one in answer.presences] == names
            assert all(online in (None, one.online) for one in answer.presences)

    async def test_pages_of_a_filtered_list_hold_only_what_fits(self, channel: grpc.aio.Channel) -> None:
        await check_in(channel, *"abcdef")
        for gone in "bdf":
            await requests(channel).CheckOut(CheckOutRequest(client_id=gone))
        first = await requests(channel).ListPresence(ListPresenceRequest(page_size=2, online=True))
        assert [one.client_id for one in first.presences] == ["a", "c"]
        request = ListPresenceRequest(page_size=2, online=True, page_token=first.next_page_token)
        second = await requests(channel).ListPresence(request)
        assert [one.client_id for one in second.presences] == ["e"]
        assert not second.next_page_token

    async def test_a_client_that_was_never_seen_is_not_found(self, channel: grpc.aio.Channel) -> None:
        told = await refused(requests(channel).GetPresence(GetPresenceRequest(client_id="phone-7")))
        assert (told.code, told.reason, told.field) == ("NOT_FOUND", "CLIENT_NOT_FOUND", "client_id")
