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
    """Print name, kind, summary and options of every definition."""
    entries = sd.definitions()
    if arguments.json:
        listed = [{"name": e.name, "kind": e.kind, "summary": e.summary, "options": e.options} for e in entries]
        print(json.dumps(listed, indent=2, default=str))
        return 0
    widths = [max(len(getattr(e, key)) for e in entries) for key in ("name", "kind")]
    for entry in entries:
        print(f"{entry.name:<{widths[0]}}  {entry.kind:<{widths[1]}}  {entry.summary}{_options(entry.options)}")
    return 0


def _options(options: dict[str, Any]) -> str:
    return f" ({', '.join(f'{name}={default!r}' for name, default in options.items())})" if options else ""
