"""Words, JSON and faults: each says the same, and what makes no sense is told in a sentence."""

import re

import pytest
from heartline_lab.middlebox.faults import Changes, Faults
from heartline_lab.middlebox.words import HELP, Order, described, from_json, parse, to_json

WORDS: list[tuple[str, Changes]] = [
    ("latency 50ms", {"latency": 0.05}),
    ("latency off", {"latency": 0.0}),
    ("jitter 2s", {"jitter": 2.0}),
    ("jitter off", {"jitter": 0.0}),
    ("bandwidth 500", {"bandwidth": 500.0}),
    ("bandwidth 100k", {"bandwidth": 100_000.0}),
    ("bandwidth 2.5M", {"bandwidth": 2_500_000.0}),
    ("bandwidth off", {"bandwidth": None}),
    ("black-hole up", {"black_hole": "up"}),
    ("black-hole both", {"black_hole": "both"}),
    ("black-hole off", {"black_hole": ""}),
    ("idle-timeout 30s", {"idle_timeout": 30.0, "idle_action": "silent"}),
    ("idle-timeout 5m rst", {"idle_timeout": 300.0, "idle_action": "rst"}),
    ("idle-timeout off", {"idle_timeout": None}),
    ("refuse", {"refuse": True}),
    ("refuse off", {"refuse": False}),
]

NONSENSE = [
    ("latncy 5ms", "'latncy' is not one of its words: latency, jitter, bandwidth, "),
    ("change", "'change' is not one of its words"),
    ("latency", "write `latency TIME` or `latency off`"),
    ("latency 5ms 6ms", "write `latency TIME` or `latency off`"),
    ("latency soon", "'soon' is not a duration"),
    ("bandwidth fast", "'fast' is not a bandwidth: write bytes a second, such as 500, 100k, 2M"),
    ("bandwidth 0", "'0' is not a bandwidth"),
    ("bandwidth", "write `bandwidth RATE` or `bandwidth off`"),
    ("black-hole left", "a black-hole is up, down, both or off, not 'left'"),
    ("black-hole", "write `black-hole up|down|both` or `black-hole off`"),
    ("idle-timeout 0s", "idle_timeout is a number of seconds above 0"),
    ("idle-timeout 5s softly", "write `idle-timeout TIME [rst]` or `idle-timeout off`"),
    ("refuse them", "write `refuse` or `refuse off`"),
    ("forget it", "`forget` stands alone, without 'it'"),
]


@pytest.mark.parametrize(("words", "changes"), WORDS)
def test_words_change_faults(words: str, changes: Changes) -> None:
    assert parse(words.split()) == Order("change", changes)


@pytest.mark.parametrize("word", ["heal", "forget", "fin", "rst", "show", "help"])
def test_some_words_stand_alone(word: str) -> None:
    assert parse([word]).deed == word


def test_no_words_ask_how_things_are() -> None:
    assert parse([]) == Order("show")


@pytest.mark.parametrize(("words", "sentence"), NONSENSE)
def test_words_that_make_no_sense_are_told_in_a_sentence(words: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(sentence)):
        parse(words.split())


def test_help_has_every_word() -> None:
    assert all(f"\n{words.split()[0]} " in f"\n{HELP}" for words, _ in WORDS)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(), "no faults"),
        (Faults(latency=0.05, jitter=0.01), "latency 50ms, jitter 10ms"),
        (Faults(bandwidth=500), "bandwidth 500"),
        (Faults(bandwidth=2_500_000), "bandwidth 2.5M"),
        (Faults(black_hole="up", refuse=True), "black-hole up, refuse"),
        (Faults(idle_timeout=30, idle_action="rst"), "idle-timeout 30s rst"),
    ],
)
def test_faults_are_shown_in_the_words_that_make_them(faults: Faults, words: str) -> None:
    assert described(faults) == words


@pytest.mark.parametrize("order", [Order("heal"), Order("change", {"latency": 0.05, "bandwidth": None})])
def test_orders_survive_json(order: Order) -> None:
    assert from_json(to_json(order)) == order


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("", "Expecting value"),
        ("[]", "an order is an object whose deed is one of change, heal,"),
        ('{"deed": "explode"}', "an order is an object whose deed is one of"),
        ('{"deed": "change", "changes": 5}', "changes is an object with some of latency,"),
        ('{"deed": "change", "changes": {"speed": 5}}', "changes is an object with some of latency,"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_json_that_is_no_order_is_told_in_a_sentence(line: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        from_json(line)
