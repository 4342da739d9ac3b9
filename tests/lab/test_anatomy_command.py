"""`heartline anatomy` as a person runs it, and its files as Wireshark and a browser read them."""

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import dpkt
import pytest
from e2e.proc import children
from e2e.process import GUARD, Command, Program
from heartline.cli import main
from heartline.cli.exits import Exit
from heartline_lab.anatomy.dissect import Connection, Packet, connections
from heartline_lab.anatomy.http2 import parts
from heartline_lab.anatomy.names import message_name
from tools import path

captures = pytest.mark.needs("capture")
CAP_NET_ADMIN, CAP_NET_RAW, PR_CAPBSET_DROP = 12, 13, 24
WITHOUT = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl({PR_CAPBSET_DROP}, int(sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-m", "heartline", *sys.argv[2:]])
"""
"""Runs `heartline` without one of root's rights; who is not root has none of them."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run left behind."""

    out: str
    err: str
    folder: Path

    @property
    def connection(self) -> Connection:
        """The one connection that was saved."""
        with (self.folder / "short.pcap").open("rb") as file:
            packets = [Packet(float(at), raw) for at, raw in dpkt.pcap.UniversalReader(file)]
        [connection] = connections(packets)
        return connection


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """`heartline anatomy --only short`, with both kinds of files, run once."""
    folder = tmp_path_factory.mktemp("anatomy")
    with Command("anatomy", "--only", "short", "--pcap", folder / "short.pcap", "--svg", folder / "new/svg") as command:
        assert command.wait() == Exit.OK, command.err.text()
    return Ran(command.out.text(), command.err.text(), folder)


def tshark(ran: Ran, *fields: str) -> list[list[str]]:
    """What tshark reads of each packet."""
    port = ran.connection.server[1]
    wanted = [word for field in fields for word in ("-e", field)]
    argv = [
        path("tshark"),
        "-r",
        str(ran.folder / "short.pcap"),
        "-d",
        f"tcp.port=={port},http2",
        "-T",
        "fields",
        *wanted,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=GUARD, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


@captures
def test_it_explains_each_packet(ran: Ran) -> None:
    numbers = [line.split()[0] for line in ran.out.splitlines() if " raw " not in line and line[:3].strip().isdecimal()]
    explained = [number for number in numbers if number.isdecimal()]
    count = len(ran.connection.segments)
    assert explained[:count] == [str(number) for number in range(1, count + 1)]
    assert f"five-tuple: TCP, client 127.0.0.1 port {ran.connection.client[1]}, server 127.0.0.1 port" in ran.out
    assert "PollRequest" in ran.out


@captures
def test_it_tells_how_to_open_the_file(ran: Ran) -> None:
    assert f"wireshark -d tcp.port=={ran.connection.server[1]},http2 {ran.folder / 'short.pcap'}" in ran.err


@captures
def test_the_picture_is_an_svg_of_its_own(ran: Ran) -> None:
    root = ElementTree.parse(ran.folder / "new/svg/short.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


@captures
@pytest.mark.needs("tshark")
def test_wireshark_reads_the_same_numbers(ran: Ran) -> None:
    ours = [[one.seq, one.ack, len(one.payload), one.size, one.raw_seq, one.raw_ack] for one in ran.connection.segments]
    theirs = tshark(ran, "tcp.seq", "tcp.ack", "tcp.len", "ip.len", "tcp.seq_raw", "tcp.ack_raw")
    assert [[int(cell) for cell in row] for row in theirs] == ours


@captures
@pytest.mark.needs("tshark")
def test_wireshark_finds_the_same_frames_in_the_same_packets(ran: Ran) -> None:
    found = parts(ran.connection, message_name)
    ours = [
        [str(one.frame.type) for one in found if one.number == segment.number and one.frame is not None]
        for segment in ran.connection.segments
    ]
    theirs = [[kind for kind in row[0].split(",") if kind] for row in tshark(ran, "http2.type")]
    assert theirs == ours


@captures
@pytest.mark.needs("tshark")
def test_wireshark_finds_the_same_messages(ran: Ran) -> None:
    ours = [str(message.size) for part in parts(ran.connection, message_name) for message in part.messages]
    theirs = [size for row in tshark(ran, "grpc.message_length") for size in row[0].split(",") if size]
    assert theirs == ours


def test_without_the_right_it_says_what_to_do() -> None:
    with Program(sys.executable, "-c", WITHOUT, str(CAP_NET_RAW), "anatomy") as program:
        assert program.wait() == Exit.UNAVAILABLE
    told = "heartline anatomy: capturing packets needs root or CAP_NET_RAW: try it with sudo"
    assert program.err.all() == [told]
    assert program.out.all() == []


@captures
def test_no_other_right_is_needed() -> None:
    with Program(sys.executable, "-c", WITHOUT, str(CAP_NET_ADMIN), "anatomy", "--only", "short") as program:
        assert program.wait() == Exit.OK, program.err.text()


@captures
@pytest.mark.needs("namespaces")
def test_a_loopback_that_is_down_is_told_in_a_sentence() -> None:
    with Program(path("unshare"), "--net", sys.executable, "-m", "heartline", "anatomy") as program:
        assert program.wait() == Exit.UNAVAILABLE
    [told] = program.err.all()
    assert told.startswith("heartline anatomy: the server that was started for this does not answer: ")


@captures
@pytest.mark.parametrize("option", ["--pcap", "--svg"])
def test_a_file_that_cannot_be_written_is_noticed_before_the_work(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file" / "inside"
    blocked.parent.write_text("in the way")
    assert main(["anatomy", option, str(blocked)]) == Exit.IO
    captured = capsys.readouterr()
    assert captured.err == f"heartline anatomy: cannot write {blocked}: Not a directory\n"
    assert captured.out == ""


@captures
def test_pictures_need_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ladder.svg"
    file.write_text("mine")
    assert main(["anatomy", "--svg", str(file)]) == Exit.USAGE
    assert capsys.readouterr().err == f"heartline anatomy: --svg takes a folder, and {file} is a file\n"
    assert file.read_text() == "mine"


def test_only_a_story_that_there_is_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["anatomy", "--only", "long"])
    assert ended.value.code == 2
    assert "invalid choice: 'long'" in capsys.readouterr().err


@captures
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)])
def test_a_signal_ends_it_and_its_server(number: signal.Signals, code: Exit, tmp_path: Path) -> None:
    with Command("anatomy", "--pcap", tmp_path / "never.pcap") as command:
        server = child(command.pid)
        command.signal(number)
        assert command.wait() == code
    assert not Path(f"/proc/{server}").exists()
    assert "Traceback" not in command.err.text()
    assert os.listdir(tmp_path) == []


def child(pid: int) -> int:
    """The first process that a process starts, as soon as it has threads, so that it is a server by then."""
    while not (started := children(pid)):
        os.sched_yield()
    while len(os.listdir(f"/proc/{started[0]}/task")) == 1:
        os.sched_yield()
    return started[0]
