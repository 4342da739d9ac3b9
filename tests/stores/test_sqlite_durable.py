"""What the SQLite store answered is there: after a kill, at the loss of power, and when its disk is full."""

import re
import subprocess
from pathlib import Path

import pytest
from heartline_service.retention import Retention
from heartline_service.stores import open_store
from stores.kinds import ENVIRONMENT, program
from tools import OWN_MOUNTS, path

GUARD = 30.0
"""Seconds after which a child process is given up."""


async def test_every_append_that_was_answered_survives_a_kill_in_order_and_once(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    lines = killed_after(2000, program("appender.py", file, 20, 100_000))
    answered = [line.split() for line in lines[1:] if line.endswith("\n")]

    store = open_store(f"sqlite:{file}", lambda channel: Retention())
    await store.open(lambda channel, head, events: None)
    events = await store.read("a", 0, 1 << 30, 1 << 40)
    await store.close()
    assert [event.offset for event in events] == list(range(1, len(events) + 1))
    stored = [event.body.decode() for event in events]
    assert len(set(stored)) == len(stored)
    assert [stored[int(offset) - 1] for _, offset in answered] == [id for id, _ in answered]
    assert 0 <= len(stored) - len(answered) <= 20


def killed_after(count: int, command: list[str]) -> list[str]:
    """What a program printed that was killed once it had printed so many lines."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(count)]
        child.kill()
        return lines + child.stdout.readlines()


@pytest.mark.needs("strace")
def test_no_receipt_is_given_before_a_completed_sync_of_its_event(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    strace = [path("strace"), "-f", "-y", "-e", "trace=pwrite64,fdatasync,fsync,write", "-o", str(trace)]
    command = [*strace, *program("appender.py", tmp_path / "store.db", 1, 20)]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=GUARD, check=True, env=ENVIRONMENT)
    assert receipts_after_syncs(trace.read_text()) == 20


def receipts_after_syncs(trace: str) -> int:
    """How many receipts a trace shows. Fails at one that came before what it tells was written and synced."""
    receipts = 0
    written = unsynced = False
    syncing: dict[str, bool] = {}
    for line in trace.splitlines():
        thread, call = line.split(maxsplit=1)
        if re.match(r"pwrite64\(\d+<[^>]*-wal>", call):
            written = unsynced = True
            syncing.clear()
        elif re.match(r"(fdatasync|fsync)\(\d+<[^>]*-wal>", call):
            syncing[thread] = True
        if re.search(r"(fdatasync|fsync)\b.*\)\s*= 0$", call) and syncing.pop(thread, False):
            unsynced = False
        if re.match(r'write\(1<[^>]*>, "0\.', call):
            assert written, f"a receipt of an event that was not written: {line}"
            assert not unsynced, f"a receipt of an event that was not synced: {line}"
            written = False
            receipts += 1
    return receipts


@pytest.mark.needs("unshare")
def test_a_full_disk_refuses_appends_alone_and_heals(tmp_path: Path) -> None:
    command = [path("unshare"), *OWN_MOUNTS, *program("small_disk.py", tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=GUARD, check=False, env=ENVIRONMENT)
    assert (done.stdout, done.stderr) == ("as it should\n", "")
