"""A server that cannot start says why in one sentence, and its exit code says what to do."""

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from e2e.process import Command, Serving, Start
from heartline_service.options import OPTIONS

WRONG_USAGE, BAD_DATA, UNAVAILABLE, TRY_AGAIN = 2, 65, 69, 75


async def outcome(*flags: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Runs `heartline serve`, which must end by itself, and returns its exit code and what it said."""
    with Command("serve", "--listen", "127.0.0.1:0", *flags, env=env) as command:
        code = await command.ended()
        assert command.out.all() == []
        return code, command.err.text()


@pytest.fixture(scope="module")
def left_in_order(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What is in the file of a store that a server has made, and left when it was told to stop."""
    file = tmp_path_factory.mktemp("made") / "store.db"
    with Serving(store=f"sqlite:{file}") as server:
        server.ready().terminate()
        assert server.wait() == 0
    return file.read_bytes()


@pytest.fixture
def whole(left_in_order: bytes, tmp_path: Path) -> Path:
    """The file of a store that is in order."""
    file = tmp_path / "store.db"
    file.write_bytes(left_in_order)
    return file


async def test_a_port_in_use_is_told(shared: Serving) -> None:
    code, said = await outcome("--store", "memory:", "--listen", shared.address)
    assert code == UNAVAILABLE
    assert said == f"heartline: cannot listen on {shared.address}: another program does; choose another with --listen"


async def test_an_address_of_another_machine_is_told() -> None:
    code, said = await outcome("--store", "memory:", "--listen", "192.0.2.1:50051")
    assert code == UNAVAILABLE
    assert said == (
        "heartline: cannot listen on 192.0.2.1:50051: Cannot assign requested address; choose another with --listen"
    )


async def test_a_store_that_another_server_holds_is_told_with_its_process(start: Start, tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/held.db"
    holder = start(store=store)
    code, said = await outcome("--store", store)
    assert code == TRY_AGAIN
    assert said == (
        f"heartline: another server (process {holder.pid}) holds the store {tmp_path}/held.db: end it, or serve from"
        " another file"
    )


async def test_a_store_that_another_program_holds_is_told(whole: Path) -> None:
    with closing(sqlite3.connect(whole, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        code, said = await outcome("--store", f"sqlite:{whole}")
    assert code == TRY_AGAIN
    assert said == f"heartline: another program holds the store {whole}: end it, or serve from another file"


@pytest.mark.parametrize("damage", ["no database at all", "a page overwritten", "the end cut off", "empty"])
async def test_a_damaged_store_is_told_and_left_as_it_is(whole: Path, damage: str) -> None:
    content = whole.read_bytes()
    content = {
        "no database at all": b"Dear diary, " * 1000,
        "a page overwritten": content[:4096] + bytes(range(256)) * 16 + content[8192:],
        "the end cut off": content[: len(content) // 2],
        "empty": b"",
    }[damage]
    whole.write_bytes(content)
    code, said = await outcome("--store", f"sqlite:{whole}")
    assert code == BAD_DATA
    assert str(whole) in said
    assert "backup" in said
    assert "\n" not in said
    assert whole.read_bytes() == content


async def test_a_damaged_store_that_was_removed_is_made_anew(start: Start, whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert (await outcome("--store", f"sqlite:{whole}"))[0] == BAD_DATA
    whole.unlink()
    start(store=f"sqlite:{whole}")


async def test_another_programs_database_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "diary.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE diary (day TEXT)")
    content = file.read_bytes()
    code, said = await outcome("--store", f"sqlite:{file}")
    assert (code, file.read_bytes()) == (BAD_DATA, content)
    assert said == f"heartline: {file} is a database of another program: name another file for the store"


async def test_a_folder_that_cannot_be_written_is_told() -> None:
    code, said = await outcome("--store", "sqlite:/sys/heartline/store.db")
    assert code == UNAVAILABLE
    assert re.fullmatch("heartline: the store /sys/heartline/store.db cannot be opened: .+: /sys/heartline", said)


async def test_a_flag_with_a_bad_value_is_told_by_its_name() -> None:
    code, said = await outcome("--grace", "soon")
    assert code == WRONG_USAGE
    assert said.startswith("heartline: --grace: 'soon' is not ")


async def test_a_variable_with_a_bad_value_is_told_by_its_name() -> None:
    code, said = await outcome(env={"HEARTLINE_HEARTBEAT_INTERVAL": "often"})
    assert code == WRONG_USAGE
    assert said.startswith("heartline: HEARTLINE_HEARTBEAT_INTERVAL: 'often' is not ")


async def test_a_store_of_an_unknown_kind_is_told() -> None:
    code, said = await outcome("--store", "oracle:x")
    assert code == WRONG_USAGE
    assert (
        said
        == 'heartline: the store URL "oracle:x" is of no known kind: write "memory:", "sqlite:PATH" or "redis://HOST"'
    )


async def test_the_help_names_every_flag_and_variable() -> None:
    with Command("serve", "--help") as command:
        assert await command.ended() == 0
        told = command.out.text()
    assert [option.name for option in OPTIONS if f"--{option.name} " not in told] == []
    assert [option.variable for option in OPTIONS if option.variable not in told] == []
