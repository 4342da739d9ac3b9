"""The programs beyond Python that tests run, and how to get each.

A test that runs one says so with `@pytest.mark.needs("strace")` and starts it by `path("strace")`. On a machine without
it, left_out.py leaves such tests out and says so; in CI it stops the run.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, a command line that succeeds where it works, and what to do to get it."""

    program: str
    probe: tuple[str, ...]
    remedy: str


OWN_MOUNTS = ("--mount",) if os.geteuid() == 0 else ("--user", "--map-root-user", "--mount")
"""What `unshare` needs so that the program after it may mount what nobody else sees."""

TOOLS = {
    "strace": Tool("strace", ("-o", os.devnull, "true"), "apt-get install strace, and leave to trace processes"),
    "unshare": Tool(
        "unshare", (*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", "/mnt"), "it needs root, or user namespaces"
    ),
    "namespaces": Tool(
        "unshare", ("--net", "ip", "link", "set", "lo", "up"), "they need root, and apt-get install iproute2"
    ),
    "capture": Tool(
        "python",
        ("-c", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
        "it needs root, or CAP_NET_RAW",
    ),
    "tshark": Tool("tshark", ("--version",), "apt-get install tshark"),
    "redis": Tool("redis-server", ("--version",), "apt-get install redis-server"),
    "nats": Tool("nats-server", ("--version",), "apt-get install nats-server"),
    "mosquitto": Tool("sh", ("-c", "mosquitto -h; test $? = 3"), "apt-get install mosquitto"),
    "haproxy": Tool("haproxy", ("-v",), "apt-get install haproxy"),
    "nginx": Tool("nginx", ("-v",), "apt-get install nginx"),
    "openssl": Tool("openssl", ("version",), "apt-get install openssl"),
    "chromium": Tool("chromium", ("--version",), "apt-get install chromium"),
    "grpcurl": Tool("grpcurl", ("-version",), "see github.com/fullstorydev/grpcurl, and put it on the PATH"),
    "buf": Tool("buf", ("--version",), "make test installs it; run the tests with that"),
}


def path(name: str) -> str:
    """The program's path: the environment's own, or else the first on the PATH. Raises LookupError without one."""
    beside = Path(sys.executable).parent
    found = shutil.which(TOOLS[name].program, path=f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    if found is None:
        raise LookupError(f"{name} is missing: {TOOLS[name].remedy}")
    return found


@cache
def works(name: str) -> bool:
    """Whether the program is there and really runs."""
    try:
        done = subprocess.run([path(name), *TOOLS[name].probe], capture_output=True, timeout=60, check=False)
    except (LookupError, OSError):
        return False
    return done.returncode == 0
