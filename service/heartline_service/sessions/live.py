"""One live session: hears frames, runs the heartbeat rules, and ends in exactly one way.

It talks to a Link (gRPC's, or a test's). The rules of time are those of heartline.session; this shell arms their timer
and sends what they say. What a frame asks for is done by its handler (frames.py).
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping

from heartline.session import EndReason, Session, State
from heartline.v1 import admin_service_pb2, events_pb2
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse, Drain

from heartline_service import checks, wire
from heartline_service.clock import Clock, Timer
from heartline_service.faults import Fault, refusal
from heartline_service.presence.presence import Cause
from heartline_service.reading.cursor import Cursor
from heartline_service.sessions.link import Link
from heartline_service.sessions.outbox import Outbox
from heartline_service.sessions.under_way import UnderWay

HELLO_TIMEOUT = 10.0
"""Seconds that a client has for its hello."""
LAST_WORDS = 1.0
"""Seconds that the last frames have to leave before the session ends without them."""

log = logging.getLogger("heartline.service")

Handler = Callable[["LiveSession", ConnectRequest], None]
"""Does what a frame asks for; raises Fault when it is refused."""
Over = Callable[["LiveSession", Cause, float, bool], None]
"""Told when an open session is over: why, the grace in seconds, and whether the client checks out too."""


class LiveSession:
    """One session, from before its hello to its end. `ended` gives the fault to end the call with, or None."""

    __slots__ = (
        "_clock",
        "_fault",
        "_grace",
        "_handlers",
        "_over",
        "_tell_over",
        "_timer",
        "_timer_at",
        "acks",
        "client_id",
        "drain_after",
        "ended",
        "gone",
        "id",
        "link",
        "mode",
        "opened_at",
        "order",
        "outbox",
        "rules",
        "under_way",
    )

    def __init__(self, link: Link, clock: Clock, grace: float, handlers: Mapping[str, Handler], over: Over) -> None:
        self.link = link
        self._clock = clock
        self._grace = grace
        self._handlers = handlers
        self._tell_over = over
        self.id = secrets.token_hex(8)
        self.client_id = ""
        self.mode = admin_service_pb2.SESSION_MODE_HEARTBEAT
        self.opened_at: float | None = None
        self.drain_after = 0.0
        self.gone = Cause.CONNECTION_LOST
        self.rules = Session(clock.now(), HELLO_TIMEOUT)
        self.outbox = Outbox(self.rules, link.send)
        self.ended: asyncio.Future[Fault | None] = asyncio.get_running_loop().create_future()
        self.order = asyncio.Lock()
        self.acks: dict[str, events_pb2.Position] = {}
        self.under_way = UnderWay()
        self._timer: Timer | None = None
        self._timer_at = 0.0
        self._over = False
        self._fault: Fault | None = None
        self._arm()

    @property
    def grace(self) -> float:
        """For how many seconds its client may be gone before that shows: longer for one that was asked to move."""
        return self._grace + self.drain_after

    async def write(self) -> None:
        """Writes until the session has ended. To be run as a task: the one writer of the link."""
        try:
            await self.outbox.run()
        finally:
            # Without effect on a session that has ended in another way.
            self.lost()
            self._settle()

    # What the link tells.

    def receive(self, data: bytes) -> None:
        """A frame came, as bytes."""
        if self._over:
            return
        kind, frame_id = None, ""
        try:
            frame = checks.parsed(ConnectRequest, data)
            kind = frame.WhichOneof("frame")
            if kind == "publish":
                # Counted when refused, too: it is not lost.
                self.rules.events_received += len(frame.publish.messages)
            frame_id = checks.frame_id(frame.id)
            checks.request_size(data)
            self._handle(kind, frame)
        except Fault as fault:
            told = fault.within(kind) if kind and fault.field != "id" else fault
            if self.rules.state is State.OPENING:
                self.finish(Cause.CONNECTION_LOST, fault=told)
            else:
                self.rules.receive(None, self._clock.now())
                self.reject(frame_id, told)
        self._arm()

    def half_closed(self) -> None:
        """The client closed its sending side, or is gone: gRPC tells the two apart a moment later."""
        if self._over:
            return
        if self.rules.state is State.OPENING:
            self.finish(Cause.CONNECTION_LOST, fault=Fault("HELLO_EXPECTED", "the stream ended before hello"))
            return
        self.rules.half_close(self._clock.now())
        self.mode = admin_service_pb2.SESSION_MODE_HALF_CLOSED

    def lost(self) -> None:
        """The connection is gone."""
        self.finish(self.gone, grace=self.grace, why=Cause.CONNECTION_LOST.value)

    # What frames and the hub ask for.

    def send(self, frame: ConnectResponse) -> None:
        """Sends an answer or a heartbeat."""
        if not self._over:
            self.outbox.put(frame.SerializeToString())

    def read(self, cursor: Cursor, max_unacked: int) -> None:
        """Starts to push a channel."""
        if not self._over:
            self.outbox.add(cursor, max_unacked)

    def reject(self, frame_id: str, fault: Fault) -> None:
        """Refuses one frame; the session goes on."""
        self.send(ConnectResponse(reply_to=frame_id, rejected=fault.status()))

    def later(
        self, kind: str, frame: ConnectRequest, act: Coroutine[None, None, object], *, bounded: bool = True
    ) -> None:
        """Does what a frame asks for beside the reader. Raises Fault when too much is under way."""
        self.under_way.start(frame, act, lambda error: self.reject(frame.id, refusal(error).within(kind)), bounded)

    def drain(self, after: float) -> None:
        """Asks the client to open its next session elsewhere, after so many seconds. If it does not, we are why."""
        self.drain_after, self.gone = after, Cause.SERVER_RESTARTED
        self.send(ConnectResponse(drain=Drain(reconnect_after=wire.duration(after))))

    def opened(self) -> None:
        """Hello was accepted: the heartbeats run."""
        self.opened_at = self._clock.wall()
        self._arm()
        log.info("session %s of %r from %s opened", self.id, self.client_id, self.link.peer)

    def finish(
        self,
        cause: Cause,
        *,
        grace: float = 0.0,
        last: bytes | None = None,
        fault: Fault | None = None,
        check_out: bool = False,
        why: str = "",
    ) -> None:
        """Ends the session, once: tells who must know, sends the `last` frame, settles `ended`; `why` is logged."""
        if self._over:
            return
        self._over = True
        now = self._clock.now()
        if self.rules.state is not State.CLOSED:
            self.rules.end(now)
        if self._timer is not None:
            self._timer.cancel()
        if self.opened_at is not None:
            log.info("session %s of %r from %s ended: %s", self.id, self.client_id, self.link.peer, why or cause.value)
            self._tell_over(self, cause, grace, check_out)
        self._fault = fault
        if last is None:
            self._settle()
        else:
            self._timer = self._clock.call_at(now + LAST_WORDS, self._settle)
            self.outbox.put(last)
            self.outbox.close()

    def _settle(self) -> None:
        if not self.ended.done():
            self.outbox.cancel()
            if self._timer is not None:
                self._timer.cancel()
            self.ended.set_result(self._fault)

    def _handle(self, kind: str | None, frame: ConnectRequest) -> None:
        if self.rules.state is State.OPENING and kind != "hello":
            raise Fault("HELLO_EXPECTED", "the first frame must be hello")
        if kind is None:
            raise Fault("EMPTY_FRAME", "the frame holds nothing that this server knows")
        if kind not in ("hello", "heartbeat", "heartbeat_ack"):
            self.rules.receive(None, self._clock.now())
        self._handlers[kind](self, frame)

    # Time.

    def _arm(self) -> None:
        due = self.rules.deadline()
        if due is not None and (self._timer is None or due < self._timer_at):
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = due
            self._timer = self._clock.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._over:
            return
        # A timer may fire a hair early; the rules must see the instant that it was armed for.
        now = max(self._timer_at, self._clock.now())
        beat = self.rules.tick(now)
        if beat is not None:
            told = ConnectResponse()
            told.heartbeat.sequence = beat.sequence
            told.heartbeat.send_time.CopyFrom(wire.timestamp(self._clock.wall()))
            told.heartbeat.events_sent = beat.events_sent
            self.send(told)
        if self.rules.state is State.CLOSED:
            self.judged()
        else:
            self._arm()

    def judged(self) -> None:
        """The rules have closed the session: it ends."""
        reason = self.rules.end_reason
        assert reason is not None
        if reason is EndReason.OPENING_TIMEOUT:
            told = Fault("HELLO_TIMEOUT", f"no hello came within {HELLO_TIMEOUT:g} s")
            self.finish(Cause.CONNECTION_LOST, fault=told)
        else:
            cause = Cause.HEARTBEAT_TIMEOUT if reason is EndReason.HEARTBEAT_TIMEOUT else Cause.CONNECTION_LOST
            self.finish(cause, grace=self.grace, last=wire.goodbye(reason.name, retry=True), why=reason.value)
