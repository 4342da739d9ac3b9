"""What is captured of a real server and a real client has the shape that the command promises, run by run."""

import asyncio
from itertools import groupby

import pytest
from heartline_lab.anatomy.account import account
from heartline_lab.anatomy.command import TITLES
from heartline_lab.anatomy.dissect import Connection, streams
from heartline_lab.anatomy.frame_words import kind
from heartline_lab.anatomy.http2 import parts
from heartline_lab.anatomy.names import message_name
from heartline_lab.anatomy.segment_words import segment_words
from heartline_lab.anatomy.stories import CALLS, STORIES, record

pytestmark = pytest.mark.needs("capture")

BEATS = ["server heartbeat", "client heartbeat_ack"]


@pytest.fixture(scope="module")
def recorded() -> dict[str, Connection]:
    """All stories, captured once."""
    return asyncio.run(record(list(STORIES)))


def said(connection: Connection) -> list[str]:
    """Who sent which message, in order."""
    sent = account(connection, parts(connection, message_name)).sent
    sides = {True: "client", False: "server"}
    return [f"{sides[one.segment.from_client]} {one.message.name.rpartition(' ')[2]}" for one in sent]


def test_each_story_has_a_title() -> None:
    assert list(TITLES) == list(STORIES)


@pytest.mark.parametrize("name", STORIES)
def test_every_connection_begins_with_three_packets_without_data(recorded: dict[str, Connection], name: str) -> None:
    words = segment_words(recorded[name])
    assert words[2][1] == "the handshake is done: 3 packets, 0 bytes of data"
    assert all("because SYN counts as one" in line for line in (words[1][1], words[2][0]))


@pytest.mark.parametrize("name", STORIES)
def test_every_byte_is_acknowledged_by_a_sum_that_comes_out(recorded: dict[str, Connection], name: str) -> None:
    sums = [line.partition(":")[0] for words in segment_words(recorded[name]) for line in words if "+" in line]
    for line in sums:
        left, right = line.partition(",")[0].removeprefix("ack = ").split(" = ")
        assert sum(map(int, left.split(" + "))) == int(right)
    assert len(sums) > 3


@pytest.mark.parametrize("name", STORIES)
def test_every_connection_speaks_http2_and_its_frames_fill_its_bytes(
    recorded: dict[str, Connection], name: str
) -> None:
    found = parts(recorded[name], message_name)
    assert {"PREFACE", "SETTINGS", "SETTINGS ACK", "HEADERS", "DATA", "PING", "PING ACK"} <= {
        kind(one) for one in found
    }
    brought = [fresh for from_client in (True, False) for _, fresh in streams(recorded[name], from_client)]
    assert sum(one.size for one in found) == sum(map(len, brought))


@pytest.mark.parametrize("name", STORIES)
def test_the_client_closes_first_without_a_goaway(recorded: dict[str, Connection], name: str) -> None:
    first = next(one for one in recorded[name].segments if one.flags & {"FIN", "RST"})
    assert first.from_client
    assert "GOAWAY" not in {kind(one) for one in parts(recorded[name], message_name)}


@pytest.mark.parametrize("name", STORIES)
def test_every_connection_is_over_at_its_end(recorded: dict[str, Connection], name: str) -> None:
    assert recorded[name].ended


def test_the_short_call_is_one_question_and_its_answer(recorded: dict[str, Connection]) -> None:
    assert said(recorded["short"]) == ["client PollRequest", "server PollResponse"]


def test_the_kept_connection_carries_its_calls_one_after_the_other(recorded: dict[str, Connection]) -> None:
    assert said(recorded["kept"]) == ["client PollRequest", "server PollResponse"] * CALLS


def test_later_calls_on_a_kept_connection_take_fewer_bytes(recorded: dict[str, Connection]) -> None:
    first, *later = account(recorded["kept"], parts(recorded["kept"], message_name)).calls
    assert all(call.headers < first.headers / 2 for call in later)


def test_the_session_goes_from_hello_to_goodbye(recorded: dict[str, Connection]) -> None:
    spoken = said(recorded["session"])
    assert [one for one, _ in groupby(spoken) if one not in BEATS] == [
        "client hello",
        "server welcome",
        "server subscribed",
        "server events",
        "client ack",
        "client goodbye",
        "server goodbye",
    ]
    assert spoken.index(BEATS[0]) < spoken.index(BEATS[1]) < spoken.index("server events")
