"""`symdl properties NAME…`: range, limits, slope, minimum, convexity, fixed points, each proved or undecided."""

from __future__ import annotations

import argparse
import json
from typing import Any

import symdl as sd
from symdl.cli.files import entry


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "properties", help="derive what is so of activations and losses: range, slope, limits, …"
    )
    words = "activations and losses of the library, or of a Python file"
    command.add_argument("names", metavar="NAME|FILE.py:OBJ", nargs="*", help=words)
    command.add_argument("--set", nargs="+", default=[], metavar="PARAMETER=N", help="such as alpha=1/4")
    command.add_argument("--json", action="store_true", help="as JSON on standard output")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Derive and print them; 1 where one is undecided."""
    if not arguments.names:
        raise sd.DataError("no activation is named", where="symdl properties", remedy="symdl properties gelu")
    given = dict(_parameter(text) for text in arguments.set)
    found = [_found(entry(name), given) for name in arguments.names]
    if arguments.json:
        print(json.dumps([f.to_json() for f in found], indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(map(str, found)))
    return 0 if all(fact for f in found for _, fact in f.facts()) else 1


def _found(which: Any, given: dict[str, str]) -> Any:
    if given and isinstance(which, sd.Loss):
        raise sd.DataError("--set changes no loss of a file", remedy="give it its numbers there")
    return sd.properties(which, **given)


def _parameter(text: str) -> tuple[str, str]:
    name, _, number = text.partition("=")
    if not (name and number):
        raise sd.DataError(f"'{text}' gives no number", where="--set", remedy="write --set alpha=1/4")
    return name, number
