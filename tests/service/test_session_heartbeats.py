"""Heartbeats as the server does them: to the instant, in both directions, whatever else goes on."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from heartline.v1.admin_service_pb2 import SESSION_MODE_HALF_CLOSED, SESSION_MODE_HEARTBEAT, SESSION_MODE_PASSIVE
from heartline.v1.events_pb2 import START_EARLIEST, Subscription
from heartline.v1.session_service_pb2 import GOODBYE_REASON_EVENTS_LOST, GOODBYE_REASON_HEARTBEAT_TIMEOUT
from service.peer import GRACE, INTERVAL, TIMEOUT, Peer, house, until
from virtual_time import START, settle, virtual

HOUR = 3600.0


def beats(peer: Peer) -> list[float]:
    """When the server's heartbeats came, in seconds after the start of the run."""
    return [at - START for at in peer.times("heartbeat")]


class TestTheServersBeats:
    @virtual
    async def test_a_silent_client_is_asked_after_the_interval_and_ended_after_the_timeout_exactly(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            await until(INTERVAL + TIMEOUT - 0.001)
            assert beats(peer) == [INTERVAL]
            assert not peer.over
            await until(INTERVAL + TIMEOUT)
            assert peer.over
            told = peer.the("goodbye")
            assert (told.reason, told.retry) == (GOODBYE_REASON_HEARTBEAT_TIMEOUT, True)
            assert peer.kinds()[-1] == "goodbye"
            assert peer.fault is None

    @virtual
    async def test_presence_is_told_after_the_grace_that_follows_the_verdict(self) -> None:
        async with house() as server:
            await server.client("phone-7")
            await until(INTERVAL + TIMEOUT + GRACE - 0.001)
            assert await server.presence_events() == [("phone-7", "true", "CONNECTED")]
            await until(INTERVAL + TIMEOUT + GRACE)
            assert (await server.presence_events())[1:] == [("phone-7", "false", "HEARTBEAT_TIMEOUT")]

    @pytest.mark.parametrize(("interval", "timeout"), [(15.0, 10.0), (1.0, 10.0), (10.0, 1.0), (0.5, 600.0)])
    @virtual
    async def test_a_client_that_answered_and_fell_silent_is_noticed_within_interval_and_timeout(
        self, interval: float, timeout: float
    ) -> None:
        async with house() as server:
            times = {"heartbeat_interval": seconds(interval), "heartbeat_timeout": seconds(timeout)}
            peer = await server.client("phone-7", **times)
            await until(interval)
            assert beats(peer) == [interval]
            await until(interval + 0.05)
            peer.say(heartbeat_ack={"sequence": 1})
            heard = interval + 0.05
            await until(heard + interval)
            assert beats(peer) == pytest.approx([interval, heard + interval])
            await until(heard + interval + timeout + 0.001)
            assert peer.over
            assert peer.times("goodbye")[0] - START == pytest.approx(heard + interval + timeout)

    @virtual
    async def test_an_hour_of_answers_keeps_a_session(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.answering = True
            await until(HOUR)
            assert not peer.over
            assert [one.sequence for one in peer.all("heartbeat")] == list(range(1, int(HOUR / INTERVAL) + 1))

    @virtual
    async def test_any_frame_puts_the_beat_off(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            await until(10.0)
            peer.ack("news", 0)
            await until(20.0)
            peer.say(unsubscribe={"channel": "nothing"})
            await until(34.999)
            assert not beats(peer)
            await until(35.0)
            assert beats(peer) == [35.0]

    @virtual
    async def test_a_frame_that_is_refused_shows_too_that_the_client_lives(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            await until(10.0)
            peer.session.receive(b"\xff\xff")
            await until(20.0)
            assert not beats(peer)

    @virtual
    async def test_a_beat_carries_the_time_and_the_count_of_events_sent(self) -> None:
        async with house() as server:
            await server.publish("news", "one", "two", "three")
            peer = await server.client("", Subscription(channel="news", start=START_EARLIEST))
            await until(INTERVAL)
            beat = peer.the("heartbeat")
            assert (beat.sequence, beat.events_sent) == (1, 3)
            assert beat.send_time.ToSeconds() == server.hub.clock.wall()

    @virtual
    async def test_an_answer_gives_the_round_trip(self) -> None:
        async with house() as server:
            peer = await server.client()
            await until(INTERVAL + 0.25)
            peer.say(heartbeat_ack={"sequence": 1})
            assert peer.session.rules.round_trip == pytest.approx(0.25)

    @virtual
    async def test_an_answer_to_a_beat_that_was_never_sent_is_refused_and_the_session_goes_on(self) -> None:
        async with house() as server:
            peer = await server.client()
            peer.say("a", heartbeat_ack={"sequence": 1})
            await settle()
            assert peer.rejection("a") == ("UNKNOWN_HEARTBEAT", "heartbeat_ack.sequence")
            assert not peer.over


class TestTheClientsBeats:
    @virtual
    async def test_each_is_answered_at_once_with_what_it_brought(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            sent_at = Timestamp(seconds=12345, nanos=678)
            peer.say("b", heartbeat={"sequence": 7, "send_time": sent_at})
            await settle()
            answer = peer.answer("b").heartbeat_ack
            assert (answer.sequence, answer.send_time) == (7, sent_at)
            assert peer.times("heartbeat_ack") == [START]

    @virtual
    async def test_an_answer_tells_how_many_events_were_sent(self) -> None:
        async with house() as server:
            peer = await server.client("", "news")
            await server.publish("news", "one", "two")
            peer.say(heartbeat={"sequence": 1})
            await settle()
            assert peer.the("heartbeat_ack").events_sent == 2

    @virtual
    async def test_an_answer_comes_while_a_read_of_the_store_hangs(self) -> None:
        async with house() as server:
            await server.publish("news", "one")
            peer = await server.client("", "news")
            server.store.hang()
            peer.say(unsubscribe={"channel": "news"})
            peer.say(subscribe={"subscription": Subscription(channel="news", start=START_EARLIEST)})
            peer.publish("news", "two")
            await settle()
            assert server.store.reads == 1
            peer.say("b", heartbeat={"sequence": 1})
            await settle()
            assert peer.kinds() == ["welcome", "subscribed", "unsubscribed", "subscribed", "heartbeat_ack"]
            server.store.go_on()
            await settle()
            assert peer.texts() == ["one", "two"]

    @virtual
    async def test_a_beat_from_who_published_what_never_came_ends_the_session(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.publish("news", "one")
            peer.say(heartbeat={"sequence": 1, "events_sent": 1})
            await settle()
            assert not peer.over
            peer.say(heartbeat={"sequence": 2, "events_sent": 2})
            await settle()
            assert (peer.the("goodbye").reason, peer.the("goodbye").retry) == (GOODBYE_REASON_EVENTS_LOST, True)
            assert peer.over

    @virtual
    async def test_messages_of_a_frame_that_was_refused_were_not_lost(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.publish("$presence", "one")
            peer.publish("", "two")
            peer.publish("news", "three", id="x" * 256)
            peer.say(heartbeat={"sequence": 1, "events_sent": 3})
            await settle()
            assert len(peer.all("rejected")) == 3
            assert not peer.over

    @virtual
    async def test_a_status_on_a_beat_or_an_answer_is_shown_at_once(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", status="starting")
            assert (await server.hub.presence("phone-7"))[0].status == "starting"
            peer.say(heartbeat={"sequence": 1, "status": "battery 80%"})
            assert (await server.hub.presence("phone-7"))[0].status == "battery 80%"
            peer.say(heartbeat={"sequence": 2})
            assert (await server.hub.presence("phone-7"))[0].status == "battery 80%"
            await until(INTERVAL)
            peer.say(heartbeat_ack={"sequence": 1, "status": "battery 79%"})
            assert (await server.hub.presence("phone-7"))[0].status == "battery 79%"


class TestWhoIsNotJudgedByHeartbeats:
    @virtual
    async def test_a_passive_session_is_neither_asked_nor_ended(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", passive=True)
            await until(HOUR)
            assert peer.kinds() == ["welcome"]
            assert peer.session.mode == SESSION_MODE_PASSIVE

    @virtual
    async def test_a_passive_session_that_beats_is_answered(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", passive=True)
            peer.say("b", heartbeat={"sequence": 1})
            await settle()
            assert peer.answer("b").heartbeat_ack.sequence == 1

    @virtual
    async def test_a_half_closed_session_is_neither_asked_nor_ended_and_still_gets_events(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7", "news")
            assert peer.session.mode == SESSION_MODE_HEARTBEAT
            peer.session.half_closed()
            assert peer.session.mode == SESSION_MODE_HALF_CLOSED
            await until(HOUR)
            await server.publish("news", "still there?")
            assert peer.kinds() == ["welcome", "subscribed", "events"]
            assert not peer.over

    @virtual
    async def test_a_session_that_half_closes_while_it_is_in_doubt_is_not_ended(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            await until(INTERVAL + 0.9 * TIMEOUT)
            peer.session.half_closed()
            await until(HOUR)
            assert not peer.over

    @virtual
    async def test_the_loss_of_a_half_closed_session_is_a_lost_connection(self) -> None:
        async with house() as server:
            peer = await server.client("phone-7")
            peer.session.half_closed()
            peer.cut()
            await until(GRACE)
            assert (await server.presence_events())[-1] == ("phone-7", "false", "CONNECTION_LOST")


def seconds(value: float) -> Duration:
    whole = int(value)
    return Duration(seconds=whole, nanos=round((value - whole) * 1e9))
