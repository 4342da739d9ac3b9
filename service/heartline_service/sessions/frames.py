"""What each frame of a client asks for. A handler checks and hears at once, and does the slow part later."""

import asyncio
from typing import Any

from heartline.session import Heartbeat, HeartbeatAck, State, UnknownHeartbeat
from heartline.v1 import admin_service_pb2
from heartline.v1.events_pb2 import Position
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse, Subscribed, Unsubscribed, Welcome

from heartline_service import checks, wire
from heartline_service.faults import Fault
from heartline_service.hub import Hub
from heartline_service.presence.presence import Cause
from heartline_service.reading.cursor import Cursor, begin, begin_at_hand, check_ack
from heartline_service.sessions.link import Link
from heartline_service.sessions.live import LiveSession
from heartline_service.stores.base import NewMessage

GOODBYE_TIMEOUT = 5.0
"""Seconds that what a session asked for before its goodbye has to be answered: a store may hang."""


class Frames:
    """What sessions ask of a hub. `connect` makes them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._over = hub.session_over
        self._handlers = {
            "hello": self._hello,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "publish": self._publish,
            "ack": self._ack,
            "heartbeat": self._heartbeat,
            "heartbeat_ack": self._heartbeat_ack,
            "goodbye": self._goodbye,
        }

    def connect(self, link: Link) -> LiveSession:
        """A session that awaits its hello."""
        hub = self._hub
        return LiveSession(link, hub.clock, hub.settings.grace, self._handlers, self._over)

    def _hello(self, session: LiveSession, frame: ConnectRequest) -> None:
        """Opens the session: welcome, then one subscribed for each subscription, then events."""
        if session.rules.state is not State.OPENING:
            raise Fault("HELLO_REPEATED", "the session is open already")
        said, hub = frame.hello, self._hub
        client_id = checks.client_id(said.client_id, may_be_empty=True)
        timing = checks.timing(said, hub.settings.heartbeat)
        wishes = checks.wishes(said.subscriptions, client_id, at_least=0)
        status = checks.status(said.status)
        replaced = hub.replaced(checks.session_id(said.replaces, "replaces", may_be_empty=True), client_id)
        hub.refuse_when_away()

        session.client_id = client_id
        session.rules.open(timing, hub.clock.now(), passive=said.passive)
        if said.passive:
            session.mode = admin_service_pb2.SESSION_MODE_PASSIVE
        session.opened()
        hub.session_opened(session, status, "" if replaced else said.replaces)
        welcome = Welcome(
            session_id=session.id,
            heartbeat_interval=wire.duration(timing.interval),
            heartbeat_timeout=wire.duration(timing.timeout),
            server_name=hub.settings.name,
        )
        session.send(ConnectResponse(reply_to=frame.id, welcome=welcome))
        if replaced is not None:
            hub.session_replaced(replaced)
        for index, wish in enumerate(wishes):
            if not self._read_at_once(session, "", wish):
                kind, act = f"hello.subscriptions[{index}]", self._begin_reading(session, "", wish)
                session.later(kind, frame, act, bounded=False)

    def _subscribe(self, session: LiveSession, frame: ConnectRequest) -> None:
        """Adds a channel."""
        try:
            wish = checks.wish(frame.subscribe.subscription, session.client_id)
        except Fault as fault:
            raise fault.within("subscription") from None
        if not self._read_at_once(session, frame.id, wish):
            session.later("subscribe.subscription", frame, self._begin_reading(session, frame.id, wish))

    def _read_at_once(self, session: LiveSession, reply_to: str, wish: checks.Wish) -> bool:
        """Subscribes without a task, when memory tells where to begin and nothing that was asked for before waits."""
        feeds = session.outbox.feeds
        refused = wish.channel in feeds or len(feeds) >= checks.MAX_SUBSCRIPTIONS
        if refused or not session.under_way.idle:
            return False
        cursor = begin_at_hand(self._hub.channels, wish)
        if cursor is not None:
            self._read(session, reply_to, wish, cursor)
        return cursor is not None

    async def _begin_reading(self, session: LiveSession, reply_to: str, wish: checks.Wish) -> None:
        async with session.order:
            if wish.channel in session.outbox.feeds:
                raise Fault("ALREADY_SUBSCRIBED", "the session reads this channel already", "channel")
            if len(session.outbox.feeds) >= checks.MAX_SUBSCRIPTIONS:
                raise Fault("INVALID_SUBSCRIPTIONS", f"a session reads at most {checks.MAX_SUBSCRIPTIONS} channels")
            cursor = await begin(self._hub.channels, self._hub.store, session.client_id, wish)
            self._read(session, reply_to, wish, cursor)

    def _read(self, session: LiveSession, reply_to: str, wish: checks.Wish, cursor: Cursor) -> None:
        # The position as asked for: a client that is cut off before it is told of a gap must be told the next time.
        position = wire.position(wish.channel, cursor.epoch, cursor.offset)
        session.send(ConnectResponse(reply_to=reply_to, subscribed=Subscribed(channel=wish.channel, position=position)))
        session.read(cursor, wish.max_unacked)

    def _unsubscribe(self, session: LiveSession, frame: ConnectRequest) -> None:
        """Takes a channel away."""
        channel = checks.channel(frame.unsubscribe.channel, "channel", reading=True)
        session.later("unsubscribe", frame, self._end_reading(session, frame.id, channel))

    async def _end_reading(self, session: LiveSession, reply_to: str, channel: str) -> None:
        async with session.order:
            if channel not in session.outbox.feeds:
                raise Fault("NOT_SUBSCRIBED", "the session does not read this channel", "channel")
            cursor = session.outbox.remove(channel).cursor
            position = wire.position(channel, cursor.epoch, cursor.offset)
            session.send(
                ConnectResponse(reply_to=reply_to, unsubscribed=Unsubscribed(channel=channel, position=position))
            )

    def _publish(self, session: LiveSession, frame: ConnectRequest) -> None:
        """Appends messages."""
        asked = frame.publish
        channel = checks.channel(asked.channel, "channel")
        messages = checks.messages(asked.messages, self._hub.settings.max_message_bytes)
        session.later("publish", frame, self._append(session, frame.id, channel, messages))

    async def _append(self, session: LiveSession, reply_to: str, channel: str, messages: list[NewMessage]) -> None:
        # Begun in the order of the frames, behind a subscription that was asked for before: it must not miss this.
        async with session.order:
            appending = asyncio.create_task(self._hub.publish(channel, messages))
        receipts = await appending
        session.send(ConnectResponse(reply_to=reply_to, published=wire.published(receipts)))

    def _ack(self, session: LiveSession, frame: ConnectRequest) -> None:
        """Frees credit at once; the stored cursor follows, so that a store that fails holds up no reader."""
        positions = checks.positions(frame.ack.positions)
        feeds = session.outbox.feeds
        read_here = [(index, one, feeds[one.channel]) for index, one in enumerate(positions) if one.channel in feeds]
        for index, one, feed in read_here:
            check_ack(feed.cursor.channel.head, one, index)
        if session.client_id and len(read_here) < len(positions):
            # Whether the others are good, the store must tell first; if not, this frame is refused as a whole.
            session.later("ack", frame, self._ack_elsewhere(session, positions))
            return
        for _, one, feed in read_here:
            feed.ack(one.offset)
        if not session.client_id:
            return
        waiting = bool(session.acks)
        for one in positions:
            if one.channel not in session.acks or one.offset > session.acks[one.channel].offset:
                session.acks[one.channel] = one
        if not waiting:
            session.later("ack", frame, self._store_acks(session), bounded=False)

    async def _ack_elsewhere(self, session: LiveSession, positions: list[Position]) -> None:
        await self._hub.ack(session.client_id, positions)
        for one in positions:
            if feed := session.outbox.feeds.get(one.channel):
                feed.ack(one.offset)

    async def _store_acks(self, session: LiveSession) -> None:
        async with session.order:
            positions, session.acks = list(session.acks.values()), {}
            await self._hub.ack(session.client_id, positions)

    def _heartbeat(self, session: LiveSession, frame: ConnectRequest) -> None:
        """Answers at once."""
        beat = frame.heartbeat
        checks.status(beat.status)
        answer = session.rules.receive(Heartbeat(beat.sequence, beat.events_sent), self._hub.clock.now())
        self._hub.roster.note_status(session.client_id, beat.status)
        if answer is None:
            session.judged()
            return
        told = ConnectResponse(reply_to=frame.id)
        # Taken out once: each look into a message makes a new object.
        ack = told.heartbeat_ack
        ack.sequence = answer.sequence
        if beat.HasField("send_time"):
            ack.send_time.CopyFrom(beat.send_time)
        ack.events_sent = answer.events_sent
        session.send(told)

    def _heartbeat_ack(self, session: LiveSession, frame: ConnectRequest) -> None:
        """Settles a heartbeat of the server."""
        ack = frame.heartbeat_ack
        checks.status(ack.status)
        try:
            session.rules.receive(HeartbeatAck(ack.sequence, ack.events_sent), self._hub.clock.now())
        except UnknownHeartbeat as error:
            raise Fault("UNKNOWN_HEARTBEAT", str(error), "sequence") from None
        self._hub.roster.note_status(session.client_id, ack.status)
        if session.rules.state is State.CLOSED:
            session.judged()

    def _goodbye(self, session: LiveSession, frame: ConnectRequest) -> None:
        """Ends the session, after what it asked for before is answered, or after GOODBYE_TIMEOUT."""
        session.later("goodbye", frame, self._leave(session, frame, session.under_way.settled()), bounded=False)

    async def _leave(self, session: LiveSession, frame: ConnectRequest, settled: "asyncio.Future[Any]") -> None:
        await asyncio.wait([settled], timeout=GOODBYE_TIMEOUT)
        said = frame.goodbye
        last = wire.goodbye("CLIENT_GOODBYE", retry=False, reply_to=frame.id)
        grace = session.grace if said.returning else 0.0
        cause = session.gone if said.returning else Cause.GOODBYE
        why = "moves, and returns" if said.returning else ""
        session.finish(cause, grace=grace, last=last, check_out=said.check_out, why=why)
