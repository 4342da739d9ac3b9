"""A pytest plugin: tests that need a program which this machine lacks are left out, by name; in CI that is an error."""

import os
from collections import Counter

import pytest
from tools import TOOLS, works

LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", "needs(*tools): programs beyond Python that the test runs; see tests/tools.py")
    config.stash[LEFT_OUT] = Counter()


def missing_tools(item: pytest.Item) -> list[str]:
    """The tools that a test needs and that do not work here."""
    return [tool for mark in item.iter_markers("needs") for tool in mark.args if not works(tool)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes out what cannot run here. Raises pytest.UsageError in CI, where everything must run."""
    left_out = {item: missing for item in items if (missing := missing_tools(item))}
    tools = Counter(tool for missing in left_out.values() for tool in missing)
    if left_out and os.environ.get("CI") == "true":
        raise pytest.UsageError("; ".join(["with CI=true every test must run", *sentences(tools)]))
    config.stash[LEFT_OUT] = tools
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tells what was left out, and how to get it."""
    for sentence in sentences(config.stash[LEFT_OUT]):
        terminalreporter.write_line(sentence, yellow=True)


def sentences(left_out: Counter[str]) -> list[str]:
    """One sentence for each tool that is missing."""
    return [
        f"left out {count} test{'s' * (count > 1)} that need{'s' * (count == 1)} {tool}: {TOOLS[tool].remedy}"
        for tool, count in left_out.items()
    ]
