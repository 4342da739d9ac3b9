"""What may be written on the command line, and how a mistake is answered."""

import argparse

import pytest
from heartline.cli import main
from heartline.cli.common import address, count
from heartline.cli.dispatch import OWN, build_parser
from heartline.cli.reading import position, readings
from heartline.events import Position, Start
from heartline.version import VERSION


def parse(*words: str) -> argparse.Namespace:
    return build_parser(words[0]).parse_args(words)


@pytest.mark.parametrize("text", ["localhost:50051", "10.0.0.1:1", "[::1]:50051", "heart.example.org:65535"])
def test_an_address_is_host_and_port(text: str) -> None:
    assert address(text) == text


@pytest.mark.parametrize("text", ["", "localhost", ":50051", "a:0", "a:65536", "http://a:1", "::1", "a b:1", "a:1:2"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write HOST:PORT"):
        address(text)


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", ""])
def test_a_count_is_at_least_one(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a number from 1"):
        count(text)


@pytest.mark.parametrize(("text", "expected"), [("17", Position("", "", 17)), ("e1:0", Position("", "e1", 0))])
def test_a_position_is_an_offset_perhaps_with_its_epoch(text: str, expected: Position) -> None:
    assert position(text) == expected


@pytest.mark.parametrize("text", ["", "e1:", ":5", "-1", "a:b", "1" * 30])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="EPOCH:OFFSET"):
        position(text)


def test_each_channel_is_read_from_the_same_named_start() -> None:
    asked = readings(parse("listen", "a", "b", "--start", "earliest"))
    assert [(reading.channel, reading.start) for reading in asked] == [("a", Start.EARLIEST), ("b", Start.EARLIEST)]


def test_a_position_gets_the_name_of_its_channel() -> None:
    assert readings(parse("poll", "a", "--after", "e1:5"))[0].after == Position("a", "e1", 5)


def test_options_may_stand_between_channel_and_text() -> None:
    args = parse("publish", "orders", "one", "--id", "m-1", "two")
    assert (args.channel, args.text, args.id) == ("orders", ["one", "two"], "m-1")


def test_text_that_looks_like_an_option_comes_after_two_dashes() -> None:
    assert parse("publish", "orders", "-a", "k=v", "--", "--id").text == ["--id"]


def test_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTLINE_SERVER", "heart.example.org:7")
    assert parse("who").server == "heart.example.org:7"
    assert parse("who", "--server", "a:1").server == "a:1"


def test_a_word_that_is_not_utf_8_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["publish", "orders", "\udcff"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("'\\udcff' is not UTF-8\n")


def test_a_wrong_server_in_the_environment_is_a_wrong_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTLINE_SERVER", "nowhere")
    with pytest.raises(SystemExit) as ended:
        main(["who"])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["publish", "c", "text", "--file", "f"], "give TEXT or --file, not both"),
        (["publish", "c", "a", "b", "--id", "m"], "--id names one message"),
        (["publish", "c", "-", "--id", "m"], "--id names one message"),
        (["poll", "a", "b", "--after", "1"], "give one CHANNEL"),
        (["poll", "a", "--start", "acked"], "needs a --client-id"),
        (["poll", "a", "--ack"], "--ack needs a --client-id"),
        (["check-in", "a", "--out", "--ttl", "5s"], "do not go with it"),
        (["check-in", "a", "--every", "60s"], "must be shorter than --ttl"),
        (["check-in", "a", "--every", "6s", "--ttl", "5s"], "must be shorter than --ttl"),
    ],
)
def test_words_that_do_not_go_together_are_wrong_usage(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 64
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""


@pytest.mark.parametrize("name", OWN)
def test_every_command_has_help_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"heartline {name}" in text.split("examples:")[1]
    assert "--json" in text
    assert max(map(len, text.splitlines())) <= 120


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"heartline {VERSION}\n"
