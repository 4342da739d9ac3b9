"""Where results go: whether they can go there is found out before anything is measured."""

import tempfile
from pathlib import Path

from heartline.cli.exits import CommandError, Exit


def check_writable(path: Path, *, directory: bool) -> None:
    """Tries it, and leaves nothing behind. Raises CommandError when it cannot be written, or nothing in a directory."""
    try:
        if not directory and path.exists():
            with path.open("a"):
                return
        place = path if directory else path.parent
        while directory and not place.exists():
            place = place.parent
        with tempfile.TemporaryFile(dir=place):
            return
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}", Exit.IO) from None
