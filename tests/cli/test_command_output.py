"""How lines reach people, programs and terminals."""

import io
import json

import pytest
from heartline.cli.output import Output, bold, columns, dim, green, plain, uncoloured


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def shown(stream: io.StringIO, environ: dict[str, str] | None = None, *, as_json: bool = False) -> str:
    Output(as_json, stdout=stream, stderr=io.StringIO(), environ=environ or {}).result(
        {"a": 1}, f"{green('a')} is {bold('1')}"
    )
    return stream.getvalue()


def test_colours_show_on_a_terminal() -> None:
    assert shown(Terminal()) == "\x1b[32ma\x1b[39m is \x1b[1m1\x1b[22m\n"


def test_no_colours_go_into_a_pipe() -> None:
    assert shown(io.StringIO()) == "a is 1\n"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_show_where_they_are_not_wanted(environ: dict[str, str]) -> None:
    assert shown(Terminal(), environ) == "a is 1\n"


def test_an_empty_no_color_counts_as_unset() -> None:
    assert shown(Terminal(), {"NO_COLOR": ""}) != "a is 1\n"


def test_json_has_no_colours_on_a_terminal_either() -> None:
    assert json.loads(shown(Terminal(), as_json=True)) == {"a": 1}


def test_results_and_news_go_separate_ways() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    out = Output(stdout=stdout, stderr=stderr)
    out.result({}, "what was asked for")
    out.news({}, "how it is going")
    assert (stdout.getvalue(), stderr.getvalue()) == ("what was asked for\n", "how it is going\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain words", "plain words"),
        ("zwölf Äpfel 🍏", "zwölf Äpfel 🍏"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("\x1b]0;a title\x07", "\\x1b]0;a title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("left\u202eright", "left\\u202eright"),
    ],
)
def test_what_others_wrote_is_one_line_without_control_characters(text: str, line: str) -> None:
    assert plain(text) == line


def test_cells_stand_under_each_other_whatever_their_colours() -> None:
    lines = columns([[dim("NAME"), dim("AGE")], ["a", "1m"], [green("abcdef"), "2h"]])
    assert [uncoloured(line) for line in lines] == ["NAME    AGE", "a       1m", "abcdef  2h"]


def test_a_table_of_nothing_says_so_on_stderr() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    Output(stdout=stdout, stderr=stderr).table(["NAME"], [], "nobody")
    assert (stdout.getvalue(), stderr.getvalue()) == ("", "nobody\n")


def test_a_table_of_nothing_in_json_is_nothing() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    Output(True, stdout=stdout, stderr=stderr).table(["NAME"], [], "nobody")
    assert (stdout.getvalue(), stderr.getvalue()) == ("", "")
