"""docs/claims.md: how it is written, and that the committed one is what `make claims` writes, but for its figures."""

from e2e.process import ROOT
from heartline_lab.claims.parts import Part
from heartline_lab.claims.render import Section, document, section
from heartline_lab.claims.statements import STATEMENTS
from lab.claims_facts import MEASURED

COMMITTED = (ROOT / "docs/claims.md").read_text("utf-8")

PARTS = [
    Part("a call a connection", "5 calls, 5 connections", true=True),
    Part("always", "gRPC: a | b", true=False, main=False),
]


def as_measured() -> str:
    """The page with the figures of claims_facts."""
    judged = [(one, one.judge(MEASURED[one.number][0])) for one in STATEMENTS]
    return document([Section(one.number, one.says, one.follows, parts) for one, parts in judged], "Linux 6, Python 3")


def skeleton(page: str) -> list[str]:
    """What stays the same run by run: each line, but of the parts only what they say, and not the environment."""
    lines = [line for line in page.splitlines() if not line.startswith("This run: ")]
    return [line.rsplit(" | ", 2)[0] if line.endswith((" | true |", " | false |")) else line for line in lines]


def test_a_section_tells_statement_verdict_command_parts_and_what_follows() -> None:
    assert section(Section(7, "A call a connection.", "Keep one.", PARTS)) == (
        "## Statement 7\n"
        "\n"
        "> A call a connection.\n"
        "\n"
        "**Holds within limits.** Test it: `python -m heartline_lab.claims 7`\n"
        "\n"
        "| it says | measured | |\n"
        "| --- | --- | --- |\n"
        "| **a call a connection** | 5 calls, 5 connections | true |\n"
        "| always | gRPC: a \\| b | false |\n"
        "\n"
        "For you: Keep one.\n"
    )


def test_what_was_not_tested_has_a_reason_in_place_of_a_verdict() -> None:
    assert section(Section(7, "A call a connection.", "Keep one.", "needs root")) == (
        "## Statement 7\n"
        "\n"
        "> A call a connection.\n"
        "\n"
        "**Not tested here: needs root.** Test it: `python -m heartline_lab.claims 7`\n"
        "\n"
        "For you: Keep one.\n"
    )


def test_the_page_begins_with_all_verdicts_and_names_what_the_figures_depend_on() -> None:
    refuted = [Part("so it is", "it is not", true=False)]
    page = document(
        [Section(1, "One.", "-", PARTS), Section(2, "Two.", "-", refuted), Section(3, "3", "-", "x")], "E 1"
    )
    assert "This run: E 1.\n" in page
    assert page[page.index("| |") : page.index("## Statement 1")] == (
        "| | statement | verdict |\n"
        "| --- | --- | --- |\n"
        "| [1](#statement-1) | One. | holds within limits |\n"
        "| [2](#statement-2) | Two. | **refuted** |\n"
        "| [3](#statement-3) | 3 | not tested here: x |\n"
        "\n"
    )


def test_the_statements_are_the_twenty_in_their_order() -> None:
    assert [statement.number for statement in STATEMENTS] == list(range(1, 21))


def test_the_committed_page_is_up_to_date_but_for_its_figures() -> None:
    assert skeleton(COMMITTED) == skeleton(as_measured())


def test_the_committed_page_was_made_where_everything_could_be_tested() -> None:
    assert "not tested here" not in COMMITTED.lower()
