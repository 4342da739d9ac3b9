"""A pytest plugin: files that take long start first, so that no process is left alone with one when all else is done.

Seconds are those of a quiet machine with two cores. What is not named here takes less, and keeps its order.
"""

from pathlib import Path

import pytest

LONGEST = {
    "e2e/test_nodes.py": 48,
    "stores/test_redis_cluster.py": 15,
    "e2e/test_start_redis.py": 13,
    "lab/test_contrast_command.py": 11,
    "e2e/test_workers.py": 11,
    "lab/test_detect_run.py": 10,
    "e2e/test_redis_away.py": 9,
    "stores/test_store_log.py": 8,
    "lab/test_report_page.py": 8,
    "bench/test_session_figures.py": 8,
    "client/test_line_moves.py": 7,
    "e2e/test_start.py": 6,
}
TESTS = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Raises pytest.UsageError when a file is named here that is not there."""
    if gone := [name for name in LONGEST if not (TESTS / name).exists()]:
        raise pytest.UsageError(f"{Path(__file__).name} names {', '.join(gone)}, which is not there")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of these files first."""
    items.sort(key=lambda item: -LONGEST.get(_name(item), 0))


def _name(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).as_posix() if item.path.is_relative_to(TESTS) else ""
