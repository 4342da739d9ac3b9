"""Verdicts come from what was measured, and from nothing else."""

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from heartline_lab.claims.parts import Part, Verdict, verdict
from heartline_lab.claims.statements import STATEMENTS
from lab.claims_facts import HOLDS, LIMITS, MEASURED, OTHERWISE, REFUTED

JUDGES = {statement.number: statement.judge for statement in STATEMENTS}


def part(true: bool, main: bool = True) -> Part:
    return Part("it is so", "so it is", true, main)


def faster(facts: Any) -> Any:
    """The same facts with other times."""
    return replace(facts, **{field.name: changed(getattr(facts, field.name)) for field in fields(facts)})


def changed(value: object) -> object:
    if isinstance(value, float):
        return value * 0.99
    if isinstance(value, list) and all(isinstance(one, float) for one in value):
        return [one * 0.99 for one in value]
    return value


def truths(number: int, facts: Any) -> list[bool]:
    return [part.true for part in JUDGES[number](facts)]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([part(True), part(True, main=False)], HOLDS),
        ([part(True), part(False, main=False)], LIMITS),
        ([part(False), part(True, main=False)], REFUTED),
        ([part(True), part(False), part(False, main=False)], REFUTED),
    ],
)
def test_a_false_main_part_refutes_and_another_limits(parts: Sequence[Part], expected: Verdict) -> None:
    assert verdict(parts) is expected


@pytest.mark.parametrize("number", JUDGES)
def test_what_was_measured_gives_the_verdict(number: int) -> None:
    facts, expected = MEASURED[number]
    assert verdict(JUDGES[number](facts)) is expected


@pytest.mark.parametrize(("number", "changes", "expected"), OTHERWISE)
def test_other_facts_give_another_verdict(number: int, changes: dict[str, Any], expected: Verdict) -> None:
    assert verdict(JUDGES[number](replace(MEASURED[number][0], **changes))) is expected


@pytest.mark.parametrize("number", JUDGES)
def test_no_part_is_true_or_false_whatever_was_measured(number: int) -> None:
    facts, _ = MEASURED[number]
    others = [truths(number, replace(facts, **changes)) for which, changes, _ in OTHERWISE if which == number]
    fixed = [at for at, true in enumerate(truths(number, facts)) if all(other[at] == true for other in others)]
    assert fixed == []


@pytest.mark.parametrize("number", JUDGES)
def test_each_statement_has_a_part_that_it_is_about(number: int) -> None:
    assert any(part.main for part in JUDGES[number](MEASURED[number][0]))


@pytest.mark.parametrize("number", JUDGES)
def test_other_figures_change_no_words(number: int) -> None:
    facts, _ = MEASURED[number]
    before, after = (
        [re.sub(r"[0-9][0-9.,]*", "N", part.measured) for part in JUDGES[number](one)] for one in (facts, faster(facts))
    )
    assert after == before
