"""The documents' own examples, run as they stand there, in their order, against one server for each document.

A comment before a fenced block says what to do with it, and README.md shows each kind:
    <!-- run: shell -->                 run it; it must succeed
    <!-- run: python, until: TEXT -->   it does not end by itself: run it until TEXT is in its output, then Ctrl-C
    <!-- output -->                     these lines are in the output of the block before, in order; ... is anything
    <!-- not run: why -->               leave it
"""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.process import ROOT, Program, Start

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
RUNNABLE = {"bash", "python"}
OWN_ADDRESS = re.compile(r"(?:localhost|127\.0\.0\.1):50051")
BIN = Path(sys.executable).parent

_BLOCK = re.compile(
    r"(?:^<!-- (?P<told>.+?) -->\n)?^```(?P<language>\S*).*?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_RUN = re.compile(r"run: (?P<with>shell|python)(?:, until: (?P<until>.+))?")


@dataclass(frozen=True)
class Block:
    """A fenced block, and what the comment before it says."""

    place: str
    told: str
    language: str
    text: str


def blocks(document: Path) -> Iterator[Block]:
    """The fenced blocks of a document."""
    content = document.read_text()
    for match in _BLOCK.finditer(content):
        line = content.count("\n", 0, match.start("text"))
        yield Block(f"{document.name}:{line}", match["told"] or "", match["language"], match["text"])


def command(block: Block, told: re.Match[str], address: str) -> Program:
    """Starts a block's program, with the address that documents name changed for the real one."""
    text = OWN_ADDRESS.sub(address, block.text).replace(".venv/bin/", f"{BIN}/")
    run = ["bash", "-euo", "pipefail", "-c"] if told["with"] == "shell" else [sys.executable, "-c"]
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return Program(*run, text, env={"HEARTLINE_SERVER": address, "PATH": path}, cwd=ROOT)


async def output(block: Block, told: re.Match[str], address: str) -> list[str]:
    """Runs a block and returns the lines of its output."""
    with command(block, told, address) as program:
        if told["until"]:
            await program.out.line(told["until"])
            program.interrupt()
            await program.ended()
        else:
            assert await program.ended() == 0, f"{block.place}\n{program.out.text()}\n{program.err.text()}"
        return [line.strip() for line in program.out.all()]


def missing(expected: str, lines: list[str]) -> str | None:
    """The first expected line that is not there, at its place in the order."""
    left = iter(lines)
    for line in expected.splitlines():
        pattern = re.compile(".*".join(map(re.escape, line.strip().split("..."))))
        if not any(pattern.fullmatch(one) for one in left):
            return line
    return None


def with_examples() -> list[Path]:
    """The documents that have something to run."""
    return [document for document in DOCUMENTS if any(one.told.startswith("run: ") for one in blocks(document))]


@pytest.mark.needs("grpcurl", "buf")
@pytest.mark.parametrize("document", with_examples(), ids=lambda document: document.name)
async def test_the_examples_of_a_document_do_what_it_says(start: Start, document: Path) -> None:
    address = start().address
    lines: list[str] = []
    for block in blocks(document):
        if told := _RUN.fullmatch(block.told):
            lines = await output(block, told, address)
        elif block.told == "output":
            assert missing(block.text, lines) is None, f"{block.place}: the output is\n" + "\n".join(lines)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_command_in_a_document_is_run_or_says_why_not(document: Path) -> None:
    for block in blocks(document):
        known = _RUN.fullmatch(block.told) or block.told == "output" or block.told.startswith("not run: ")
        assert known or not block.told, f"{block.place}: <!-- {block.told} --> means nothing"
        assert known or block.language not in RUNNABLE, f"{block.place}: run it, or say why not"


def test_the_readme_shows_all_that_it_should() -> None:
    ran = "".join(block.text for block in blocks(ROOT / "README.md") if block.told.startswith("run: "))
    wanted = (
        "heartline publish",
        "heartline poll",
        "stub.Poll(",
        "stub.Connect(",
        "heartline.connect(",
        "grpcurl",
        "buf curl",
    )
    assert [one for one in wanted if one not in ran] == []
