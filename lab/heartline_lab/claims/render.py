"""docs/claims.md: the statements with what was measured, and the verdicts. Pure.

Rules: the document's structure is the same run by run; only figures differ, and what they change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from heartline_lab.claims.parts import Part, Verdict, verdict

NOT_TESTED = "not tested here"

_HEAD = """\
# Twenty statements about connections, tested

Made by `make claims`, which tests each statement on the machine it runs on: do not edit. Figures differ run by run.

A statement is taken apart into what it says. **Bold** parts are what it is about; the others are what it says to the
letter: always, all of them, nothing else. A statement whose bold parts are all true *holds*; when only others are
false it *holds within limits*; when a bold one is false it is *refuted*. The code decides that from what was measured.

In a clone, `python` is `.venv/bin/python`, and `make claims ARGS=4` tests statement 4 alone. Those that capture packets
or make networks need root.

This run: {environment}.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One statement and what became of it: its parts, or why it was not tested."""

    number: int
    says: str
    follows: str
    outcome: Sequence[Part] | str


def verdict_of(outcome: Sequence[Part] | str) -> str:
    """The verdict in words, or that there is none and why."""
    return f"{NOT_TESTED}: {outcome}" if isinstance(outcome, str) else verdict(outcome).value


def document(sections: Sequence[Section], environment: str) -> str:
    """The whole page; `environment` names what the figures depend on."""
    rows = [
        f"| [{one.number}](#statement-{one.number}) | {_cell(one.says)} | {_marked(one.outcome)} |" for one in sections
    ]
    table = "\n".join(["| | statement | verdict |", "| --- | --- | --- |", *rows])
    return "\n".join([_HEAD.format(environment=environment), table, "", "\n".join(map(section, sections))])


def section(one: Section) -> str:
    """One statement's part of the page."""
    lines = [
        f"## Statement {one.number}",
        "",
        f"> {one.says}",
        "",
        f"**{_capitalised(verdict_of(one.outcome))}.** Test it: `{command(one.number)}`",
        "",
    ]
    if not isinstance(one.outcome, str):
        lines += ["| it says | measured | |", "| --- | --- | --- |", *map(_row, one.outcome), ""]
    return "\n".join([*lines, f"For you: {one.follows}", ""])


def command(number: int) -> str:
    """What tests a statement alone."""
    return f"python -m heartline_lab.claims {number}"


def _row(part: Part) -> str:
    says = f"**{part.says}**" if part.main else part.says
    return f"| {_cell(says)} | {_cell(part.measured)} | {'true' if part.true else 'false'} |"


def _marked(outcome: Sequence[Part] | str) -> str:
    said = _cell(verdict_of(outcome))
    return f"**{said}**" if said == Verdict.REFUTED.value else said


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]
