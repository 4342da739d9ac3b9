"""Tests statements about connections: `python -m heartline_lab.claims [NUMBER ...] [--write FILE]`.

Rules:
- The verdicts go to stdout as Markdown, or with --write into a file, and progress to stderr.
- A file is written only when every statement was tested: it may hold verdicts of a machine that could test more.
- The exit code is 1 when a statement could not be tested for another reason than that a right is missing.
"""

import argparse
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
from heartline.cli import running
from heartline.cli.exits import Exit

from heartline_lab.claims.render import Section, document, section, verdict_of
from heartline_lab.claims.run import Result, run
from heartline_lab.claims.statements import STATEMENTS, Statement


def main() -> int:
    """Tests what the command line asks for; returns the exit code."""
    options = _parser().parse_args()
    chosen = [one for one in STATEMENTS if one.number in (options.numbers or range(100))]
    try:
        results = running.run(run(chosen, _tell))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    failed = any(result.failed for result in results.values())
    sections = [Section(one.number, one.says, one.follows, results[one.number].outcome) for one in chosen]
    if options.numbers:
        print("\n".join(map(section, sections)), end="")
    elif options.write is None:
        print(document(sections, _environment()), end="")
    elif untested := {one.number: one.outcome for one in sections if isinstance(one.outcome, str)}:
        print(f"claims: {_refusal(options.write, untested)}", file=sys.stderr)
        return Exit.UNAVAILABLE if not failed else 1
    else:
        try:
            options.write.write_text(document(sections, _environment()), encoding="utf-8")
        except OSError as error:
            print(f"claims: cannot write {options.write}: {error.strerror}", file=sys.stderr)
            return Exit.IO
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m heartline_lab.claims", description="Tests twenty statements about connections on this machine."
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "numbers",
        nargs="*",
        type=_number,
        default=[],
        metavar="NUMBER",
        help=f"which to test, 1 to {len(STATEMENTS)}; default: all",
    )
    what.add_argument("--write", type=Path, metavar="FILE", help="test all, and write docs/claims.md or another file")
    return parser


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in range(1, len(STATEMENTS) + 1):
        raise argparse.ArgumentTypeError(f"{text!r} is no statement: there are 1 to {len(STATEMENTS)}")
    return int(text)


def _tell(statement: Statement[Any], result: Result) -> None:
    words = f"claims: {statement.number}: {verdict_of(result.outcome)} ({result.seconds:.1f} s)"
    print(words, file=sys.stderr, flush=True)


def _refusal(file: Path, untested: Mapping[int, str]) -> str:
    """Why the file was not written: who lacks what, and what to do."""
    reasons = "; ".join(dict.fromkeys(untested.values()))
    return (
        f"{file} is left as it is, since this machine did not test {len(untested)} of {len(STATEMENTS)} statements"
        f" ({reasons}): run it where all can be tested, or without --write to see the others"
    )


def _environment() -> str:
    """What figures depend on, without what names this one machine."""
    kernel = re.match(r"[0-9.]+", platform.release())
    parts = [f"{platform.system()} {kernel[0] if kernel else ''}", f"Python {platform.python_version()}"]
    return ", ".join([*parts, f"grpcio {grpc.__version__}"])


if __name__ == "__main__":
    sys.exit(main())
