"""Whatever comes in over a real socket: refused with status, reason and field, and nothing is changed by it."""

import copy
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message as AnyMessage
from heartline.v1.admin_service_pb2 import EndSessionRequest, ListChannelsRequest, ListSessionsRequest
from heartline.v1.events_pb2 import START_ACKED, Message, Position, Subscription
from heartline.v1.request_service_pb2 import (
    AckRequest,
    CheckInRequest,
    CheckOutRequest,
    GetPresenceRequest,
    ListPresenceRequest,
    PollRequest,
    PublishRequest,
)
from heartline_service import pages
from heartline_service.server import Server
from service.stubs import admin, refused, requests

LONG = "\u00e9" * 128
MIB = 1024 * 1024
NEWS = Subscription(channel="news")
MANY = [Subscription(channel=f"c{number}") for number in range(101)]
UNKNOWN_START = Subscription.FromString(NEWS.SerializeToString() + b"\x18\x63")


def state(server: Server) -> object:
    """All that the server keeps."""
    store: Any = server._hub.store
    return copy.deepcopy((store._logs, store._acks, store._presence, set(server._hub.sessions)))


@pytest.fixture
async def before(server: Server, channel: grpc.aio.Channel) -> object:
    """A server that holds something of everything; what it holds."""
    messages = [Message(id="m1", text="one"), Message(), Message()]
    await requests(channel).Publish(PublishRequest(channel="news", messages=messages))
    await requests(channel).CheckIn(CheckInRequest(client_id="phone-7", status="fine"))
    await requests(channel).Ack(AckRequest(client_id="phone-7", positions=[Position(channel="news", offset=1)]))
    await requests(channel).ListPresence(ListPresenceRequest())
    return state(server)


def publish(*messages: Message, channel: str = "news") -> PublishRequest:
    return PublishRequest(channel=channel, messages=messages)


def poll(*subscriptions: Subscription, **fields: Any) -> PollRequest:
    return PollRequest(subscriptions=subscriptions, **fields)


def ack(*positions: Position, client_id: str = "phone-7") -> AckRequest:
    return AckRequest(client_id=client_id, positions=positions)


def at(offset: int = 1, channel: str = "news", epoch: str = "") -> Position:
    return Position(channel=channel, epoch=epoch, offset=offset)


def names(request: Any, field: str, reason: str) -> list[tuple[Any, str, str, str]]:
    """A name that is empty, overlong, and with a control character, in a request that `request` makes of it."""
    return [(request(name), "INVALID_ARGUMENT", reason, field) for name in ("", LONG, "a\nb", "a\x9fb")]


def unary_cases() -> list[tuple[AnyMessage, str, str, str]]:
    """Request, code, reason, field."""
    invalid = "INVALID_ARGUMENT"
    client = "INVALID_CLIENT_ID"
    subscriptions, positions = "INVALID_SUBSCRIPTIONS", "INVALID_POSITIONS"
    token = "INVALID_PAGE_TOKEN"
    return [
        *names(lambda name: publish(Message(), channel=name), "channel", "INVALID_CHANNEL"),
        (publish(Message(), channel="$presence"), invalid, "RESERVED_CHANNEL", "channel"),
        (publish(Message(), channel="$mine"), invalid, "RESERVED_CHANNEL", "channel"),
        (publish(), invalid, "NO_MESSAGES", "messages"),
        (publish(*[Message()] * 1001), invalid, "TOO_MANY_MESSAGES", "messages"),
        (publish(Message(), Message(id=LONG)), invalid, "INVALID_MESSAGE_ID", "messages[1].id"),
        (publish(Message(id="a\0b")), invalid, "INVALID_MESSAGE_ID", "messages[0].id"),
        (publish(Message(), Message(binary=bytes(MIB + 1))), invalid, "PAYLOAD_TOO_LARGE", "messages[1].binary"),
        (publish(Message(text="x" * (MIB + 1))), invalid, "PAYLOAD_TOO_LARGE", "messages[0].text"),
        (publish(Message(attributes={"": "1"})), invalid, "INVALID_ATTRIBUTES", "messages[0].attributes"),
        (publish(Message(), Message(id="m1", text="other")), "ALREADY_EXISTS", "MESSAGE_ID_REUSED", "messages[1].id"),
        (publish(*[Message(binary=bytes(MIB))] * 4), invalid, "REQUEST_TOO_LARGE", ""),
        (poll(NEWS, client_id=LONG), invalid, client, "client_id"),
        (poll(NEWS, client_id="a\tb"), invalid, client, "client_id"),
        (poll(), invalid, subscriptions, "subscriptions"),
        (poll(*MANY), invalid, subscriptions, "subscriptions"),
        (poll(NEWS, NEWS), invalid, subscriptions, "subscriptions"),
        *names(lambda name: poll(Subscription(channel=name)), "subscriptions[0].channel", "INVALID_CHANNEL"),
        (poll(NEWS, Subscription(channel="$mine")), invalid, "RESERVED_CHANNEL", "subscriptions[1].channel"),
        (poll(UNKNOWN_START), invalid, "INVALID_START", "subscriptions[0].start"),
        (poll(Subscription(channel="news", start=START_ACKED)), invalid, "INVALID_START", "subscriptions[0].start"),
        (
            poll(Subscription(channel="news", after=at(channel="orders"))),
            invalid,
            "INVALID_POSITION",
            "subscriptions[0].after.channel",
        ),
        (poll(NEWS, max_events=1001), invalid, "INVALID_MAX_EVENTS", "max_events"),
        (poll(NEWS, client_id="new", wait=Duration(seconds=-1)), invalid, "INVALID_WAIT", "wait"),
        (poll(NEWS, client_id="new", wait=Duration(seconds=301)), invalid, "INVALID_WAIT", "wait"),
        *names(lambda name: ack(at(), client_id=name), "client_id", client),
        (ack(), invalid, positions, "positions"),
        (ack(*[at(0, one.channel) for one in MANY]), invalid, positions, "positions"),
        (ack(at(1), at(2)), invalid, positions, "positions"),
        (ack(at(2), at(0, channel="$mine")), invalid, "RESERVED_CHANNEL", "positions[1].channel"),
        (ack(at(0, channel="orders"), at(4)), "OUT_OF_RANGE", "ACK_BEYOND_LOG", "positions[1].offset"),
        (ack(at(1, channel="orders")), "OUT_OF_RANGE", "ACK_BEYOND_LOG", "positions[0].offset"),
        (ack(at(2, epoch="before")), "FAILED_PRECONDITION", "EPOCH_MISMATCH", "positions[0].epoch"),
        *names(lambda name: CheckInRequest(client_id=name), "client_id", client),
        (CheckInRequest(client_id="new", ttl=Duration()), invalid, "INVALID_TTL", "ttl"),
        (CheckInRequest(client_id="new", ttl=Duration(nanos=99_000_000)), invalid, "INVALID_TTL", "ttl"),
        (CheckInRequest(client_id="new", ttl=Duration(seconds=-60)), invalid, "INVALID_TTL", "ttl"),
        (CheckInRequest(client_id="phone-7", ttl=Duration(seconds=86401)), invalid, "INVALID_TTL", "ttl"),
        (CheckInRequest(client_id="phone-7", status=LONG), invalid, "INVALID_STATUS", "status"),
        (CheckInRequest(client_id="phone-7", status="a\nb"), invalid, "INVALID_STATUS", "status"),
        *names(lambda name: CheckOutRequest(client_id=name), "client_id", client),
        *names(lambda name: GetPresenceRequest(client_id=name), "client_id", client),
        (GetPresenceRequest(client_id="nobody"), "NOT_FOUND", "CLIENT_NOT_FOUND", "client_id"),
        (ListPresenceRequest(page_size=1001), invalid, "INVALID_PAGE_SIZE", "page_size"),
        (ListPresenceRequest(page_token="nonsense"), invalid, token, "page_token"),
        (ListPresenceRequest(page_token=pages.token("presence True", "a")), invalid, token, "page_token"),
        (ListPresenceRequest(page_token=pages.token("channels", "a")), invalid, token, "page_token"),
        (ListSessionsRequest(page_size=1001), invalid, "INVALID_PAGE_SIZE", "page_size"),
        (ListSessionsRequest(page_token="nonsense"), invalid, token, "page_token"),
        (ListSessionsRequest(client_id="a", page_token=pages.token("sessions b", "1")), invalid, token, "page_token"),
        (ListSessionsRequest(client_id=LONG), invalid, client, "client_id"),
        *names(lambda name: EndSessionRequest(session_id=name), "session_id", "INVALID_SESSION_ID"),
        (EndSessionRequest(session_id="nothing"), "NOT_FOUND", "SESSION_NOT_FOUND", "session_id"),
        (ListChannelsRequest(page_size=1001), invalid, "INVALID_PAGE_SIZE", "page_size"),
        (ListChannelsRequest(page_token=pages.token("presence None", "a")), invalid, token, "page_token"),
    ]


def title(case: object) -> str | None:
    """A case's part of the test's name."""
    return type(case).__name__ if isinstance(case, AnyMessage) else None


class TestUnary:
    @pytest.mark.parametrize(("request_", "code", "reason", "field"), unary_cases(), ids=title)
    async def test_a_bad_request_is_refused_and_changes_nothing(
        self,
        server: Server,
        channel: grpc.aio.Channel,
        before: object,
        request_: AnyMessage,
        code: str,
        reason: str,
        field: str,
    ) -> None:
        name = type(request_).__name__.removesuffix("Request")
        stub: Any = requests(channel) if hasattr(requests(channel), name) else admin(channel)
        told = await refused(getattr(stub, name)(request_))
        assert (told.code, told.reason, told.field, told.retry) == (code, reason, field, False)
        assert len(told.message) < 500
        assert state(server) == before

    async def test_a_token_is_good_for_its_own_list_and_filter_only(self, channel: grpc.aio.Channel) -> None:
        for name in ("a", "b"):
            await requests(channel).CheckIn(CheckInRequest(client_id=name))
        page = await requests(channel).ListPresence(ListPresenceRequest(page_size=1, online=True))
        good = ListPresenceRequest(page_token=page.next_page_token, online=True)
        assert [one.client_id for one in (await requests(channel).ListPresence(good)).presences] == ["b"]
        for bad in (
            requests(channel).ListPresence(ListPresenceRequest(page_token=page.next_page_token)),
            requests(channel).ListPresence(ListPresenceRequest(page_token=page.next_page_token, online=False)),
            admin(channel).ListSessions(ListSessionsRequest(page_token=page.next_page_token)),
            admin(channel).ListChannels(ListChannelsRequest(page_token=page.next_page_token)),
        ):
            assert (await refused(bad)).reason == "INVALID_PAGE_TOKEN"

    async def test_a_request_that_is_far_too_large_is_refused_and_the_next_one_is_not(
        self, server: Server, channel: grpc.aio.Channel, before: object
    ) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await requests(channel).Publish(publish(*[Message(binary=bytes(MIB))] * 9))
        assert failed.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert state(server) == before
        assert (await requests(channel).Publish(publish(Message()))).receipts[0].offset == 4

    async def test_a_message_that_is_large_by_what_the_contract_does_not_name_reaches_nobody(
        self, channel: grpc.aio.Channel
    ) -> None:
        padding = b"\xfa\x07" + bytes([0x80, 0x80, 0xFC, 0x01]) + bytes(4_128_768)
        padded = Message.FromString(Message(text="small").SerializeToString() + padding)
        assert padded.ByteSize() > 4_000_000
        await requests(channel).Publish(publish(padded))
        answer = await requests(channel).Poll(poll(Subscription(channel="news", after=at(0))))
        assert [event.text for event in answer.batches[0].events] == ["small"]
        assert answer.ByteSize() < 1000
