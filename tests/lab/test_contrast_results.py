"""The result of a contrast as JSON: the names that others rely on, and the way back."""

import dataclasses
import json
from typing import Any

import pytest
from heartline_lab.contrast.results import SCHEMA, ModeResult, from_json, to_json
from lab.contrast_example import contrast, swept

PROMISED = {
    "mode",
    "delivered",
    "lost",
    "duplicated",
    "latency_ms",
    "calls",
    "empty_calls",
    "connections",
    "bytes_up",
    "bytes_down",
    "server_cpu_us_per_event",
}


def raw(**changes: object) -> dict[str, Any]:
    """The JSON of a result, parsed."""
    parsed: dict[str, Any] = json.loads(to_json(contrast(**changes)))
    return parsed


def test_each_mode_has_the_promised_figures_under_their_promised_names() -> None:
    modes = raw()["modes"]
    assert [mode["mode"] for mode in modes] == ["short", "kept", "long-poll", "stream"]
    assert all(mode.keys() >= PROMISED for mode in modes)
    assert all(mode["latency_ms"].keys() == {"p50", "p95", "p99"} for mode in modes)


def test_a_field_of_the_record_is_a_field_of_the_json() -> None:
    assert raw()["modes"][0].keys() == {field.name for field in dataclasses.fields(ModeResult)}


def test_it_names_its_schema() -> None:
    assert raw()["schema"] == SCHEMA == "heartline.contrast/1"


def test_what_was_written_is_read_back_whole() -> None:
    for made in (contrast(), swept()):
        assert from_json(to_json(made)) == made


def test_json_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="no result of `heartline contrast`: its schema is 'other/1'"):
        from_json('{"schema": "other/1"}')


def test_json_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="no result"):
        from_json("[]")


def test_a_result_with_a_part_missing_is_refused() -> None:
    damaged = raw()
    del damaged["workload"]["clients"]
    with pytest.raises(ValueError, match=r"damaged: .*clients"):
        from_json(json.dumps(damaged))


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        from_json("no")
