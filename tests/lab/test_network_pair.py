"""A pair of real namespaces: what gets through, what does not, and that none is left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from e2e.process import Program
from heartline_lab.network import NoNamespaces, Pair

needs_namespaces = pytest.mark.needs("namespaces")

PATHS = json.dumps(sys.path)
SERVER = """\
import socket, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((sys.argv[1], 7))
print("ready", flush=True)
while True:
    data, peer = udp.recvfrom(100)
    udp.sendto(data, peer)
    print("heard", data.decode(), flush=True)
"""
CLIENT = """\
import socket, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(0.1)
udp.connect((sys.argv[1], 7))
for word in map(str.strip, sys.stdin):
    udp.send(word.encode())
    heard = ""
    while word.endswith("!") and heard != word:
        try:
            heard = udp.recv(100).decode()
            print("heard", heard, flush=True)
        except TimeoutError:
            udp.send(word.encode())
    print("said", word, flush=True)
"""
"""It says each word once, and one with a ! again and again until that is answered."""


class Talk:
    """A client that says words to a server that repeats them, one datagram each, so that what is lost stays lost."""

    def __init__(self, pair: Pair) -> None:
        self.server = Program(*pair.server.inside(), sys.executable, "-c", SERVER, pair.server.ip)
        self.client = Program(*pair.client.inside(), sys.executable, "-c", CLIENT, pair.server.ip, open_stdin=True)
        self.server.out.wait("ready")

    def say(self, word: str) -> None:
        """Says it."""
        self.client.say(f"{word}\n")
        self.client.out.wait(f"said {word}")

    def answered(self, word: str) -> None:
        """Waits until the server has heard it, and repeated it."""
        self.server.out.wait(f"heard {word}")

    def arrived(self, last: str) -> list[str]:
        """What the server heard until then, each word once."""
        self.answered(last)
        return list(dict.fromkeys(self.server.out.all()[1:]))

    def came_back(self) -> list[str]:
        """What the client heard, each word once."""
        return list(dict.fromkeys(line for line in self.client.out.all() if line.startswith("heard")))


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A pair of namespaces."""
    with Pair() as pair:
        yield pair


@pytest.fixture
def talk(pair: Pair) -> Iterator[Talk]:
    """Two programs that talk from one to the other."""
    talk = Talk(pair)
    try:
        yield talk
    finally:
        talk.client.kill()
        talk.server.kill()


def namespaces() -> set[str]:
    """The names that there are now."""
    listing = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listing.splitlines()}


def icmp_sent(pair: Pair) -> list[int]:
    """How many ICMP messages each end has sent: where something is refused, that is told so."""
    counts = []
    for host in (pair.client, pair.server):
        argv = [*host.inside(), "cat", "/proc/net/snmp"]
        text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        names, values = (line.split() for line in text.splitlines() if line.startswith("Icmp:"))
        counts.append(int(values[names.index("OutMsgs")]))
    return counts


@needs_namespaces
@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        pytest.param(lambda pair: pair.drop("up"), ["heard before!", "heard after!"], id="up"),
        pytest.param(lambda pair: pair.drop("down"), ["heard before!", "heard meanwhile", "heard after!"], id="down"),
        pytest.param(lambda pair: pair.drop("both"), ["heard before!", "heard after!"], id="both"),
        pytest.param(Pair.pull, ["heard before!", "heard after!"], id="pull"),
    ],
)
def test_nothing_comes_through_against_the_fault_and_everything_after_it(
    pair: Pair, talk: Talk, fault: Callable[[Pair], None], arrived: list[str]
) -> None:
    talk.say("before!")
    fault(pair)
    talk.say("meanwhile")
    if "heard meanwhile" in arrived:
        talk.answered("meanwhile")
    pair.heal()
    talk.say("after!")
    assert talk.arrived("after!") == arrived
    assert talk.came_back() == ["heard before!", "heard after!"]


@needs_namespaces
def test_what_is_dropped_is_answered_by_nobody(pair: Pair, talk: Talk) -> None:
    talk.say("before!")
    pair.drop("up")
    talk.say("one")
    pair.drop("both")
    talk.say("two")
    pair.heal()
    talk.say("after!")
    assert icmp_sent(pair) == [0, 0]


@needs_namespaces
def test_a_pulled_cable_takes_the_carrier_from_the_client_too(pair: Pair) -> None:
    pair.pull()
    argv = ["ip", "-n", pair.client.name, "link", "show", "eth0"]
    assert "NO-CARRIER" in subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@needs_namespaces
def test_dropping_another_way_takes_the_first_ones_place(pair: Pair, talk: Talk) -> None:
    pair.drop("up")
    pair.drop("down")
    talk.say("one")
    talk.answered("one")
    pair.heal()
    talk.say("two!")
    assert talk.arrived("two!") == ["heard one", "heard two!"]
    assert talk.came_back() == ["heard two!"]


ECHO = """\
import socket, sys
with socket.create_server((sys.argv[1], 7)) as listener:
    print("ready", flush=True)
    old, _ = listener.accept()
    new, _ = listener.accept()
    new.sendall(new.recv(100))
    old.setblocking(False)
    try:
        print("from the old one:", old.recv(100), flush=True)
    except BlockingIOError:
        print("from the old one: nothing", flush=True)
    old.setblocking(True)
    print("at last:", old.recv(100), flush=True)
"""
CALLER = """\
import socket, sys
old = socket.create_connection((sys.argv[1], 7))
print("connected", flush=True)
sys.stdin.readline()
old.sendall(b"old")
new = socket.create_connection((sys.argv[1], 7))
new.sendall(b"new")
print("answered", new.recv(100), flush=True)
sys.stdin.readline()
"""


@needs_namespaces
def test_connections_that_were_there_are_forgotten_new_ones_work_and_the_old_ones_heal(pair: Pair) -> None:
    with Program(*pair.server.inside(), sys.executable, "-c", ECHO, pair.server.ip) as server:
        server.out.wait("ready")
        caller = (*pair.client.inside(), sys.executable, "-c", CALLER, pair.server.ip)
        with Program(*caller, open_stdin=True) as client:
            client.out.wait("connected")
            pair.forget()
            client.say("\n")
            client.out.wait("answered b'new'")
            server.out.wait("from the old one: nothing")
            pair.heal()
            server.out.wait("at last: b'old'")


@needs_namespaces
def test_no_namespace_is_left_when_the_block_fails() -> None:
    pair = Pair()
    names = {pair.client.name, pair.server.name}
    with suppress(ConnectionError), pair:
        assert names <= namespaces()
        raise ConnectionError
    assert not names & namespaces()


MAKER = f"""\
import json, os, signal, sys
sys.path[:] = json.loads({PATHS!r})
from heartline_lab.network import Pair
with Pair() as pair:
    print(pair.client.name, pair.server.name, flush=True)
    signal.pause()
"""


@needs_namespaces
def test_ctrl_c_leaves_no_namespace() -> None:
    with Program(sys.executable, "-c", MAKER) as program:
        names = program.out.wait("heartline-")[0].split()
        assert set(names) <= namespaces()
        program.interrupt()
        program.wait()
        assert not set(names) & namespaces()


@needs_namespaces
def test_what_a_killed_run_left_is_removed_by_the_next_one_and_what_is_in_use_is_not() -> None:
    with Program(sys.executable, "-c", MAKER) as killed, Program(sys.executable, "-c", MAKER) as living:
        left = killed.out.wait("heartline-")[0].split()
        used = living.out.wait("heartline-")[0].split()
        killed.signal(signal.SIGKILL)
        killed.wait()
        assert set(left) <= namespaces()
        with Pair():
            assert not set(left) & namespaces()
            assert set(used) <= namespaces()


def test_without_ip_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(NoNamespaces, match="apt-get install iproute2") as caught, Pair():
        pass
    assert caught.value.need == "ip"
