"""`symdl cost`: how expansion and the chain rule grow with depth and width, as a table and a plot."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import symdl as sd


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("cost", help="measure how the two ways of deriving grow")
    command.add_argument("--depth", type=int, default=8, metavar="D", help="hidden layers, from 1 to D (default: 8)")
    command.add_argument("--width", type=int, default=16, metavar="W", help="units, 1, 2, 4, … to W (default: 16)")
    command.add_argument(
        "--limit",
        type=int,
        default=20_000,
        metavar="OPS",
        help="really build and print expansions up to this size (default: 20000); larger ones are counted",
    )
    command.add_argument("--json", action="store_true", help="as JSON on standard output")
    command.add_argument("-o", "--output", metavar="FOLDER", help="write growth.json, growth.md and growth.svg there")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, write the plot."""
    if arguments.depth < 1 or arguments.width < 1:
        raise sd.DataError("depth and width start at 1", where="symdl cost", remedy="--depth 8 --width 16")
    folder = sd.ensure_folder(arguments.output) if arguments.output else None
    measured = measure(arguments.depth, arguments.width, limit=arguments.limit, say=sys.stderr.isatty())
    if arguments.json:
        print(json.dumps(measured.to_json(), indent=2))
    else:
        print(table(measured))
    if folder is not None:
        write(folder, measured)
        print(f"wrote {folder}", file=sys.stderr)
    return 0


def measure(depth: int, width: int, *, limit: int = 20_000, say: bool = False) -> Any:
    """The growth of the tanh network from 1 to `depth` hidden layers, for widths 1, 2, 4, … up to `width`."""
    widths = [w for w in (1, 2, 4, 8, 16, 32) if w <= width]

    def progress(words: str) -> None:
        if say:
            print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)

    def network(hidden: int) -> Any:
        return sd.sequential(*[sd.dense(act="tanh")] * hidden, sd.dense(1), loss="l2")

    measured = sd.growth(network, depths=range(1, depth + 1), widths=widths, limit=limit, progress=progress)
    progress("")
    return measured


def write(folder: Any, measured: Any) -> None:
    """growth.json, growth.md and growth.svg."""
    sd.write_text_atomic(folder / "growth.json", json.dumps(measured.to_json(), indent=2) + "\n")
    sd.write_text_atomic(folder / "growth.md", table(measured) + "\n")
    sd.plot_growth(measured, folder / "growth.svg")


def table(measured: Any) -> str:
    """A Markdown table; what was too large to be built has no seconds and no characters."""
    head = "| width | layers | expanded: operations | seconds | characters | chain: operations | seconds | characters |"
    lines = [head, "|" + " ---: |" * 8]
    for r in measured.rows:
        seconds = "" if r.expand_seconds is None else f"{r.expand_seconds:.2f}"
        characters = "" if r.expand_characters is None else f"{r.expand_characters:,}"
        lines.append(
            f"| {r.width} | {r.depth} | {r.expand_operations:,} | {seconds} | {characters} "
            f"| {r.chain_operations:,} | {r.chain_seconds:.2f} | {r.chain_characters:,} |"
        )
    return "\n".join(lines)
