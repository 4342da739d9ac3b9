"""What a node knows of the channels that its readers read: told by news, in log order, and looked up where news fail.

Rules:
- `on_change` is called here alone. What an append of our own did is told before its caller is answered, and after all
  that others appended before it.
- A gap in the news is waited for, for PATIENCE, as the missing part is mostly on its way; then it is read.
- Every round some channels are compared with Redis, and all of them when Redis was away or was emptied, so nothing
  stays unseen, whatever was lost on the way.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from heartline_service.stores.base import Head, OnChange, StoredEvent, StoreError
from heartline_service.stores.redis.feed import Feed, Verdict
from heartline_service.stores.redis.keys import News, unpack_news
from heartline_service.stores.redis.logs import NOTHING, Known, Logs
from heartline_service.stores.redis.news import Lines

PATIENCE = 0.05
"""Seconds."""
COMPARED = 64
"""Channels that are compared in one round."""
CATCH_UP_EVENTS, CATCH_UP_BYTES = 1000, 512 * 1024
"""When more than this was missed, readers read it from Redis, each at its own pace."""

log = logging.getLogger("heartline.service")


class Follower:
    """The channels that are followed."""

    def __init__(self, logs: Logs, on_change: OnChange) -> None:
        self.lines: Lines
        self._logs = logs
        self._on_change = on_change
        self._feeds: dict[str, Feed] = {}
        self._catching_up: dict[Feed, asyncio.Task[None]] = {}
        self._moved: dict[str, asyncio.Future[None]] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def follow(self, channel: str) -> Head:
        """Follows a channel from now on, and returns its head. Raises StoreUnavailable."""
        feed = self._feeds.setdefault(channel, Feed())
        try:
            await self.lines.follow(channel)
            await self._catch_up(channel, feed)
        except StoreError:
            if feed.head is None and self._feeds.get(channel) is feed:
                self.forget(channel)
            raise
        assert feed.head is not None
        return feed.head

    def forget(self, channel: str) -> None:
        """Follows a channel no more."""
        if self._feeds.pop(channel, None) is not None:
            self.lines.forget(channel)

    def known(self, channel: str) -> Known:
        """What was shown of a channel."""
        feed = self._feeds.get(channel)
        return NOTHING if feed is None else _known(feed)

    def heard(self, channel: str, payload: bytes) -> None:
        """A notification came."""
        feed = self._feeds.get(channel)
        if feed is None:
            return
        try:
            news = unpack_news(payload)
        except ValueError:
            log.warning("somebody else told something on the news of %r", channel)
        else:
            self._offer(channel, feed, news)

    async def appended(self, channel: str, news: News) -> None:
        """An append of our own was answered. Returns when it was told."""
        feed = self._feeds.get(channel)
        if feed is None:
            self._tell(channel, news.head(), news.events())
            return
        self._offer(channel, feed, news)
        while not feed.reached(news):
            moved = self._moved.setdefault(channel, asyncio.get_running_loop().create_future())
            done, _ = await asyncio.wait([moved], timeout=PATIENCE)
            if not done:
                await self._catch_up(channel, feed)
        if feed.head is not None and feed.head.epoch != news.epoch:
            await self._catch_up(channel, feed)

    def trimmed(self, channel: str, head: Head) -> None:
        """Retention moved a log's oldest offset."""
        feed = self._feeds.get(channel)
        if feed is None:
            self._tell(channel, head, ())
        else:
            self._offer(channel, feed, News(head.epoch, 0.0, head.oldest, head.latest + 1, ()))

    def compare(self, channels: Iterable[str]) -> None:
        """Compares channels with Redis, beside everything else."""
        for channel in channels:
            feed = self._feeds.get(channel)
            if feed is not None and feed.head is not None:
                self._beside(self._catch_up(channel, feed))

    def compare_some(self) -> None:
        """Compares those whose turn it is."""
        turn = list(self._feeds)[:COMPARED]
        for channel in turn:
            self._feeds[channel] = self._feeds.pop(channel)
        self.compare(turn)

    def compare_all(self) -> None:
        """Compares all."""
        self.compare(list(self._feeds))

    async def close(self) -> None:
        """Ends what is under way beside."""
        for task in self._background:
            task.cancel()
        if self._background:
            await asyncio.wait(self._background)

    def _offer(self, channel: str, feed: Feed, news: News) -> None:
        verdict = feed.judge(news)
        if verdict is Verdict.TELL:
            self._tell(channel, feed.take(news), news.events())
            self._go_on(channel, feed)
        elif verdict is Verdict.EARLY:
            feed.keep(news)
            if feed.head is not None:
                self._beside(self._catch_up_later(channel, feed, news))
        elif verdict is Verdict.SUSPICIOUS:
            self._beside(self._catch_up(channel, feed))

    def _go_on(self, channel: str, feed: Feed) -> None:
        while (news := feed.next()) is not None:
            if feed.judge(news) is Verdict.TELL:
                self._tell(channel, feed.take(news), news.events())

    async def _catch_up_later(self, channel: str, feed: Feed, news: News) -> None:
        await asyncio.sleep(PATIENCE)
        if not feed.reached(news):
            await self._catch_up(channel, feed)

    async def _catch_up(self, channel: str, feed: Feed) -> None:
        """Compares with Redis, and tells what is new. Those who ask at once share it."""
        task = self._catching_up.get(feed)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._compare(channel, feed))
            self._catching_up[feed] = task
            task.add_done_callback(lambda _: self._catching_up.pop(feed, None))
        await asyncio.shield(task)

    async def _compare(self, channel: str, feed: Feed) -> None:
        head, time = await self._logs.head(channel, _known(feed))
        shown = feed.head
        if shown is None:
            feed.start(head, time)
        elif head.epoch != shown.epoch:
            log.warning("the log of %r is another one than was shown: its readers are told", channel)
            feed.start(head, time)
            self._tell(channel, head, ())
        elif head.latest > shown.latest:
            epoch, events = await self._logs.read(channel, shown.latest, CATCH_UP_EVENTS, CATCH_UP_BYTES)
            assert feed.head is not None
            shown = feed.head
            fresh = [event for event in events if event.offset > shown.latest]
            if epoch == head.epoch == shown.epoch and head.latest > shown.latest:
                if fresh and fresh[0].offset == shown.latest + 1 and fresh[-1].offset >= head.latest:
                    head, time = Head(epoch, head.oldest, fresh[-1].offset), fresh[-1].published_at
                else:
                    fresh = []
                feed.start(head, time)
                self._tell(channel, head, fresh)
        elif head.latest == shown.latest and head.oldest > shown.oldest:
            feed.start(head, time)
            self._tell(channel, head, ())
        self._go_on(channel, feed)

    def _tell(self, channel: str, head: Head, events: Iterable[StoredEvent]) -> None:
        moved = self._moved.pop(channel, None)
        if moved is not None:
            moved.set_result(None)
        try:
            self._on_change(channel, head, list(events))
        except Exception:
            log.exception("a change of channel %r was not taken in", channel)

    def _beside(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_forgiving(doing))
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _forgiving(doing: Coroutine[Any, Any, None]) -> None:
    try:
        await doing
    except StoreError as error:
        log.debug("a channel could not be compared with Redis: %s", error)


def _known(feed: Feed) -> Known:
    return NOTHING if feed.head is None else Known(feed.head.epoch, feed.head.latest, feed.time)
