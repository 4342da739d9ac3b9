"""The stream over a real socket, as a first user with generated stubs meets it."""

import asyncio

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from heartline.v1.admin_service_pb2 import (
    SESSION_MODE_HALF_CLOSED,
    SESSION_MODE_HEARTBEAT,
    SESSION_MODE_PASSIVE,
    GetServerRequest,
    ListSessionsRequest,
    SessionInfo,
)
from heartline.v1.events_pb2 import START_EARLIEST, Message, Subscription
from heartline.v1.request_service_pb2 import GetPresenceRequest, PublishRequest
from heartline.v1.session_service_pb2 import (
    GOODBYE_REASON_CLIENT_GOODBYE,
    GOODBYE_REASON_HEARTBEAT_TIMEOUT,
    GOODBYE_REASON_REPLACED,
    GOODBYE_REASON_SHUTDOWN,
)
from heartline_service.server import Server
from service.stubs import GUARD, Stream, admin, publish, requests, stream

FIFTH = Duration(nanos=200_000_000)


def news(**fields: object) -> Subscription:
    return Subscription(channel="news", **fields)  # type: ignore[arg-type]


async def sessions(channel: grpc.aio.Channel) -> list[SessionInfo]:
    return list((await admin(channel).ListSessions(ListSessionsRequest())).sessions)


async def watch_presence(channel: grpc.aio.Channel, *kinds: str) -> list[str]:
    """The texts of the first events on "$presence", until one has each of these reasons, in this order."""
    told: list[str] = []
    async with stream(channel, subscriptions=[Subscription(channel="$presence", start=START_EARLIEST)]) as watcher:
        await watcher.expect("subscribed")
        wanted = list(kinds)
        while wanted:
            for event in (await watcher.expect("events")).events:
                told.append(event.attributes["reason"])
                if wanted and told[-1] == wanted[0]:
                    del wanted[0]
    return told


async def test_hello_welcome_subscribed_events_goodbye(channel: grpc.aio.Channel) -> None:
    line = Stream(channel)
    await line.say("1", hello={"client_id": "phone-7", "subscriptions": [news()]})
    welcome = await line.expect("welcome", "1")
    assert welcome.session_id
    assert welcome.server_name == "test"
    assert (await line.expect("subscribed")).position.offset == 0
    await publish(channel, "hello")
    batch = await line.expect("events")
    assert [event.text for event in batch.events] == ["hello"]
    assert batch.position.offset == 1
    await line.say("2", goodbye={})
    told = await line.expect("goodbye", "2")
    assert (told.reason, told.retry) == (GOODBYE_REASON_CLIENT_GOODBYE, False)
    assert await line.ended() == grpc.StatusCode.OK


async def test_what_is_published_in_one_stream_comes_out_of_another(channel: grpc.aio.Channel) -> None:
    async with stream(channel, subscriptions=[news()]) as reader, stream(channel) as writer:
        await reader.expect("subscribed")
        messages = [Message(id="m1", text="text", attributes={"a": "1"}), Message(binary=b"\xff\x00")]
        await writer.say("p", publish={"channel": "news", "messages": messages})
        receipts = (await writer.expect("published", "p")).receipts
        assert [one.offset for one in receipts] == [1, 2]
        events = (await reader.expect("events")).events
        assert [(event.id, event.text, event.binary) for event in events] == [
            ("m1", "text", b""),
            ("", "", b"\xff\x00"),
        ]
        assert dict(events[0].attributes) == {"a": "1"}
        assert events[0].HasField("publish_time")


async def test_a_stream_may_come_and_go_and_resume_from_its_last_position(channel: grpc.aio.Channel) -> None:
    await publish(channel, "one")
    async with stream(channel, subscriptions=[news(start=START_EARLIEST)]) as line:
        await line.expect("subscribed")
        position = (await line.expect("events")).position
    await publish(channel, "two")
    async with stream(channel, subscriptions=[news(after=position)]) as line:
        assert (await line.expect("subscribed")).position == position
        assert [event.text for event in (await line.expect("events")).events] == ["two"]


async def test_unacked_events_come_again_and_credit_holds_until_an_ack(channel: grpc.aio.Channel) -> None:
    hello = {"client_id": "phone-7", "subscriptions": [news(max_unacked=1)]}
    async with stream(channel, **hello) as line:
        await line.expect("subscribed")
        await publish(channel, "one", "two")
        assert [event.text for event in (await line.expect("events")).events] == ["one"]
    async with stream(channel, **hello) as line:
        await line.expect("subscribed")
        batch = await line.expect("events")
        assert [event.text for event in batch.events] == ["one"]
        await line.say(ack={"positions": [batch.position]})
        assert [event.text for event in (await line.expect("events")).events] == ["two"]


async def test_heartbeats_go_in_both_directions(channel: grpc.aio.Channel) -> None:
    async with stream(channel, heartbeat_interval=FIFTH) as line:
        await line.say("b", heartbeat={"sequence": 1})
        assert (await line.expect("heartbeat_ack", "b")).sequence == 1
        for sequence in (1, 2, 3):
            beat = await line.expect("heartbeat")
            assert beat.sequence == sequence
            await line.say(heartbeat_ack={"sequence": beat.sequence, "send_time": beat.send_time})
        (session,) = await sessions(channel)
        assert session.mode == SESSION_MODE_HEARTBEAT
        assert session.HasField("round_trip")


async def test_who_answers_no_heartbeat_is_ended_and_told(channel: grpc.aio.Channel) -> None:
    async with stream(channel, client_id="phone-7", heartbeat_interval=FIFTH, heartbeat_timeout=FIFTH) as line:
        await line.expect("heartbeat")
        while not (frame := await line.next()).HasField("goodbye"):
            assert frame.HasField("heartbeat")  # A second one, when this machine held the server up.
        told = frame.goodbye
        assert (told.reason, told.retry) == (GOODBYE_REASON_HEARTBEAT_TIMEOUT, True)
        assert await line.ended() == grpc.StatusCode.OK
    assert await watch_presence(channel, "HEARTBEAT_TIMEOUT") == ["CONNECTED", "HEARTBEAT_TIMEOUT"]


async def test_a_cancelled_call_is_a_lost_connection(channel: grpc.aio.Channel) -> None:
    async with stream(channel, client_id="phone-7"):
        presence = await requests(channel).GetPresence(GetPresenceRequest(client_id="phone-7"))
        assert (presence.presence.online, presence.presence.sessions) == (True, 1)
    assert await watch_presence(channel, "CONNECTION_LOST") == ["CONNECTED", "CONNECTION_LOST"]
    assert not await sessions(channel)


async def test_a_cancelled_call_leaves_nothing_in_the_channels_that_it_read(
    server: Server, channel: grpc.aio.Channel
) -> None:
    kept = await server._hub.channels.get("news")
    async with stream(channel, client_id="phone-7", subscriptions=[news()]) as line:
        await line.expect("subscribed")
        assert len(kept.watchers) == 1
    await watch_presence(channel, "CONNECTION_LOST")
    assert not kept.watchers


async def test_a_client_that_half_closes_after_hello_listens_on(channel: grpc.aio.Channel) -> None:
    async with stream(channel, subscriptions=[news()]) as line:
        await line.call.done_writing()
        await line.expect("subscribed")
        async with asyncio.timeout(GUARD):
            while (await sessions(channel))[0].mode != SESSION_MODE_HALF_CLOSED:
                pass
        await publish(channel, "hello")
        assert (await line.expect("events")).events[0].text == "hello"


async def test_a_passive_session_is_shown_as_such_and_still_reads(channel: grpc.aio.Channel) -> None:
    async with stream(channel, passive=True, subscriptions=[news()], heartbeat_interval=FIFTH) as line:
        await line.expect("subscribed")
        (session,) = await sessions(channel)
        assert session.mode == SESSION_MODE_PASSIVE
        await publish(channel, "hello")
        assert (await line.expect("events")).events[0].text == "hello"


async def test_a_session_that_replaces_another_ends_it(channel: grpc.aio.Channel) -> None:
    async with stream(channel, client_id="phone-7") as old:
        (session,) = await sessions(channel)
        async with stream(channel, client_id="phone-7", replaces=session.session_id):
            assert (await old.expect("goodbye")).reason == GOODBYE_REASON_REPLACED
            assert await old.ended() == grpc.StatusCode.OK
            assert len(await sessions(channel)) == 1


async def test_many_sessions_share_one_connection(channel: grpc.aio.Channel) -> None:
    lines = [Stream(channel) for _ in range(50)]
    for line in lines:
        await line.say(hello={"subscriptions": [news()]})
        await line.expect("welcome")
        await line.expect("subscribed")
    assert (await admin(channel).GetServer(GetServerRequest())).sessions == 50
    await publish(channel, "hello")
    for line in lines:
        assert (await line.expect("events")).events[0].text == "hello"
        line.call.cancel()


async def test_a_client_that_cancels_in_the_middle_of_a_flood_disturbs_nobody(channel: grpc.aio.Channel) -> None:
    messages = [Message(binary=bytes(200_000))] * 15
    async with stream(channel, subscriptions=[news()]) as other:
        await other.expect("subscribed")
        async with stream(channel, subscriptions=[news()]) as line:
            await line.expect("subscribed")
            for _ in range(3):
                await requests(channel).Publish(PublishRequest(channel="news", messages=messages))
        got = 0
        while got < 45:
            got += len((await other.expect("events")).events)
        await other.say("b", heartbeat={"sequence": 1})
        await other.expect("heartbeat_ack", "b")


async def test_a_server_that_stops_asks_to_go_and_says_goodbye_with_retry(
    server: Server, channel: grpc.aio.Channel
) -> None:
    async with stream(channel, client_id="phone-7") as line:
        stopping = asyncio.create_task(server.stop())
        assert (await line.expect("drain")).HasField("reconnect_after")
        told = await line.expect("goodbye")
        assert (told.reason, told.retry) == (GOODBYE_REASON_SHUTDOWN, True)
        assert await line.ended() == grpc.StatusCode.OK
        await stopping


async def test_a_server_that_stops_waits_no_longer_than_for_its_last_session(
    server: Server, channel: grpc.aio.Channel
) -> None:
    async with stream(channel, client_id="phone-7") as line:
        stopping = asyncio.create_task(server.stop())
        await line.expect("drain")
        await line.say(goodbye={"returning": True})
        await line.expect("goodbye")
        assert await line.ended() == grpc.StatusCode.OK
        await stopping
