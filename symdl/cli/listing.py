"""`symdl list`: what the library holds."""

from __future__ import annotations

import argparse
import json
from typing import Any

import symdl as sd


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("list", help="list the definitions of the library")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print name, kind and summary of every definition."""
    entries = sd.definitions()
    if arguments.json:
        print(json.dumps([{"name": e.name, "kind": e.kind, "summary": e.summary} for e in entries], indent=2))
        return 0
    widths = [max(len(getattr(e, key)) for e in entries) for key in ("name", "kind")]
    for entry in entries:
        print(f"{entry.name:<{widths[0]}}  {entry.kind:<{widths[1]}}  {entry.summary}")
    return 0
