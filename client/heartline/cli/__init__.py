"""The command line: `heartline publish | poll | listen | check-in | who | sessions`, and commands of other packages.

Rules:
- A command is a file with `add_command(subparsers)`, which sets `run=` to a callable(args) that returns an exit code.
  Commands of other packages come in by the entry-point group "heartline.commands", in the same form.
- Nothing is imported before `main` runs, so that Ctrl-C is clean as early as can be.
"""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; `argv` is without the program's name. Raises SystemExit for usage."""
    try:
        from heartline.cli.dispatch import dispatch

        return dispatch(argv)
    except KeyboardInterrupt:
        return 130
