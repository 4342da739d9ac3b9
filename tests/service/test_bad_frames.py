"""Frames that a session refuses, over a real socket: before hello they end the call, after it the session goes on."""

import copy
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from heartline.v1.events_pb2 import Message, Position
from heartline.v1.request_service_pb2 import PublishRequest
from heartline.v1.session_service_pb2 import ConnectRequest
from heartline_service.server import Server
from service.stubs import Stream, refused, requests, stream
from service.told import detail

LONG = "\u00e9" * 128
MIB = 1024 * 1024
INVALID = "INVALID_ARGUMENT"
NAMES = ["", LONG, "a\nb"]


def state(server: Server) -> object:
    """All that the server keeps."""
    store: Any = server._hub.store
    return copy.deepcopy((store._logs, store._acks, store._presence, set(server._hub.sessions)))


def reads(*names: str, **fields: Any) -> dict[str, Any]:
    """A hello with these subscriptions."""
    return {"subscriptions": [{"channel": name, **fields} for name in names]}


def times(interval: Duration | None = None, timeout: Duration | None = None) -> dict[str, Any]:
    return {"heartbeat_interval": interval, "heartbeat_timeout": timeout}


SHORT = Duration(nanos=99_000_000)
TENTH = Duration(nanos=100_000_000)

HELLOS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"client_id": LONG}, INVALID, "INVALID_CLIENT_ID", "client_id"),
    ({"client_id": "a\nb"}, INVALID, "INVALID_CLIENT_ID", "client_id"),
    ({"status": LONG}, INVALID, "INVALID_STATUS", "status"),
    ({"replaces": LONG}, INVALID, "INVALID_SESSION_ID", "replaces"),
    (times(interval=SHORT), INVALID, "INVALID_HEARTBEAT", "heartbeat_interval"),
    (times(interval=Duration(seconds=601)), INVALID, "INVALID_HEARTBEAT", "heartbeat_interval"),
    (times(interval=Duration(seconds=-1)), INVALID, "INVALID_HEARTBEAT", "heartbeat_interval"),
    (times(timeout=SHORT), INVALID, "INVALID_HEARTBEAT", "heartbeat_timeout"),
    (times(timeout=Duration(seconds=601)), INVALID, "INVALID_HEARTBEAT", "heartbeat_timeout"),
    (times(TENTH, TENTH), INVALID, "INVALID_HEARTBEAT", "heartbeat_timeout"),
    *[(reads(name), INVALID, "INVALID_CHANNEL", "subscriptions[0].channel") for name in NAMES],
    (reads("news", "$mine"), INVALID, "RESERVED_CHANNEL", "subscriptions[1].channel"),
    (reads("news", "news"), INVALID, "INVALID_SUBSCRIPTIONS", "subscriptions"),
    (reads(*[f"c{number}" for number in range(101)]), INVALID, "INVALID_SUBSCRIPTIONS", "subscriptions"),
    (reads("news", start="START_ACKED"), INVALID, "INVALID_START", "subscriptions[0].start"),
    (reads("news", after={"channel": "orders"}), INVALID, "INVALID_POSITION", "subscriptions[0].after.channel"),
]


def publish(*messages: Message, channel: str = "news") -> dict[str, Any]:
    return {"publish": {"channel": channel, "messages": messages}}


def ack(*positions: Position) -> dict[str, Any]:
    return {"ack": {"positions": positions}}


def at(offset: int, channel: str = "news", epoch: str = "") -> Position:
    return Position(channel=channel, epoch=epoch, offset=offset)


FRAMES: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, INVALID, "EMPTY_FRAME", ""),
    ({"hello": {"client_id": "phone-8"}}, "FAILED_PRECONDITION", "HELLO_REPEATED", ""),
    ({"subscribe": {}}, INVALID, "INVALID_CHANNEL", "subscribe.subscription.channel"),
    (
        {"subscribe": {"subscription": {"channel": "orders", "after": {"channel": "news"}}}},
        INVALID,
        "INVALID_POSITION",
        "subscribe.subscription.after.channel",
    ),
    (
        {"subscribe": {"subscription": {"channel": "news"}}},
        "ALREADY_EXISTS",
        "ALREADY_SUBSCRIBED",
        "subscribe.subscription.channel",
    ),
    ({"unsubscribe": {}}, INVALID, "INVALID_CHANNEL", "unsubscribe.channel"),
    ({"unsubscribe": {"channel": "orders"}}, "NOT_FOUND", "NOT_SUBSCRIBED", "unsubscribe.channel"),
    *[(publish(Message(), channel=name), INVALID, "INVALID_CHANNEL", "publish.channel") for name in NAMES],
    (publish(Message(), channel="$presence"), INVALID, "RESERVED_CHANNEL", "publish.channel"),
    (publish(), INVALID, "NO_MESSAGES", "publish.messages"),
    (publish(*[Message()] * 1001), INVALID, "TOO_MANY_MESSAGES", "publish.messages"),
    (publish(Message(), Message(id=LONG)), INVALID, "INVALID_MESSAGE_ID", "publish.messages[1].id"),
    (publish(Message(binary=bytes(MIB + 1))), INVALID, "PAYLOAD_TOO_LARGE", "publish.messages[0].binary"),
    (publish(Message(id="m1", text="other")), "ALREADY_EXISTS", "MESSAGE_ID_REUSED", "publish.messages[0].id"),
    (publish(*[Message(binary=bytes(MIB))] * 4), INVALID, "REQUEST_TOO_LARGE", ""),
    (ack(), INVALID, "INVALID_POSITIONS", "ack.positions"),
    (ack(at(1), at(2)), INVALID, "INVALID_POSITIONS", "ack.positions"),
    (ack(at(1, channel="")), INVALID, "INVALID_CHANNEL", "ack.positions[0].channel"),
    (ack(at(2)), "OUT_OF_RANGE", "ACK_BEYOND_LOG", "ack.positions[0].offset"),
    (ack(at(1, channel="orders")), "OUT_OF_RANGE", "ACK_BEYOND_LOG", "ack.positions[0].offset"),
    (ack(at(1, epoch="before")), "FAILED_PRECONDITION", "EPOCH_MISMATCH", "ack.positions[0].epoch"),
    ({"heartbeat": {"status": LONG}}, INVALID, "INVALID_STATUS", "heartbeat.status"),
    ({"heartbeat_ack": {"sequence": 1}}, INVALID, "UNKNOWN_HEARTBEAT", "heartbeat_ack.sequence"),
    ({"heartbeat_ack": {"sequence": 0}}, INVALID, "UNKNOWN_HEARTBEAT", "heartbeat_ack.sequence"),
    ({"heartbeat_ack": {"status": "a\nb"}}, INVALID, "INVALID_STATUS", "heartbeat_ack.status"),
]


def title(case: object) -> str | None:
    """A case's part of the test's name."""
    return "-".join(case) or "nothing" if isinstance(case, dict) else None


class TestBeforeHello:
    @pytest.mark.parametrize(("hello", "code", "reason", "field"), HELLOS, ids=title)
    async def test_a_bad_hello_ends_the_call_and_changes_nothing(
        self, server: Server, channel: grpc.aio.Channel, hello: dict[str, Any], code: str, reason: str, field: str
    ) -> None:
        before = state(server)
        line = Stream(channel)
        await line.say(hello=hello)
        told = await refused(line.next())
        assert (told.code, told.reason, told.field, told.retry) == (code, reason, f"hello.{field}", False)
        assert state(server) == before

    @pytest.mark.parametrize(
        "frame",
        [{}, publish(Message()), {"heartbeat": {}}, {"goodbye": {}}, {"subscribe": {}}, ack(at(0))],
        ids=title,
    )
    async def test_any_other_frame_ends_the_call_and_changes_nothing(
        self, server: Server, channel: grpc.aio.Channel, frame: dict[str, Any]
    ) -> None:
        before = state(server)
        line = Stream(channel)
        await line.say(**frame)
        told = await refused(line.next())
        assert (told.code, told.reason) == ("FAILED_PRECONDITION", "HELLO_EXPECTED")
        assert state(server) == before

    async def test_a_bad_frame_id_ends_the_call(self, channel: grpc.aio.Channel) -> None:
        line = Stream(channel)
        await line.say(LONG, hello={})
        told = await refused(line.next())
        assert (told.code, told.reason, told.field) == (INVALID, "INVALID_FRAME_ID", "id")

    async def test_a_stream_without_any_frame_is_told_what_is_missing(self, channel: grpc.aio.Channel) -> None:
        line = Stream(channel)
        await line.call.done_writing()
        told = await refused(line.next())
        assert (told.code, told.reason) == ("FAILED_PRECONDITION", "HELLO_EXPECTED")

    async def test_the_session_of_another_client_cannot_be_replaced(self, channel: grpc.aio.Channel) -> None:
        owner = Stream(channel)
        await owner.say(hello={"client_id": "phone-7"})
        session_id = (await owner.expect("welcome")).session_id
        thief = Stream(channel)
        await thief.say(hello={"client_id": "phone-8", "replaces": session_id})
        told = await refused(thief.next())
        assert (told.code, told.reason, told.field) == (
            "PERMISSION_DENIED",
            "SESSION_OF_ANOTHER_CLIENT",
            "hello.replaces",
        )
        await owner.say("b", heartbeat={"sequence": 1})
        await owner.expect("heartbeat_ack", "b")
        owner.call.cancel()


class TestAfterHello:
    @pytest.mark.parametrize(("frame", "code", "reason", "field"), FRAMES, ids=title)
    async def test_a_bad_frame_is_rejected_changes_nothing_and_the_session_goes_on(
        self, server: Server, channel: grpc.aio.Channel, frame: dict[str, Any], code: str, reason: str, field: str
    ) -> None:
        first = PublishRequest(channel="news", messages=[Message(id="m1", text="one")])
        await requests(channel).Publish(first)
        async with stream(channel, client_id="phone-7", subscriptions=[{"channel": "news"}]) as line:
            await line.expect("subscribed")
            await line.say("b", heartbeat={"sequence": 1})
            await line.expect("heartbeat_ack", "b")
            before = state(server)
            await line.say("bad", **frame)
            told = detail(await line.expect("rejected", "bad"))
            assert (told.code, told.reason, told.field, told.retry) == (code, reason, field, False)
            assert state(server) == before
            await line.say("p", publish={"channel": "orders", "messages": [Message()]})
            assert (await line.expect("published", "p")).receipts[0].offset == 1

    @pytest.mark.parametrize("id", [LONG, "a\nb", "x" * MIB])
    async def test_a_bad_frame_id_is_rejected_and_not_sent_back(self, channel: grpc.aio.Channel, id: str) -> None:
        async with stream(channel) as line:
            await line.say(id, heartbeat={"sequence": 1})
            told = detail(await line.expect("rejected"))
            assert (told.code, told.reason, told.field) == (INVALID, "INVALID_FRAME_ID", "id")
            await line.say("b", heartbeat={"sequence": 2})
            await line.expect("heartbeat_ack", "b")

    async def test_a_frame_that_is_far_too_large_ends_its_call_and_no_other(self, channel: grpc.aio.Channel) -> None:
        async with stream(channel) as other:
            async with stream(channel) as line:
                await line.say(**publish(*[Message(binary=bytes(MIB))] * 9))
                with pytest.raises(grpc.aio.AioRpcError) as failed:
                    await line.next()
                assert failed.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            await other.say("b", heartbeat={"sequence": 1})
            await other.expect("heartbeat_ack", "b")

    async def test_what_is_new_in_a_frame_of_a_later_version_is_an_empty_frame(self, channel: grpc.aio.Channel) -> None:
        async with stream(channel) as line:
            await line.call.write(ConnectRequest.FromString(b"\x0a\x01a" + b"\x9a\x06\x02hi"))
            assert detail(await line.expect("rejected", "a")).reason == "EMPTY_FRAME"
