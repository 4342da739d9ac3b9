"""Fixtures of the tests with real processes."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from e2e.process import Serving, Start


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers; they are killed when the test ends."""
    with ExitStack() as stack:

        def started(*flags: str, **options: Any) -> Serving:
            return stack.enter_context(Serving(*flags, **options)).ready()

        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[Serving]:
    """One server for all tests of a module. Each of them uses channels and clients of its own."""
    with Serving() as server:
        yield server.ready()
