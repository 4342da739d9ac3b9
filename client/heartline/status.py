"""A client's word on how it is, such as its battery or its load: told when a session begins, then when it is new."""

import logging
from collections.abc import Callable

log = logging.getLogger("heartline")


class Status:
    """What the user says, or is asked for each time that it may be told."""

    def __init__(self, source: str | Callable[[], str]) -> None:
        self._source = source
        self._told = ""

    def now(self) -> str:
        """The word, told whether it is new or not. One that a callback fails to give stays as it was."""
        if isinstance(self._source, str):
            self._told = self._source
        else:
            try:
                self._told = self._source()
            except Exception:
                log.exception("a callback failed; the line goes on")
        return self._told

    def news(self) -> str:
        """The word if it has changed since it was told, else nothing."""
        before = self._told
        return "" if self.now() == before else self._told
