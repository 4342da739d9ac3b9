"""How a command ends: exit codes, after sysexits.h, and the sentence that goes with each failure."""

import enum

from heartline import errors


class Exit(enum.IntEnum):
    """What a command leaves behind for scripts. Bad options are argparse's own 2."""

    OK = 0
    USAGE = 64
    DATA = 65
    UNAVAILABLE = 69
    INTERNAL = 70
    IO = 74
    TRY_AGAIN = 75
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


EXIT_CODES = """\
exit codes:
  0 done   2, 64 wrong usage   65 the server refused what was asked   69 no server answers
  70 a fault inside Heartline   74 cannot read or write   75 not now, try again
  130 Ctrl-C   141 nobody reads the output   143 terminated"""


class CommandError(Exception):
    """The command cannot go on; the text is the whole explanation."""

    def __init__(self, text: str, code: Exit) -> None:
        super().__init__(text)
        self.code = code


class NoServer(errors.Unavailable):
    """Nobody answers at the address."""


def explain(error: CommandError | errors.HeartlineError) -> tuple[str, Exit]:
    """What to tell a person, and the exit code."""
    text = str(error)
    if isinstance(error, CommandError):
        return text, error.code
    if isinstance(error, NoServer):
        return f"{text}; start one with `heartline serve`, or name another with --server", Exit.UNAVAILABLE
    if isinstance(error, errors.RequestError):
        return text, Exit.DATA
    if isinstance(error, errors.Unavailable):
        return text, Exit.TRY_AGAIN if error.reason else Exit.UNAVAILABLE
    return text, Exit.INTERNAL
