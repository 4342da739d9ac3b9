"""What a server is told at its start. Validated once, where it comes in (command.py); plain values here."""

from dataclasses import dataclass, field

from heartline.timing import Timing

from heartline_service.retention import Retain, by_pattern


@dataclass(frozen=True, slots=True)
class Settings:
    """All durations in seconds."""

    listen: str = "127.0.0.1:50051"
    store: str = "sqlite:data/heartline.db"
    retain: Retain = field(default_factory=lambda: by_pattern([]))
    heartbeat: Timing = field(default_factory=Timing)
    """What is in force for clients that ask for nothing else."""
    grace: float = 5.0
    """How long a client whose connection was lost still counts as online."""
    drain_timeout: float = 5.0
    """How long sessions have to go elsewhere when the server stops."""
    max_message_bytes: int = 1024 * 1024
    """The most data in one message."""
    workers: int = 1
    """How many processes serve on the one port."""
    name: str = "heartline"
    """What welcome calls this server."""
