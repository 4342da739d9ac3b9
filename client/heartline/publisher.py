"""Publishing: messages that wait for one another travel together, and a retry never doubles an event.

Rules:
- A channel has one batch under way. What accumulates meanwhile is the next one, in order: at most MAX_MESSAGES and
  about MAX_BYTES.
- Every message has an id. While it is unknown whether a batch arrived, the same messages are sent again with the same
  ids, with back-off, for the RETRY_WINDOW in which the server remembers them. Then the caller gets Unavailable.
- One message at fault does not fail its neighbours: a batch that is refused is sent again one by one.
- A caller who gives up takes along a message that was not sent yet.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from heartline.backoff import Backoff
from heartline.convert import from_wire_receipt
from heartline.errors import ClosedError, HeartlineError, RequestError, ServerError
from heartline.events import Receipt
from heartline.v1.events_pb2 import Message
from heartline.v1.request_service_pb2 import PublishRequest, PublishResponse

MAX_MESSAGES = 1000
"""The most messages in a batch."""
MAX_BYTES = 1024 * 1024
"""A batch that has reached this many bytes takes no more: far below the 4 MiB of a request."""
RETRY_WINDOW = 600.0
"""For how many seconds after the call a publish may be sent again; the server remembers ids for 10 minutes."""


@dataclass(slots=True, eq=False)
class _Waiting:
    message: Message
    receipt: asyncio.Future[Receipt]
    expires_at: float


class Publisher:
    """The publishing side of a line. `send` makes one attempt, with a timeout in seconds."""

    def __init__(
        self, send: Callable[[PublishRequest, float], Awaitable[PublishResponse]], backoff: Callable[[], Backoff]
    ) -> None:
        self._send = send
        self._backoff = backoff
        self._queues: dict[str, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._why: HeartlineError = ClosedError("the line was closed before the answer came")

    async def publish(self, channel: str, message: Message) -> Receipt:
        """Publishes one message. Raises HeartlineError."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(message, loop.create_future(), loop.time() + RETRY_WINDOW)
        queue = self._queues.get(channel)
        if queue is None:
            queue = self._queues[channel] = deque()
            task = asyncio.create_task(self._drain(channel, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.append(waiting)
        return await waiting.receipt

    async def flush(self) -> None:
        """Waits until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def stop(self, why: HeartlineError) -> None:
        """Gives up what is under way: the callers get `why`."""
        self._why = why
        for task in self._tasks:
            task.cancel()

    async def _drain(self, channel: str, queue: deque[_Waiting]) -> None:
        batch: list[_Waiting] = []
        try:
            await asyncio.sleep(0)  # what is published in the same breath travels together
            while queue:
                batch = _next_batch(queue)
                await self._deliver(channel, batch)
        finally:
            del self._queues[channel]
            _fail([*batch, *queue], self._why)

    async def _deliver(self, channel: str, batch: Sequence[_Waiting]) -> None:
        backoff = self._backoff()
        while batch := [waiting for waiting in batch if not waiting.receipt.done()]:
            request = PublishRequest(channel=channel, messages=[waiting.message for waiting in batch])
            try:
                answer = await self._send(request, _time_left(batch))
                _settle(batch, answer)
            except HeartlineError as error:
                if isinstance(error, RequestError) and len(batch) > 1:
                    for waiting in batch:
                        await self._deliver(channel, [waiting])
                elif error.retry:
                    await self._wait(batch, backoff.next(error.retry_after), error)
                else:
                    _fail(batch, error)

    async def _wait(self, batch: Sequence[_Waiting], delay: float, error: HeartlineError) -> None:
        now = asyncio.get_running_loop().time()
        _fail([waiting for waiting in batch if waiting.expires_at <= now + delay], error)
        cared_for = [waiting.receipt for waiting in batch if not waiting.receipt.done()]
        if cared_for:  # when all callers have given up, there is nothing to wait for
            await asyncio.wait(cared_for, timeout=delay)


def _next_batch(queue: deque[_Waiting]) -> list[_Waiting]:
    batch: list[_Waiting] = []
    size = 0
    while queue and len(batch) < MAX_MESSAGES and size < MAX_BYTES:
        waiting = queue[0]
        more = waiting.message.ByteSize()
        if batch and size + more > MAX_BYTES:
            break
        batch.append(queue.popleft())
        size += more
    return batch


def _time_left(batch: Sequence[_Waiting]) -> float:
    return min(waiting.expires_at for waiting in batch) - asyncio.get_running_loop().time()


def _settle(batch: Sequence[_Waiting], answer: PublishResponse) -> None:
    if len(answer.receipts) != len(batch):
        raise ServerError(f"the server answered {len(batch)} messages with {len(answer.receipts)} receipts")
    for waiting, receipt in zip(batch, answer.receipts, strict=True):
        if not waiting.receipt.done():
            waiting.receipt.set_result(from_wire_receipt(receipt))


def _fail(batch: Sequence[_Waiting], error: HeartlineError) -> None:
    for waiting in batch:
        if not waiting.receipt.done():
            waiting.receipt.set_exception(error)
