"""The client's heartbeat: the pure machine of `heartline.session`, the loop's clock, and one timer.

Rules:
- Every frame that comes goes through `hear`, and `hear` answers a heartbeat before anybody else sees the frame.
- When the timer fires, what has been received already is heard first. A loop that was held up for a while does not take
  a peer for dead whose answer lies in its own hands.
"""

import asyncio
import contextlib
from collections.abc import Callable

from heartline.convert import to_seconds, to_timestamp
from heartline.session import EndReason, Heartbeat, HeartbeatAck, IllegalInput, Session, State
from heartline.timing import Timing
from heartline.v1 import session_service_pb2
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse


class Heart:
    """Judges one session.

    `send` gets frames that must go before all others, `on_beat` each round-trip in seconds, `on_death` the verdict.
    """

    def __init__(
        self,
        opening_timeout: float,
        *,
        jitter: Callable[[], float],
        wall_clock: Callable[[], float],
        status: Callable[[], str],
        send: Callable[[ConnectRequest], None],
        on_beat: Callable[[float], None],
        on_death: Callable[[EndReason], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._session = Session(self._loop.time(), opening_timeout, jitter)
        self._wall_clock = wall_clock
        self._status = status
        self._send = send
        self._on_beat = on_beat
        self._on_death = on_death
        self._timer: asyncio.TimerHandle | None = None
        self._last_beat = 0
        self._opened_at: float | None = None
        self._arm()

    @property
    def timing(self) -> Timing:
        """The settings in force."""
        return self._session.timing

    @property
    def lived(self) -> float | None:
        """For how many seconds the session has been open; None when it never was."""
        return None if self._opened_at is None else self._loop.time() - self._opened_at

    def hear(self, frame: ConnectResponse) -> None:
        """A frame came. Raises IllegalInput, UnknownHeartbeat or ValueError when it breaks the contract."""
        now = self._loop.time()
        kind = frame.WhichOneof("frame")
        if kind == "welcome":
            interval, timeout = frame.welcome.heartbeat_interval, frame.welcome.heartbeat_timeout
            self._session.open(Timing(to_seconds(interval), to_seconds(timeout)), now)
            self._opened_at = now
        elif kind == "heartbeat":
            beat = Heartbeat(frame.heartbeat.sequence, frame.heartbeat.events_sent)
            answer = self._session.receive(beat, now)
            if answer is not None:
                self._answer(answer, frame.heartbeat)
        elif kind == "heartbeat_ack":
            ack = HeartbeatAck(frame.heartbeat_ack.sequence, frame.heartbeat_ack.events_sent)
            self._session.receive(ack, now)
            if ack.sequence == self._last_beat and self._session.round_trip is not None:
                self._on_beat(self._session.round_trip)
        elif kind != "goodbye" or self._session.state is not State.OPENING:
            self._session.events_received += len(frame.events.events)
            self._session.receive(None, now)
        self._arm()
        self._judge()

    def stop(self) -> None:
        """The session is over, whoever ended it."""
        with contextlib.suppress(IllegalInput):
            self._session.end(self._loop.time())
        if self._timer is not None:
            self._timer.cancel()

    def _answer(self, answer: HeartbeatAck, beat: session_service_pb2.Heartbeat) -> None:
        ack = session_service_pb2.HeartbeatAck(
            sequence=answer.sequence,
            send_time=beat.send_time,
            events_sent=answer.events_sent,
            status=self._status(),
        )
        self._send(ConnectRequest(heartbeat_ack=ack))

    def _arm(self) -> None:
        due = self._session.deadline()
        if due is None or (self._timer is not None and self._timer.when() <= due):
            return  # a timer that fires too early arms itself again: cheaper than a new one for each frame
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._on_timer, due)

    def _on_timer(self, armed_at: float) -> None:
        self._loop.call_soon(self._loop.call_soon, self._tick, armed_at)

    def _tick(self, armed_at: float) -> None:
        self._timer = None
        beat = self._session.tick(max(armed_at, self._loop.time()))
        if beat is not None:
            self._last_beat = beat.sequence
            sent_at = to_timestamp(self._wall_clock())
            heartbeat = session_service_pb2.Heartbeat(
                sequence=beat.sequence, send_time=sent_at, events_sent=beat.events_sent, status=self._status()
            )
            self._send(ConnectRequest(heartbeat=heartbeat))
        self._arm()
        self._judge()

    def _judge(self) -> None:
        reason = self._session.end_reason
        if reason is not None and reason is not EndReason.ENDED:
            self._on_death(reason)
