"""Small servers in processes of their own, whose threads and answers are counted: `python -m ... NAME [PORT]`.

Each prints its port when it listens. Those that answer say their process's id and hang up.
"""

import os
import socket
import socketserver
import sys
import time
from contextlib import suppress

from heartline_lab.claims.measuring.sockets import HOST
from heartline_lab.sockets import keep_alive

TUNED = (1, 1, 2)
"""SO_KEEPALIVE's seconds until the first probe, seconds between probes, and probes: as short as Linux allows."""
_BUSY = 0.005
"""Seconds after each answer in which others, if there are any, come first."""


def accepting(port: int) -> None:
    """Accepts and holds connections, and nothing else."""
    held = []
    with _ready(socket.create_server((HOST, port), backlog=256)) as listener:
        while True:
            held.append(listener.accept())


def keepalive(port: int) -> None:
    """The same, with SO_KEEPALIVE tuned short: what is accepted inherits it."""
    held = []
    with socket.create_server((HOST, port), backlog=256) as listener:
        keep_alive(listener, *TUNED)
        _ready(listener)
        while True:
            held.append(listener.accept())


def threading(port: int) -> None:
    """Python's server that is written to start a thread for each connection; they hold theirs until it ends."""

    class Holder(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1)

    socketserver.ThreadingTCPServer.request_queue_size = 256
    with socketserver.ThreadingTCPServer((HOST, port), Holder) as server:
        server.daemon_threads = True
        _ready(server.socket)
        server.serve_forever()


def reuseport(port: int) -> None:
    """Answers on a socket that lets others listen there too."""
    _answer(_ready(socket.create_server((HOST, port), reuse_port=True)))


def forked(port: int) -> None:
    """Answers on one socket from two processes."""
    listener = socket.create_server((HOST, port))
    if os.fork():
        _ready(listener)
    _answer(listener)


def _ready(listener: socket.socket) -> socket.socket:
    print(listener.getsockname()[1], flush=True)
    return listener


def _answer(listener: socket.socket) -> None:
    with listener:
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"%d\n" % os.getpid())
            time.sleep(_BUSY)


SERVERS = {
    "accepting": accepting,
    "keepalive": keepalive,
    "threading": threading,
    "reuseport": reuseport,
    "forked": forked,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]) if len(sys.argv) > 2 else 0)
