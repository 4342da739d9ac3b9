"""What is said to `ip` to make a pair of namespaces, to lose packets in it, and to find what killed runs left. Pure.

Rules:
- Packets are lost where they come in, by a routing rule of the receiver: no packet filter or queueing module is needed,
  the sender's kernel learns nothing, and nothing is answered, not even by ICMP.
- A name says which process made it, so that what a killed one left can be told from what is in use.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Direction = Literal["up", "down", "both"]
"""Up is from the client to the server."""

DEVICE = "eth0"
"""What each end calls its end of the cable."""
_DROP_FIRST = 10
_LOCAL_AFTER = 100
"""The kernel looks up its own addresses first of all, unless that is put behind the rules that drop."""
_ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Host:
    """One end of the cable."""

    name: str
    """The namespace's, as `ip netns` knows it."""
    ip: str

    def inside(self) -> list[str]:
        """What to put before a command line to run it there, as root."""
        return ["ip", "netns", "exec", self.name]


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets that one end loses as they come in: all, or those of one connection, told by the client's port."""

    at: Literal["client", "server"]
    client_port: int | None = None

    def rule(self) -> str:
        """The routing rule that does it, as `ip rule add` and `ip rule del` take it."""
        rule = f"pref {_DROP_FIRST} iif {DEVICE}"
        if self.client_port is not None:
            rule += f" ipproto 6 {'sport' if self.at == 'server' else 'dport'} {self.client_port}"
        return f"{rule} blackhole"


def hosts(pid: int, number: int) -> tuple[Host, Host]:
    """The client's and the server's end of the pair of that number of a process."""
    # Addresses that are set apart for tests of networks; each pair has them for itself.
    return (
        Host(f"heartline-{pid}-{number}-client", "198.18.0.1"),
        Host(f"heartline-{pid}-{number}-server", "198.18.0.2"),
    )


def left_behind(listing: str, lives: Callable[[int], bool]) -> list[str]:
    """The namespaces that `ip netns list` shows and whose makers do not live."""
    made = re.findall(r"^(heartline-(\d+)-\d+-(?:client|server))\b", listing, re.MULTILINE)
    return [name for name, pid in made if not lives(int(pid))]


def making(client: Host, server: Host) -> list[str]:
    """The lines that make both namespaces and the cable."""
    cable = f"link add name {DEVICE} netns {client.name} type veth peer name {DEVICE} netns {server.name}"
    return [f"netns add {client.name}", f"netns add {server.name}", cable]


def waking(host: Host) -> list[str]:
    """The lines that, said to one namespace, make it ready for use."""
    return [
        f"address add {host.ip}/24 dev {DEVICE}",
        "link set lo up",
        f"link set {DEVICE} up",
        f"rule add pref {_LOCAL_AFTER} lookup local",
        "rule del pref 0",
    ]


def losses(direction: Direction) -> frozenset[Loss]:
    """What loses all packets in that direction."""
    up, down = Loss("server"), Loss("client")
    return frozenset({"up": [up], "down": [down], "both": [up, down]}[direction])


def described(pulled: bool, lost: frozenset[Loss]) -> str:
    """What is wrong, in the words that make it, or "no faults"."""
    words = ["pull"] if pulled else []
    ways: tuple[Direction, ...] = ("both", "up", "down")
    words += [f"drop {way}" for way in ways if losses(way) <= lost][:1]
    forgotten = len({loss.client_port for loss in lost} - {None})
    if forgotten:
        words.append(f"forgot {forgotten} connection{'s' * (forgotten > 1)}")
    return ", ".join(words) or "no faults"


def forgetting(ports: list[int]) -> frozenset[Loss]:
    """What loses, both ways, the connections that the client has on these ports."""
    return frozenset(Loss(at, port) for port in ports for at in ("client", "server"))


def ports_in_use(tables: str) -> list[int]:
    """The local ports of the connections in a /proc/net/tcp, or in several."""
    rows = [line.split() for line in tables.splitlines()]
    return sorted(int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _ESTABLISHED)
