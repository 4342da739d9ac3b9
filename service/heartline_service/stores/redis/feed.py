"""What a node knows of one channel that it follows, and what the next news means to it. Pure.

News come twice: as the answer to an append of our own, and as the notification that every node gets; and they may be
lost. So they are put in order by their offsets, and what does not fit is looked up in Redis.
"""

import enum
from collections import OrderedDict

from heartline_service.stores.base import Head
from heartline_service.stores.redis.keys import News

REMEMBERED = 64
"""Of how many steps it is known when they were taken, so that the same offset with other content shows."""


class Verdict(enum.Enum):
    """What is to be done about news."""

    TELL = "they are the next"
    KNOWN = "they were told already"
    EARLY = "others come before them"
    SUSPICIOUS = "they are of another log than the one that was shown"


class Feed:
    """The log of one channel as far as it was told."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.time = 0.0
        """When the newest event was published."""
        self._steps: OrderedDict[int, float] = OrderedDict()
        self._early: dict[int, News] = {}

    def start(self, head: Head, time: float) -> None:
        """Redis says that this is the log now; what is known of another is forgotten."""
        if self.head is None or self.head.epoch != head.epoch:
            self._steps.clear()
        self.head, self.time = head, time
        self._early = {first: news for first, news in self._early.items() if first > head.latest}
        self._remember(head.latest, time)

    def judge(self, news: News) -> Verdict:
        """What news mean."""
        head = self.head
        if head is None:
            return Verdict.EARLY
        if news.epoch != head.epoch:
            return Verdict.SUSPICIOUS
        if news.first > head.latest + 1:
            return Verdict.EARLY
        if news.first == head.latest + 1:
            return Verdict.TELL if news.bodies or news.oldest > head.oldest else Verdict.KNOWN
        if not news.bodies:
            return Verdict.KNOWN
        return Verdict.KNOWN if self._steps.get(news.latest, news.time) == news.time else Verdict.SUSPICIOUS

    def take(self, news: News) -> Head:
        """News that are the next are told now."""
        assert self.head is not None
        self.head = Head(news.epoch, max(news.oldest, self.head.oldest), news.latest)
        if news.bodies:
            self.time = news.time
            self._remember(news.latest, news.time)
        return self.head

    def keep(self, news: News) -> None:
        """News that are early are kept until the others are there."""
        if news.bodies or news.first not in self._early:
            self._early[news.first] = news

    def next(self) -> News | None:
        """Early news that are the next now."""
        return None if self.head is None else self._early.pop(self.head.latest + 1, None)

    def reached(self, news: News) -> bool:
        """Whether news were told, or cannot be any more."""
        return self.head is None or self.head.epoch != news.epoch or self.head.latest >= news.latest

    def _remember(self, latest: int, time: float) -> None:
        self._steps[latest] = time
        while len(self._steps) > REMEMBERED:
            self._steps.popitem(last=False)
