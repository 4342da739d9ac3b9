"""How a session came to its end, in the words that decide what to do next."""

import enum
from dataclasses import dataclass

from heartline.convert import to_seconds
from heartline.errors import HeartlineError, Refused, RequestError
from heartline.v1.session_service_pb2 import GoodbyeReason, ServerGoodbye

HELLO_TIMEOUT = "HELLO_TIMEOUT"
"""The reason by which the server says that it was reached, but that no hello got through."""


class How(enum.Enum):
    """How a session ended."""

    REFUSED = "the stream is not allowed, by something that is not Heartline"
    SWALLOWED = "no welcome came in time"
    UNREACHED = "it could not be opened"
    CUT = "it was open, and was lost"
    DEAD = "it was open, and the server fell silent"
    TOLD = "the server itself said goodbye, or not now"
    FATAL = "the server says that this line can never be"


@dataclass(frozen=True, slots=True)
class Ending:
    """How and why a session ended, and what the server asks for.

    `lived` is for how many seconds it was open, None when it never was.
    """

    how: How
    why: str
    lived: float | None = None
    error: HeartlineError | None = None
    retry_after: float | None = None


def failed(error: HeartlineError, lived: float | None) -> Ending:
    """The call ended with an error; `lived` is None when it was never open.

    Only Heartline itself, known by its ErrorInfo, can tell a line that it can never be. What anything on the way says
    may change.
    """
    if isinstance(error, RequestError):
        how = How.FATAL if error.reason else How.REFUSED
    elif error.reason == HELLO_TIMEOUT:
        how = How.SWALLOWED
    elif error.reason and error.retry:
        how = How.TOLD
    else:
        how = How.UNREACHED if lived is None else How.CUT
    return Ending(how, str(error), lived, error, error.retry_after)


def lost(why: str, lived: float | None) -> Ending:
    """The session is of no more use, though nobody gave an error."""
    return Ending(How.UNREACHED if lived is None else How.CUT, why, lived)


def told(goodbye: ServerGoodbye, lived: float | None) -> Ending:
    """The server said goodbye."""
    known = goodbye.reason in GoodbyeReason.values()
    name = GoodbyeReason.Name(goodbye.reason).removeprefix("GOODBYE_REASON_") if known else "UNSPECIFIED"
    why = f"the server said goodbye: {name.lower().replace('_', ' ')}"
    after = to_seconds(goodbye.after) if goodbye.HasField("after") else None
    if not goodbye.retry:
        return Ending(How.FATAL, why, lived, Refused(f"{why}; it asks not to come back", reason=name))
    # These two say that frames do not get through, which is no different from a cut.
    how = How.CUT if name in ("HEARTBEAT_TIMEOUT", "EVENTS_LOST") else How.TOLD
    return Ending(how, why, lived, retry_after=after)
