"""A plain web server of the standard library: what HTTP/1.0 and HTTP/1.1 do without any help of ours."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from heartline_lab.claims.measuring.sockets import HOST

SMALL, LARGE = 200, 2**20
"""Bytes of the pages /small and /large."""
SLOW = 0.3
"""Seconds that /slow takes."""
EVENTS, APART = 3, 0.1
"""How many events /events streams, and the seconds between them."""


class Pages(ThreadingHTTPServer):
    """The server. `connections` counts those that it accepted."""

    connections = 0

    def get_request(self) -> tuple[socket.socket, object]:
        """Accepts one."""
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a client that goes away early is none."""


class Closing(BaseHTTPRequestHandler):
    """HTTP/1.0: a connection for each request. An answer is written at once."""

    timeout = 10
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path == "/events":
            self._stream()
            return
        if self.path == "/slow":
            time.sleep(SLOW)
        size = LARGE if self.path == "/large" else SMALL
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(bytes(size))

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(EVENTS):
            if number:
                time.sleep(APART)
            event = b"data: %d\n\n" % number
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


class Apart(Closing):
    """HTTP/1.0, and an answer's head and body are written one after the other, as the standard library does."""

    wbufsize = 0


class Keeping(Closing):
    """HTTP/1.1: the connection is kept."""

    protocol_version = "HTTP/1.1"


@contextmanager
def pages(handler: type[Closing]) -> Iterator[Pages]:
    """Serves while the block lasts."""
    server = Pages((HOST, 0), handler)
    serving = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def read_answer(connection: socket.socket) -> None:
    """Reads one whole answer with a Content-Length of SMALL, and not a byte more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _received(connection, 1)
    left = SMALL
    while left:
        left -= len(_received(connection, left))


def _received(connection: socket.socket, most: int) -> bytes:
    data = connection.recv(most)
    if not data:
        raise ConnectionError("the server ended the connection in the middle of its answer")
    return data
