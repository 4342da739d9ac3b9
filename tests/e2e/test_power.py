"""Power loss: what was answered, or shown to anybody, is on the disk by then. The kernel's own record of it tells."""

import asyncio
from contextlib import AsyncExitStack
from itertools import chain
from pathlib import Path

import pytest
from e2e.process import Start
from e2e.raw import calling, session
from e2e.trace import Call, calls, tracing
from heartline.v1.events_pb2 import Subscription

ALONE = [f"alone {number}!" for number in range(3)]
TOGETHER = [[f"caller {caller} {number}!" for number in range(4)] for caller in range(4)]


class Record:
    """A trace of a server that got texts from publishers, each on its own connection, and showed them to one reader."""

    def __init__(self, trace: list[Call], epoch: str) -> None:
        self.log = [call for call in trace if call.path.endswith("-wal")]
        self._trace = trace
        self._epoch = epoch

    def asked(self, text: str) -> Call:
        """When the text came in."""
        return next(call for call in self._trace if call.name == "recvmsg" and call.has(text))

    def answered(self, text: str) -> Call:
        """When its publisher was answered: a receipt holds the epoch."""
        asked = self.asked(text)
        return next(call for call in self._sent(after=asked) if call.fd == asked.fd and call.has(self._epoch))

    def shown(self, text: str) -> Call:
        """When the reader was given it."""
        asked = self.asked(text)
        return next(call for call in self._sent(after=asked) if call.fd != asked.fd and call.has(text))

    def synced(self, text: str) -> Call:
        """The first completed sync that began when the text had been written."""
        written = next(call for call in self.log if call.name == "pwrite64" and call.has(text))
        return next(call for call in self.log if "sync" in call.name and call.succeeded and call.began > written.ended)

    def _sent(self, after: Call) -> list[Call]:
        return [call for call in self._trace if call.name == "sendmsg" and call.began > after.began]


@pytest.mark.needs("strace")
async def test_each_publish_is_synced_to_the_disk_before_it_is_answered_or_shown(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "trace"
    server = start(store=f"sqlite:{tmp_path}/power.db", wrap=tracing(file))
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(
            session(server.address, subscriptions=[Subscription(channel="orders", start="START_EARLIEST")])
        )
        callers = [await stack.enter_async_context(calling(server.address)) for _ in TOGETHER]

        async def publish(caller: int, texts: list[str]) -> str:
            for text in texts:
                (receipt,) = await callers[caller].publish("orders", text)
            return str(receipt.epoch)

        epoch = await publish(0, ALONE)
        await asyncio.gather(*(publish(caller, texts) for caller, texts in enumerate(TOGETHER)))
        everything = [*ALONE, *chain.from_iterable(TOGETHER)]
        await reader.events(len(everything))
    server.terminate()
    assert await server.ended() == 0

    record = Record(calls(file), epoch)
    for text in everything:
        synced = record.synced(text)
        assert synced.ended < record.answered(text).began
        assert synced.ended < record.shown(text).began
    for text in ALONE:
        # With one publish at a time nothing more is written either, so the sync has all of the transaction.
        answered = record.answered(text)
        last = [call for call in record.log if call.began < answered.began][-1]
        assert last is record.synced(text)
