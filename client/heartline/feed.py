"""Subscriptions on a stream: one path for the first connect, a resume, and a hand-over.

Rules:
- A channel is subscribed once its buffer is empty, from its cursor. So what was received is never thrown away, and the
  server's fresh credit cannot overfill it.
- Batches count only for a subscription that the server has confirmed: what comes before belongs to an older one.
- A subscription that is refused for good gets the error; one that is refused for now is tried again.
- Acks do not wait for the confirmation: what was buffered before is handled, and acknowledged, meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from heartline.convert import to_wire_subscription
from heartline.errors import HeartlineError
from heartline.stream import Stream
from heartline.subscription import Subscription
from heartline.v1 import events_pb2, session_service_pb2
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse

log = logging.getLogger("heartline")


class Feed:
    """Carries subscriptions while a stream is open. `pause` tells how long to leave one that was refused for now.

    `ready` is done once the server has answered for each channel that was asked for at the start.
    """

    def __init__(self, stream: Stream, subscriptions: Mapping[str, Subscription], pause: Callable[[], float]) -> None:
        self._stream = stream
        self._subscriptions = subscriptions
        self._asked: dict[str, Subscription] = {}
        self._confirmed: dict[str, Subscription] = {}
        self._pause = pause
        self._attached = True
        self._first: set[Subscription] = set()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stream.on_batch = self._on_batch
        for subscription in subscriptions.values():
            subscription.inbox.forget_acks()
            self.changed(subscription)
        self._first = set(self._asked.values())
        self._answered()

    def changed(self, subscription: Subscription) -> None:
        """Something is to be done: the subscription is new, its buffer is empty, acks are due, or it is closed."""
        channel = subscription.channel
        self._acknowledge(subscription, last=False)
        if self._asked.get(channel) is not subscription:
            if not subscription.closed and subscription.failure is None and not len(subscription.inbox):
                self._subscribe(subscription)
            return
        if subscription.closed:
            del self._asked[channel]
            self._confirmed.pop(channel, None)
            unsubscribe = session_service_pb2.Unsubscribe(channel=channel)
            self._stream.send(ConnectRequest(unsubscribe=unsubscribe), lambda reply: None)

    def flush(self) -> None:
        """Acknowledges everything that was handled."""
        for subscription in self._subscriptions.values():
            self._acknowledge(subscription, last=True)

    def detach(self) -> None:
        """Another connection takes over: what still comes on this one is ignored."""
        self._attached = False
        self._asked.clear()
        self._confirmed.clear()

    def _acknowledge(self, subscription: Subscription, *, last: bool) -> None:
        position = subscription.take_ack(last=last)
        if position is not None:
            self._stream.ack(position)

    def _answered(self, *subscriptions: Subscription) -> None:
        self._first.difference_update(subscriptions)
        if not self._first and not self.ready.done():
            self.ready.set_result(None)

    def _subscribe(self, subscription: Subscription) -> None:
        inbox = subscription.inbox
        wanted = to_wire_subscription(subscription.channel, inbox.received, subscription.start, inbox.capacity)
        frame = ConnectRequest(subscribe=session_service_pb2.Subscribe(subscription=wanted))
        self._asked[subscription.channel] = subscription

        def on_reply(reply: ConnectResponse | HeartlineError) -> None:
            self._answered(subscription)
            if self._asked.get(subscription.channel) is not subscription:
                return
            if not isinstance(reply, HeartlineError):
                self._confirmed[subscription.channel] = subscription
                subscription.begin(reply.subscribed.position)
                self.changed(subscription)
                return
            del self._asked[subscription.channel]
            if not reply.retry:
                subscription.fail(reply)
            else:
                if reply.reason:
                    log.warning("%r cannot be read now: %s", subscription.channel, reply)
                asyncio.get_running_loop().call_later(reply.retry_after or self._pause(), self._try_again, subscription)

        self._stream.send(frame, on_reply)

    def _try_again(self, subscription: Subscription) -> None:
        if self._attached and self._stream.live:
            self.changed(subscription)

    def _on_batch(self, batch: events_pb2.Batch) -> bool:
        subscription = self._confirmed.get(batch.channel)
        return subscription is None or subscription.put(batch)
