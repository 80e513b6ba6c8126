"""`symdl portrait NAME|FILE.py:OBJ`: all that is known of an activation or a loss, with plots, on one page."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import symdl as sd
from symdl.cli.files import entry


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("portrait", help="what is known of an activation or a loss, on a page")
    command.add_argument("what", metavar="NAME|FILE.py:OBJ", help="of the library, or of a Python file")
    command.add_argument("--points", type=int, default=600, help="of the sweep of accuracy, 0: none (default: 600)")
    command.add_argument("-o", "--output", metavar="FILE", help="out.html, .md, .tex or .pdf (default: printed)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the page, and show or write it."""
    page = sd.portrait(entry(arguments.what), points=arguments.points)
    if arguments.output:
        print(f"wrote {sd.write(page, arguments.output)}", file=sys.stderr)
    else:
        print(sd.markdown(page))
    return 0
