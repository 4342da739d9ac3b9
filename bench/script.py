"""What the bare server says: the very bytes that the real server said to the same requests.

Rules: no gRPC here. A script travels to the bare server as one line of JSON.
"""

import base64
import json
from dataclasses import dataclass

PUBLISH = "/heartline.v1.RequestService/Publish"
POLL = "/heartline.v1.RequestService/Poll"
CONNECT = "/heartline.v1.SessionService/Connect"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A unary request with its answer, and a frame that is pushed to every stream. An empty request means any."""

    method: str
    answer: bytes
    request: bytes = b""
    push: bytes = b""


@dataclass(frozen=True, slots=True)
class Script:
    """All that the bare server says: the frames that answer a stream's first one, and the unary answers.

    With `echo`, a stream then says every frame back, and nothing is pushed to it.
    """

    greeting: tuple[bytes, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    echo: bool = False

    def to_json(self) -> str:
        """One line."""
        exchanges = [[e.method, _text(e.answer), _text(e.request), _text(e.push)] for e in self.exchanges]
        greeting = [_text(frame) for frame in self.greeting]
        return json.dumps({"greeting": greeting, "exchanges": exchanges, "echo": self.echo})

    @classmethod
    def from_json(cls, line: str) -> "Script":
        """The script of a line."""
        read = json.loads(line)
        exchanges = tuple(Exchange(method, *map(base64.b64decode, rest)) for method, *rest in read["exchanges"])
        return cls(tuple(map(base64.b64decode, read["greeting"])), exchanges, read["echo"])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
