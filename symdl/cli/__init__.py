"""The command line: `symdl check`, `check-code`, `prove`, `derive`, `list`, `train`, `cost`, `accuracy`, `properties`,
`portrait`, `devices`, `demo`.

Exit codes: 0 done (and proved, or accurate, where that was asked), 1 not, 2 bad input, 130 interrupted; `check` has 3
as well.
Nothing but the standard library is imported until a command runs, so that `symdl --help` is quick.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import symdl as sd
from symdl.cli import (
    accuracy,
    check,
    check_code,
    cost,
    demo,
    derive,
    devices,
    listing,
    portrait,
    properties,
    prove,
    train,
)

#: How many results SymPy keeps of each of its functions, which it reads when it is loaded: a derivation of some layers
#: goes round more than the thousand that are usual, and has each computed again. What is computed is the same.
SYMPY_RESULTS = ("SYMPY_CACHE_SIZE", "10000")
COMMANDS = (check, check_code, prove, derive, listing, train, cost, accuracy, properties, portrait, devices, demo)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; each command's module adds its own part."""
    top = argparse.ArgumentParser(
        prog="symdl",
        description="Derive, check and compile the mathematics of neural networks from one definition.",
        epilog="Exit codes: 0 done, 1 refuted, not proved or not accurate, 2 bad input, 3 see check, 130 interrupted.",
    )
    top.add_argument("--version", action="version", version=f"symdl {sd.__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = parser().parse_args(argv)
    os.environ.setdefault(*SYMPY_RESULTS)
    try:
        with _tidy_when_ended():
            return int(arguments.run(arguments))
    except KeyboardInterrupt:
        print("symdl: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader (head, less) has gone: nothing to say, and nothing to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except sd.SymdlError as error:
        print(f"symdl: {error}", file=sys.stderr)
        return 2


@contextmanager
def _tidy_when_ended() -> Iterator[None]:
    """SIGTERM, as `timeout` and continuous integration send it, ends what we have started, as an interrupt does."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
