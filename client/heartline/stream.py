"""One session over one Connect call, from hello to its end. It never comes back: the supervisor opens the next one.

Rules:
- One task reads, one writes, and the heart beats between them.
- The reader never waits for anybody, so heartbeats are heard while a handler takes minutes. What it reads is bounded by
  the credit of each subscription.
- Heartbeats and their answers are written before anything else, then acks, then the rest in order.
- Whatever ends the session, `ended` gets exactly one Ending, the call is cancelled, and every frame that waits for its
  answer gets an error.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from itertools import count

from heartline.convert import to_seconds, to_wire_position
from heartline.ending import Ending, How, failed, lost, told
from heartline.errors import HeartlineError, Unavailable, from_status
from heartline.events import Position
from heartline.heart import Heart
from heartline.network import Call
from heartline.session import EndReason, IllegalInput, UnknownHeartbeat
from heartline.v1 import events_pb2, session_service_pb2
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse

OPENING_TIMEOUT = 10.0
"""How long to wait for the welcome, in seconds. Short heartbeats do not shorten it: connecting takes its time."""
READER_HEADSTART = 1.0
"""When writing fails, the reader has this many seconds to learn the true reason."""

OnReply = Callable[[ConnectResponse | HeartlineError], None]
log = logging.getLogger("heartline")


class Stream:
    """A session. `opened` is done once the welcome came, `draining` once the server asks to move, `ended` at the end.

    `on_batch` gets what was read, and says False when events are missing. `on_beat` gets each round-trip, in seconds;
    `status` gives what to tell with the next heartbeat, if anything.
    """

    def __init__(
        self,
        call: Call,
        hello: session_service_pb2.Hello,
        *,
        jitter: Callable[[], float],
        wall_clock: Callable[[], float],
        status: Callable[[], str],
        on_beat: Callable[[float], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.session_id = ""
        self.server_name = ""
        self.opened: asyncio.Future[None] = loop.create_future()
        self.draining: asyncio.Future[float] = loop.create_future()
        self.ended: asyncio.Future[Ending] = loop.create_future()
        self.on_batch: Callable[[events_pb2.Batch], bool] = lambda batch: True
        self._call = call
        self._more = asyncio.Event()
        self._urgent: deque[ConnectRequest] = deque()
        self._acks: dict[str, Position] = {}
        self._normal: deque[ConnectRequest] = deque()
        self._replies: dict[str, OnReply] = {}
        self._ids = count(1)
        self._heart = Heart(
            OPENING_TIMEOUT,
            jitter=jitter,
            wall_clock=wall_clock,
            status=status,
            send=self._send_urgent,
            on_beat=on_beat,
            on_death=self._on_death,
        )
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write(ConnectRequest(hello=hello)))]

    @property
    def live(self) -> bool:
        """Whether the session is open."""
        return self.opened.done() and not self.ended.done()

    def send(self, frame: ConnectRequest, on_reply: OnReply | None = None) -> None:
        """Queues a frame; `on_reply` is called once, with its answer or with an error."""
        if self.ended.done():
            if on_reply is not None:
                on_reply(_unanswered(self.ended.result()))
            return
        if on_reply is not None:
            frame.id = str(next(self._ids))
            self._replies[frame.id] = on_reply
        self._normal.append(frame)
        self._more.set()

    async def ask(self, frame: ConnectRequest) -> ConnectResponse:
        """Sends a frame and returns its answer. Raises HeartlineError: Unavailable when the session ended meanwhile."""
        answered: asyncio.Future[ConnectResponse] = asyncio.get_running_loop().create_future()

        def on_reply(reply: ConnectResponse | HeartlineError) -> None:
            if answered.done():  # whoever asked has given up
                return
            if isinstance(reply, HeartlineError):
                answered.set_exception(reply)
            else:
                answered.set_result(reply)

        self.send(frame, on_reply)
        return await answered

    def ack(self, position: Position) -> None:
        """Says that events are handled; a later ack for the channel takes an unsent one's place."""
        self._acks[position.channel] = position
        self._more.set()

    def say_goodbye(self, *, returning: bool = False, check_out: bool = False) -> None:
        """Asks the server to end the session, after all that is queued."""
        goodbye = session_service_pb2.ClientGoodbye(returning=returning, check_out=check_out)
        self.send(ConnectRequest(goodbye=goodbye))

    async def close(self) -> None:
        """Ends the session, if it has not ended, and waits until nothing of it runs."""
        self._end(lost("this end closed it", self._heart.lived))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while (frame := await self._call.read()) is not None:
                self._heart.hear(frame)
                if not self.ended.done():
                    self._dispatch(frame)
                if self.ended.done():
                    return
            self._end(lost("the server ended the call without a goodbye", self._heart.lived))
        except HeartlineError as error:
            self._end(failed(error, self._heart.lived))
        except (IllegalInput, UnknownHeartbeat, ValueError) as error:
            self._end(lost(f"the server broke the contract: {error}", self._heart.lived))
        except Exception:
            log.exception("a frame could not be handled; the session is given up")
            self._end(lost("a frame could not be handled", self._heart.lived))

    def _dispatch(self, frame: ConnectResponse) -> None:
        kind = frame.WhichOneof("frame")
        if kind == "welcome":
            self.session_id, self.server_name = frame.welcome.session_id, frame.welcome.server_name
            self.opened.set_result(None)
        elif kind == "events":
            if not self.on_batch(frame.events):
                why = f"events of {frame.events.channel!r} are missing, and no gap was told"
                self._end(lost(why, self._heart.lived))
        elif kind == "drain":
            if not self.draining.done():
                self.draining.set_result(to_seconds(frame.drain.reconnect_after))
        elif kind == "goodbye":
            self._end(told(frame.goodbye, self._heart.lived))
        elif frame.reply_to in self._replies:
            on_reply = self._replies.pop(frame.reply_to)
            on_reply(from_status(frame.rejected) if kind == "rejected" else frame)
        elif kind == "rejected":
            log.warning("the server rejected a frame: %s", from_status(frame.rejected))

    async def _write(self, hello: ConnectRequest) -> None:
        frame: ConnectRequest | None = hello
        try:
            while True:
                if frame is None:
                    self._more.clear()
                    await self._more.wait()
                else:
                    await self._call.write(frame)
                frame = self._next_frame()
        except HeartlineError as error:
            asyncio.get_running_loop().call_later(READER_HEADSTART, self._end, failed(error, self._heart.lived))
        except Exception:
            log.exception("a frame could not be written; the session is given up")
            self._end(lost("a frame could not be written", self._heart.lived))

    def _next_frame(self) -> ConnectRequest | None:
        if self._urgent:
            return self._urgent.popleft()
        if self._acks:
            positions = [to_wire_position(position) for position in self._acks.values()]
            self._acks.clear()
            return ConnectRequest(ack=session_service_pb2.Ack(positions=positions))
        return self._normal.popleft() if self._normal else None

    def _send_urgent(self, frame: ConnectRequest) -> None:
        self._urgent.append(frame)
        self._more.set()

    def _on_death(self, reason: EndReason) -> None:
        timing, lived = self._heart.timing, self._heart.lived
        if reason is EndReason.OPENING_TIMEOUT:
            self._end(Ending(How.SWALLOWED, f"no welcome within {OPENING_TIMEOUT:g} s"))
        elif reason is EndReason.EVENTS_LOST:
            self._end(lost("events were lost on the way", lived))
        else:
            why = f"the server is silent: nothing for {timing.interval:g} s, then no answer for {timing.timeout:g} s"
            self._end(Ending(How.DEAD, why, lived))

    def _end(self, ending: Ending) -> None:
        if self.ended.done():
            return
        self.ended.set_result(ending)
        self._heart.stop()
        self._call.cancel()
        for task in self._tasks:
            task.cancel()
        replies, self._replies = self._replies, {}
        for on_reply in replies.values():
            on_reply(_unanswered(ending))


def _unanswered(ending: Ending) -> HeartlineError:
    return Unavailable(f"the session ended before the answer came: {ending.why}")
