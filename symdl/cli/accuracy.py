"""`symdl accuracy NAME…`: how far compiled functions and their slopes are from 50-digit truth, over all numbers."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import symdl as sd
from symdl.cli.files import entry


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("accuracy", help="measure the error of compiled functions over all numbers")
    words = "activations and losses of the library, or of a Python file"
    command.add_argument("names", metavar="NAME|FILE.py:OBJ", nargs="*", help=words)
    command.add_argument("--all", action="store_true", help="every activation and every loss")
    command.add_argument("--dtype", choices=["float64", "float32", "both"], default="both", help="default: both")
    command.add_argument("--points", type=int, default=1500, help="about how many of the grid (default: 1500)")
    command.add_argument("--json", action="store_true", help="as JSON on standard output")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Sweep, print the table; 1 where an error is beyond 4 ulps, of the value or of the terms it is a difference of."""
    if arguments.all == bool(arguments.names):
        raise sd.DataError(
            "no activation is named" if not arguments.names else "--all and names exclude each other",
            where="symdl accuracy",
            remedy="symdl accuracy gelu, or symdl accuracy --all",
        )
    names = [_which(n) for n in arguments.names] or sd.swept()
    dtypes = ("float64", "float32") if arguments.dtype == "both" else (arguments.dtype,)
    found = []
    for count, name in enumerate(names):
        _say(f"{_bar(count, len(names))} {name if isinstance(name, str) else name.name}")
        found.append(sd.sweep(name, dtypes=dtypes, points=arguments.points, peer=isinstance(name, str)))
    _say("")
    if arguments.json:
        print(json.dumps([f.to_json() for f in found], indent=2))
    else:
        print(sd.sweep_table(found))
    return 0 if all(f.conditioned for f in found) else 1


def _which(name: str) -> Any:
    """An entry that a sweep takes, by the name that people write, or an object of a file."""
    found = entry(name)
    if not isinstance(found, str) or found in sd.swept():
        return found
    try:
        return sd.loss(found).name
    except sd.DefinitionError:
        return sd.activation(found).name


def _say(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def _bar(done: int, total: int, width: int = 24) -> str:
    """
    >>> _bar(1, 2, 4)
    '━━╌╌ 1/2'
    """
    filled = width * done // total
    return f"{'━' * filled}{'╌' * (width - filled)} {done}/{total}"
