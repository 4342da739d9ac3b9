"""`heartline publish`, against a real server."""

import errno
import io
import json
import os
import sys
from pathlib import Path

import pytest
from cli.programs import Run
from heartline.cli.publish import MOST_MESSAGES, batches


def published(run: Run, channel: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("poll", channel, "--start", "earliest", "--json").lines]


def texts(run: Run, channel: str) -> list[object]:
    return [event["text"] for event in published(run, channel)]


def test_each_text_is_a_message_and_gets_a_receipt(run: Run, name: str) -> None:
    ran = run("publish", name, "two coffees", "one tea")
    assert (ran.code, ran.lines, ran.err) == (0, [f"{name} #1", f"{name} #2"], "")
    assert texts(run, name) == ["two coffees", "one tea"]


def test_a_receipt_in_json_has_all_its_fields(run: Run, name: str) -> None:
    receipt = json.loads(run("publish", name, "x", "--json").out)
    assert receipt.pop("epoch")
    assert receipt == {"channel": name, "offset": 1, "duplicate": False}


def test_publishing_an_id_again_gives_the_first_receipt(run: Run, name: str) -> None:
    run("publish", name, "x", "--id", "m-1")
    ran = run("publish", name, "x", "--id", "m-1")
    assert (ran.code, ran.lines) == (0, [f"{name} #1  a duplicate: it was published before"])


def test_attributes_go_with_every_message(run: Run, name: str) -> None:
    run("publish", name, "x", "y", "-a", "size=large", "--attribute", "by=ann=bob")
    assert [event["attributes"] for event in published(run, name)] == [{"size": "large", "by": "ann=bob"}] * 2


def test_a_file_is_one_message_of_bytes(run: Run, name: str, tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"\x00\xff\n")
    assert run("publish", name, "--file", str(tmp_path / "cat.jpg")).code == 0
    assert [event["binary"] for event in published(run, name)] == ["AP8K"]


def test_a_file_that_cannot_be_read_is_bad_data(run: Run, name: str, tmp_path: Path) -> None:
    ran = run("publish", name, "--file", str(tmp_path / "none"))
    assert (ran.code, ran.out) == (65, "")
    assert ran.err.endswith("none: No such file or directory\n")


def test_each_line_of_a_pipe_is_a_message_the_unended_last_one_too(run: Run, name: str) -> None:
    ran = run("publish", name, stdin="zwölf\n\nlast".encode())
    assert (ran.code, len(ran.lines)) == (0, 3)
    assert texts(run, name) == ["zwölf", "", "last"]


def test_a_dash_reads_the_pipe(run: Run, name: str) -> None:
    run("publish", name, "-", stdin=b"one\n")
    assert texts(run, name) == ["one"]


def test_an_empty_pipe_publishes_nothing(run: Run, name: str) -> None:
    ran = run("publish", name)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_line_that_is_no_text_stops_and_tells_what_was_published(run: Run, name: str) -> None:
    ran = run("publish", name, stdin=b"a\n" * 1000 + b"b\n\xff\n")
    assert (ran.code, len(ran.lines)) == (65, 1000)
    assert ran.err.splitlines() == [
        "lines 1 to 1000 were published",
        "heartline publish: line 1002 is not UTF-8; --file publishes bytes",
    ]


def test_what_the_server_refuses_is_bad_data_with_its_reason(run: Run) -> None:
    ran = run("publish", "$mine", "x", "--json")
    error = json.loads(ran.err)
    assert (ran.code, ran.out, error["type"], error["reason"]) == (65, "", "error", "RESERVED_CHANNEL")


def test_a_receipt_that_cannot_be_written_is_told(run: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    ran = run("publish", name, "x")
    assert (ran.code, ran.err) == (74, "heartline publish: cannot read or write: No space left on device\n")


def test_no_server_is_told_with_what_to_do(run: Run, name: str) -> None:
    ran = run("publish", name, "x", "--server", "127.0.0.1:1")
    assert (ran.code, ran.out) == (69, "")
    assert ran.err == (
        "heartline publish: no server answers at 127.0.0.1:1; start one with `heartline serve`, "
        "or name another with --server\n"
    )


def test_lines_are_taken_as_they_come_and_as_many_as_fit_a_request() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "wb", buffering=0) as pipe:
        lines = batches(reader)
        pipe.write(b"one\ntw")
        assert next(lines) == [b"one"]
        pipe.write(b"o\n" + b"x\n" * MOST_MESSAGES)
        assert [len(batch) for batch in (next(lines), next(lines))] == [MOST_MESSAGES, 1]
        pipe.close()
        assert list(lines) == []
