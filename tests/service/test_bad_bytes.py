"""Bytes that are nothing: no protobuf, no UTF-8, no HTTP/2. They are refused by name, and disturb nobody."""

import asyncio
import random
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor import MethodDescriptor
from heartline.v1 import admin_service_pb2, request_service_pb2
from heartline.v1.events_pb2 import Message
from heartline.v1.request_service_pb2 import PublishRequest
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse
from heartline_service.server import Server
from service.stubs import GUARD, refused, requests, stream
from service.told import detail

NO_PROTOBUF = [b"\xff", b"\xff\xff\xff\xff", b"\x0a\x7f", b"\x07", b"GET / HTTP/1.1\r\n\r\n"]
NO_UTF8 = b"\xff\xfe\x80"
CONNECT = "/heartline.v1.SessionService/Connect"

UNARY: list[MethodDescriptor] = [
    method
    for file in (request_service_pb2, admin_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


def path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def call(channel: grpc.aio.Channel, path: str, data: bytes) -> Any:
    """A unary call with these bytes as its request."""
    method: Any = channel.unary_unary(path)
    return method(data)


def texts_of(method: MethodDescriptor) -> list[int]:
    """The numbers of the fields of the method's request that are texts."""
    return [field.number for field in method.input_type.fields if field.type == field.TYPE_STRING]


def text(number: int, value: bytes) -> bytes:
    """A field that is a text, as bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


class TestUnary:
    @pytest.mark.parametrize("method", UNARY, ids=lambda method: method.name)
    async def test_bytes_that_are_no_protobuf_are_refused_by_every_method(
        self, channel: grpc.aio.Channel, method: MethodDescriptor
    ) -> None:
        for data in NO_PROTOBUF:
            told = await refused(call(channel, path(method), data))
            assert (told.code, told.reason, told.field) == ("INVALID_ARGUMENT", "INVALID_ENCODING", "")
            assert method.input_type.name in told.message

    @pytest.mark.parametrize("method", [one for one in UNARY if texts_of(one)], ids=lambda method: method.name)
    async def test_text_that_is_no_utf8_is_refused_by_every_method(
        self, channel: grpc.aio.Channel, method: MethodDescriptor
    ) -> None:
        for number in texts_of(method):
            told = await refused(call(channel, path(method), text(number, NO_UTF8)))
            assert (told.code, told.reason) == ("INVALID_ARGUMENT", "INVALID_ENCODING")

    async def test_text_that_is_no_utf8_deep_in_a_request_is_refused_too(self, channel: grpc.aio.Channel) -> None:
        message = text(3, NO_UTF8)
        attributes = text(4, text(1, b"key") + text(2, NO_UTF8))
        for broken in (message, attributes):
            data = text(1, b"news") + text(2, broken)
            told = await refused(call(channel, "/heartline.v1.RequestService/Publish", data))
            assert told.reason == "INVALID_ENCODING"


class RawStream:
    """A Connect call that sends bytes as they are."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.call: Any = channel.stream_stream(CONNECT)()

    async def say(self, data: bytes) -> None:
        await self.call.write(data)

    async def next(self) -> ConnectResponse:
        async with asyncio.timeout(GUARD):
            return ConnectResponse.FromString(await self.call.read())


class TestStream:
    @pytest.mark.parametrize("data", [*NO_PROTOBUF, text(1, NO_UTF8), text(2, text(1, NO_UTF8))])
    async def test_before_hello_they_end_the_call(self, channel: grpc.aio.Channel, data: bytes) -> None:
        line = RawStream(channel)
        await line.say(data)
        told = await refused(line.next())
        assert (told.code, told.reason, told.field) == ("INVALID_ARGUMENT", "INVALID_ENCODING", "")

    async def test_after_hello_they_are_rejected_and_the_session_goes_on(self, channel: grpc.aio.Channel) -> None:
        line = RawStream(channel)
        await line.say(ConnectRequest(hello={}).SerializeToString())
        assert (await line.next()).HasField("welcome")
        for data in (*NO_PROTOBUF, text(1, NO_UTF8), text(5, text(1, NO_UTF8))):
            await line.say(data)
            answer = await line.next()
            assert not answer.reply_to
            told = detail(answer.rejected)
            assert (told.code, told.reason, told.field) == ("INVALID_ARGUMENT", "INVALID_ENCODING", "")
        await line.say(ConnectRequest(id="b", heartbeat={"sequence": 1}).SerializeToString())
        assert (await line.next()).reply_to == "b"
        line.call.cancel()


class TestPort:
    PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    @pytest.mark.parametrize(
        "garbage",
        [
            random.Random(7).randbytes(100_000),
            bytes(100_000),
            b"GET / HTTP/1.1\r\nHost: heartline\r\n\r\n",
            PREFACE + b"\xff" * 100_000,
            PREFACE + b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00",
            b"",
        ],
        ids=["random", "zeros", "http-1", "bad frames", "bad window", "nothing"],
    )
    async def test_a_stream_of_garbage_disturbs_nobody(
        self, server: Server, channel: grpc.aio.Channel, garbage: bytes
    ) -> None:
        async with stream(channel, client_id="phone-7", subscriptions=[{"channel": "news"}]) as line:
            await line.expect("subscribed")
            await self.talk_garbage(server.address, garbage)
            await requests(channel).Publish(PublishRequest(channel="news", messages=[Message(text="hello")]))
            assert (await line.expect("events")).events[0].text == "hello"
            await line.say("b", heartbeat={"sequence": 1})
            await line.expect("heartbeat_ack", "b")

    async def talk_garbage(self, address: str, garbage: bytes) -> None:
        """Sends the bytes, says that no more come, and hears the server out, whether it hangs up or answers."""
        host, _, port = address.rpartition(":")
        async with asyncio.timeout(GUARD):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(garbage)
                writer.write_eof()
                await reader.read()
            except OSError:
                pass  # The server was quicker to hang up.
            finally:
                writer.close()

    async def test_many_that_say_nothing_leave_room_for_those_who_do(
        self, server: Server, channel: grpc.aio.Channel
    ) -> None:
        host, _, port = server.address.rpartition(":")
        silent = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
        answer = await requests(channel).Publish(PublishRequest(channel="news", messages=[Message()]))
        assert answer.receipts[0].offset == 1
        for _, writer in silent:
            writer.close()
