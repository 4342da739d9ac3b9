"""The line carried by unary calls: long polls for all subscriptions that have room, acks, and check-ins.

Rules:
- A subscription without a known place is polled short: its place is known at once, and nothing after it is missed.
- A long poll is given up, and asked anew, when another subscription gets room meanwhile. That loses nothing: the
  cursors move only with an answer.
- `max_events` is the least room among the channels polled, so no buffer overflows.
- When there is nothing to poll, the client checks in now and then: its presence stays, and a lost server is noticed.
- Heartline saying "not now" is waited out here. Nobody answering at all ends `run` with Unavailable: the supervisor
  decides what then.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from heartline.backoff import Backoff
from heartline.convert import to_duration, to_seconds, to_wire_position, to_wire_subscription
from heartline.errors import HeartlineError, RequestError, Unavailable
from heartline.events import Position
from heartline.requests import CALL_TIMEOUT, Requests
from heartline.status import Status
from heartline.subscription import Subscription
from heartline.v1.request_service_pb2 import (
    AckRequest,
    CheckInRequest,
    CheckOutRequest,
    ListPresenceRequest,
    PollRequest,
    PollResponse,
)

WAIT = 30.0
"""How long a long poll waits, in seconds: shorter than the 60 s after which common proxies cut a silent call."""
CHECK_IN_INTERVAL = 20.0
"""How often to check in when nothing is polled, in seconds: three times in the default lease of 60 s."""
MAX_EVENTS = 1000
"""The most events that a poll may ask for."""

log = logging.getLogger("heartline")


class Polling:
    """Carries subscriptions by polling.

    `on_answer` is called whenever the server has answered and no subscription waits to learn its place.
    """

    def __init__(
        self,
        requests: Requests,
        subscriptions: Mapping[str, Subscription],
        *,
        client_id: str,
        status: Status,
        backoff: Backoff,
        on_answer: Callable[[], None],
    ) -> None:
        self._requests = requests
        self._subscriptions = subscriptions
        self._client_id = client_id
        self._status = status
        self._backoff = backoff
        self._on_answer = on_answer
        self._change = asyncio.Event()
        self._left: dict[str, Subscription] = {}
        for subscription in subscriptions.values():
            subscription.inbox.forget_acks()

    def changed(self, subscription: Subscription) -> None:
        """Something is to be done: the subscription is new, its buffer is empty, acks are due, or it is closed."""
        if subscription.closed:
            self._left[subscription.channel] = subscription
        self._change.set()

    async def run(self) -> None:
        """Polls until cancelled. Raises Unavailable when nobody answers, RequestError when the client is refused."""
        introduced = False
        while True:
            self._change.clear()
            try:
                if not introduced:
                    await self._check_in(self._status.now())
                    introduced = True
                await self._send_acks()
                wanted = self._wanted()
                if wanted:
                    known = all(subscription.inbox.received is not None for subscription in wanted)
                    await self._poll(wanted, WAIT if known else None)
                else:
                    await self._rest()
            except HeartlineError as error:
                if isinstance(error, RequestError) or (error.retry and not error.reason):
                    raise
                log.warning("the server cannot answer now: %s", error)
                await asyncio.sleep(self._backoff.next(error.retry_after))

    def _wanted(self) -> list[Subscription]:
        return [
            subscription
            for subscription in self._subscriptions.values()
            if subscription.failure is None and _room(subscription) >= max(1, subscription.inbox.capacity // 2)
        ]

    async def _poll(self, wanted: Sequence[Subscription], wait: float | None) -> None:
        try:
            answer = await self._answer(wanted, wait)
        except RequestError as error:
            if not error.reason:
                raise
            if len(wanted) == 1:
                wanted[0].fail(error)
                self._answered()
                return
            for subscription in wanted:  # one of them is at fault: the others go on
                await self._poll([subscription], None)
            return
        if answer is not None:
            self._deliver(wanted, answer)
            self._answered()
            if wait is not None:
                await asyncio.sleep(to_seconds(answer.poll_after))

    async def _answer(self, wanted: Sequence[Subscription], wait: float | None) -> PollResponse | None:
        """The answer to one poll, None when it was given up because something changed."""
        request = PollRequest(
            client_id=self._client_id,
            subscriptions=[
                to_wire_subscription(s.channel, s.inbox.received, s.start, s.inbox.capacity) for s in wanted
            ],
            max_events=min(MAX_EVENTS, *map(_room, wanted)),
            wait=None if wait is None else to_duration(wait),
        )
        ask = self._requests.ask(lambda stub: stub.Poll, request, CALL_TIMEOUT + (wait or 0.0))
        poll = asyncio.create_task(ask)
        try:
            while not poll.done():
                change = asyncio.create_task(self._change.wait())
                try:
                    await asyncio.wait({poll, change}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    change.cancel()
                if self._change.is_set() and not poll.done():
                    self._change.clear()
                    await self._send_acks()
                    if self._wanted() != wanted:
                        return None
            return poll.result()
        finally:
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)

    def _deliver(self, wanted: Sequence[Subscription], answer: PollResponse) -> None:
        by_channel = {subscription.channel: subscription for subscription in wanted}
        for batch in answer.batches:
            subscription = by_channel.get(batch.channel)
            if subscription is None or subscription.closed:
                continue
            if not subscription.put(batch):
                raise Unavailable(f"events of {batch.channel!r} are missing, and no gap was told")

    async def leave(self) -> None:
        """The last words, when `run` was cancelled: what was handled, and a check-out. Raises HeartlineError."""
        await self._send_acks(last=True)
        if self._client_id:
            await self._requests.ask(lambda stub: stub.CheckOut, CheckOutRequest(client_id=self._client_id))

    async def _send_acks(self, *, last: bool = False) -> None:
        left = list(self._left.values())
        due = [*left, *self._subscriptions.values()]
        positions = {s.channel: position for s in due if (position := s.take_ack(last=last)) is not None}
        if positions and self._client_id:
            await self._ack(positions.values(), due)
        for subscription in left:
            if self._left.get(subscription.channel) is subscription:
                del self._left[subscription.channel]

    async def _ack(self, positions: Iterable[Position], due: Sequence[Subscription]) -> None:
        request = AckRequest(client_id=self._client_id, positions=map(to_wire_position, positions))
        try:
            await self._requests.ask(lambda stub: stub.Ack, request)
            self._answered()
        except RequestError as error:
            log.warning("the server did not take an ack: %s", error)
        except BaseException:
            for subscription in due:
                subscription.inbox.forget_acks()
            raise

    async def _check_in(self, status: str) -> None:
        if self._client_id:
            request = CheckInRequest(client_id=self._client_id, status=status)
            await self._requests.ask(lambda stub: stub.CheckIn, request)
        else:  # nobody to check in: this only shows whether anybody answers
            await self._requests.ask(lambda stub: stub.ListPresence, ListPresenceRequest(page_size=1))
        self._answered()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(CHECK_IN_INTERVAL):
                await self._change.wait()
        except TimeoutError:
            await self._check_in(self._status.news())

    def _answered(self) -> None:
        self._backoff.reset()
        if all(s.inbox.received is not None or s.failure is not None for s in self._subscriptions.values()):
            self._on_answer()


def _room(subscription: Subscription) -> int:
    return subscription.inbox.capacity - len(subscription.inbox)
