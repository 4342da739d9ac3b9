"""What a live session talks through: gRPC gives one, and so does a test."""

from typing import Protocol


class Link(Protocol):
    """What a session talks through."""

    peer: str
    """The other end's address."""

    async def send(self, frame: bytes) -> None:
        """Sends one serialised ConnectResponse; returns when the transport took it. Raises ConnectionError."""
