"""The line: what a user of the library holds. It hands each wish to the part that fulfils it, and reports the state.

Rules:
- A line belongs to the event loop in which `connect` was called, and begins to connect at once.
- Nothing here waits for the network unless its caller asked for an answer from there.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import count
from types import TracebackType
from typing import Self

from heartline.backoff import Backoff
from heartline.convert import from_wire_lease, from_wire_presence, to_duration, to_wire_message, to_wire_subscription
from heartline.dialer import Settings, Surroundings
from heartline.errors import ClosedError, Conflict, HeartlineError, InvalidRequest, Unavailable
from heartline.events import Lease, LineState, Position, Presence, Receipt, Start
from heartline.publisher import Publisher
from heartline.requests import CALL_TIMEOUT, Requests
from heartline.state import Reporter
from heartline.subscription import OnGap, Subscription
from heartline.supervisor import Supervisor
from heartline.v1.request_service_pb2 import (
    CheckInRequest,
    CheckOutRequest,
    GetPresenceRequest,
    ListPresenceRequest,
    PublishRequest,
    PublishResponse,
)
from heartline.v1.session_service_pb2 import ConnectRequest

MAX_SUBSCRIPTIONS = 100
"""How many channels a line reads at most: what one call of the contract can name."""
FIRST_CONTACT = 2.0
"""For how many seconds a publish waits for a line that is connecting before it goes by a call of its own."""
FLUSH_TIMEOUT = 5.0
"""For how many seconds `close` waits for publishes under way."""

log = logging.getLogger("heartline")


class Line:
    """One client's connection to Heartline, however it is carried. Made by `connect`."""

    def __init__(
        self,
        settings: Settings,
        world: Surroundings,
        *,
        on_state: Callable[[LineState], None] | None = None,
        on_heartbeat: Callable[[float], None] | None = None,
    ) -> None:
        asyncio.get_running_loop()
        self._client_id = settings.client_id
        # Ids in a row: a store that keeps them sorted finds its place at once.
        prefix = f"{world.chance.getrandbits(64):016x}"
        self._ids = (f"{prefix}-{number:08}" for number in count(1))
        self._report = Reporter(settings.client_id or "anonymous", on_state, on_heartbeat)
        self._failure: HeartlineError | None = None
        self._closing: asyncio.Task[None] | None = None
        self._subscriptions: dict[str, Subscription] = {}
        self._requests = Requests(world.dial)
        self._publisher = Publisher(self._send, lambda: Backoff(world.chance.random))
        self._supervisor = Supervisor(settings, world, self._requests, self._subscriptions, self._report)
        self._run = asyncio.create_task(self._supervise())

    @property
    def state(self) -> LineState:
        """How the line is now, and why."""
        return self._report.state

    def subscribe(
        self,
        channel: str,
        *,
        start: Start = Start.UNSPECIFIED,
        after: Position | None = None,
        on_gap: OnGap = "raise",
        max_unacked: int = 100,
    ) -> Subscription:
        """Reads a channel: after a position, or else from `start`. At most `max_unacked` events are buffered.

        A start at the latest event is where the log ends when the server hears of it, a moment later: what
        another connection publishes until then may be before it. Until then the subscription's `position` is None.
        Raises Conflict when this line reads the channel already, InvalidRequest beyond 100 channels, ValueError for a
        setting that cannot be, ClosedError.
        """
        self._check_open()
        if max_unacked < 1:
            raise ValueError("max_unacked must be 1 or more")
        if on_gap not in ("raise", "continue"):
            raise ValueError(f'on_gap must be "raise" or "continue", not {on_gap!r}')
        if channel in self._subscriptions:
            hint = "close the other subscription first, or use a second line"
            raise Conflict(f"this line reads {channel!r} already: {hint}", reason="ALREADY_SUBSCRIBED")
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            hint = "use a second line"
            raise InvalidRequest(f"a line reads at most 100 channels: {hint}", reason="INVALID_SUBSCRIPTIONS")
        subscription = Subscription(
            channel, start=start, after=after, on_gap=on_gap, max_unacked=max_unacked, on_change=self._changed
        )
        to_wire_subscription(channel, after, start, max_unacked)  # what cannot be sent is an error here and now
        self._subscriptions[channel] = subscription
        self._changed(subscription)
        return subscription

    async def publish(
        self,
        channel: str,
        data: str | bytes = b"",
        *,
        id: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Receipt:
        """Publishes a message; the receipt means that it is durable. An id is made when none is given.

        A lost connection is waited out for up to 10 minutes, and a retry never doubles the event. Raises RequestError
        when the message is at fault, Unavailable when it is unknown whether it arrived, ClosedError.
        """
        self._check_open()
        name = id or next(self._ids)
        return await self._publisher.publish(channel, to_wire_message(name, data, dict(attributes or {})))

    async def check_in(self, ttl: float | None = None, status: str = "") -> Lease:
        """Says "I am still here" by a call of its own; it holds for `ttl` seconds, or 60. Raises HeartlineError."""
        self._check_open()
        lasting = None if ttl is None else to_duration(ttl)
        request = CheckInRequest(client_id=self._client_id, ttl=lasting, status=status)
        return from_wire_lease(await self._requests.ask(lambda stub: stub.CheckIn, request))

    async def check_out(self) -> None:
        """Ends the lease that check-ins and polls gave. A live session stays. Raises HeartlineError."""
        self._check_open()
        await self._requests.ask(lambda stub: stub.CheckOut, CheckOutRequest(client_id=self._client_id))

    async def presence(self, client_id: str) -> Presence:
        """Tells whether a client is there. Raises NotFound for one that was never seen, HeartlineError."""
        self._check_open()
        answer = await self._requests.ask(lambda stub: stub.GetPresence, GetPresenceRequest(client_id=client_id))
        return from_wire_presence(answer.presence)

    async def presences(self, online: bool | None = None) -> AsyncIterator[Presence]:
        """All clients ever seen, by client_id; only those that are (not) online if given. Raises HeartlineError."""
        token = ""
        while True:
            self._check_open()
            request = ListPresenceRequest(page_token=token)
            if online is not None:
                request.online = online
            answer = await self._requests.ask(lambda stub: stub.ListPresence, request)
            for presence in answer.presences:
                yield from_wire_presence(presence)
            token = answer.next_page_token
            if not token:
                return

    async def close(self) -> None:
        """Finishes what is under way, says goodbye, and ends everything. Bounded; safe to repeat."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        # A second Ctrl-C stops the waiting; the closing goes on as long as the loop does.
        await asyncio.shield(self._closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _check_open(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closing is not None:
            raise ClosedError("the line is closed; open a new one")

    def _changed(self, subscription: Subscription) -> None:
        if subscription.closed and self._subscriptions.get(subscription.channel) is subscription:
            del self._subscriptions[subscription.channel]
        if self._supervisor.carrier is not None:
            self._supervisor.carrier.changed(subscription)

    async def _send(self, request: PublishRequest, time_left: float) -> PublishResponse:
        if self._report.state.name == "connecting":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_CONTACT):
                    await self._report.settled.wait()
        patience = min(CALL_TIMEOUT, time_left)
        stream = self._supervisor.stream
        if stream is None or not stream.live:
            return await self._requests.ask(lambda stub: stub.Publish, request, patience)
        try:
            async with asyncio.timeout(patience):
                return (await stream.ask(ConnectRequest(publish=request))).published
        except TimeoutError:
            raise Unavailable("the session lives, but the publish was not answered") from None

    async def _supervise(self) -> None:
        try:
            await self._supervisor.run()
        except HeartlineError as error:
            self._fail(error)
        except Exception as error:
            log.exception("the line failed by a fault of its own")
            self._fail(HeartlineError(f"the line failed by a fault of its own: {error!r}"))

    def _fail(self, error: HeartlineError) -> None:
        if self._closing is not None:
            return
        self._failure = error
        for subscription in self._subscriptions.values():
            subscription.fail(error)
        self._publisher.stop(error)
        self._report.enter("closed", str(error))

    async def _close(self) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_TIMEOUT):
                    await self._publisher.flush()
            with contextlib.suppress(HeartlineError, TimeoutError):
                await self._supervisor.leave()
        finally:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
            self._publisher.stop(ClosedError("the line was closed before the answer came: it may have been published"))
            await self._publisher.flush()
            for subscription in list(self._subscriptions.values()):
                subscription.close()
            await self._requests.close()
            if self._failure is None:
                self._report.enter("closed", "closed by this program")
