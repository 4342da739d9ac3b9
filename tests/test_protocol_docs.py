"""docs/protocol.md says what the code does: its tables are drawn from it, its frames parse, and nothing is left out."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import EnumDescriptor
from heartline.v1 import events_pb2, presence_pb2, session_service_pb2
from heartline.v1.session_service_pb2 import ConnectRequest, ConnectResponse

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "protocol.md").read_text()
FRAMES = re.findall(r"^(->|<-) (\{.*\})$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """The script that draws the tables."""
    spec = importlib.util.spec_from_file_location("protocol_tables", ROOT / "scripts" / "protocol_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named_values() -> Iterator[tuple[EnumDescriptor, str]]:
    """The values that the document must explain, as it writes them."""
    enums = [session_service_pb2.GoodbyeReason, events_pb2.GapReason, events_pb2.Start, presence_pb2.PresenceReason]
    for enum in enums:
        for name, number in enum.items():
            if number:
                yield enum.DESCRIPTOR, name.removeprefix("PRESENCE_REASON_")


def test_the_tables_are_as_the_code_is(tables: ModuleType) -> None:
    assert tables.drawn(TEXT) == TEXT, "docs/protocol.md is out of date: run scripts/protocol_tables.py"


def test_every_table_that_can_be_drawn_is_in_the_document_once(tables: ModuleType) -> None:
    assert sorted(re.findall(r"<!-- drawn: (\w+) -->", TEXT)) == sorted(tables.TABLES)


def test_check_tells_a_table_that_is_out_of_date(
    tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "protocol.md"
    monkeypatch.setattr(tables, "DOCUMENT", document)
    document.write_text(TEXT.replace("| OPEN |", "| AJAR |", 1))
    assert tables.main(["--check"]) == 1
    assert tables.main([]) == 0
    assert tables.main(["--check"]) == 0
    assert document.read_text() == TEXT


@pytest.mark.parametrize(("arrow", "frame"), FRAMES)
def test_the_frames_that_it_shows_are_frames(arrow: str, frame: str) -> None:
    parsed = json_format.Parse(frame, ConnectRequest() if arrow == "->" else ConnectResponse())
    assert parsed.WhichOneof("frame")


@pytest.mark.parametrize("message", [ConnectRequest, ConnectResponse])
def test_every_frame_is_named(message: type[ConnectRequest] | type[ConnectResponse]) -> None:
    missing = [field.name for field in message.DESCRIPTOR.oneofs[0].fields if f"`{field.name}`" not in TEXT]
    assert not missing


def test_every_reason_of_a_gap_a_goodbye_and_a_presence_is_explained() -> None:
    assert not [name for _, name in named_values() if f"`{name}`" not in TEXT]


def test_every_method_is_named(tables: ModuleType) -> None:
    from heartline.v1 import admin_service_pb2, request_service_pb2

    services = [
        module.DESCRIPTOR.services_by_name[name]
        for module, name in [
            (request_service_pb2, "RequestService"),
            (session_service_pb2, "SessionService"),
            (admin_service_pb2, "AdminService"),
        ]
    ]
    assert not [
        method.name for service in services for method in service.methods if not re.search(rf"\b{method.name}`", TEXT)
    ]
