"""`symdl prove NAME…`: have Coq check the slope of activations and losses, and leave the files that it has read."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import symdl as sd


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("prove", help="machine-checked proofs of slopes and forms, by Coq")
    command.add_argument("names", metavar="NAME", nargs="*", help="activations and losses of the library")
    command.add_argument("--all", action="store_true", help="every entry that has a proof")
    command.add_argument("--list", action="store_true", help="the names of the entries that have one")
    command.add_argument("--json", action="store_true", help="as JSON on standard output")
    command.add_argument("-o", "--output", metavar="DIR", help="also write the Coq files there, as DIR/NAME.v")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="files that are checked at a time")
    command.add_argument("--seconds", type=float, default=120.0, metavar="S", help="limit for each file (120)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check and print them; 1 where Coq has not accepted one."""
    if arguments.list:
        print("\n".join(sd.provable()))
        return 0
    names = list(sd.provable()) if arguments.all else arguments.names
    if not names:
        raise sd.DataError("no entry is named", where="symdl prove", remedy="symdl prove gelu, or --all")
    if arguments.jobs < 1 or not arguments.seconds > 0:
        raise sd.DataError("--jobs and --seconds have to be above 0", where="symdl prove")
    told = _progress(len(names)) if sys.stderr.isatty() else lambda name: None
    found = sd.prove(names, jobs=arguments.jobs, seconds=arguments.seconds, told=told)
    if arguments.output:
        folder = sd.ensure_folder(arguments.output)
        for proof in found:
            sd.write_text_atomic(Path(folder) / f"{proof.name}.v", proof.file.text)
    if arguments.json:
        print(json.dumps([p.to_json() for p in found], indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(str, found)))
    return 0 if all(p.verdict.proved for p in found) else 1


def _progress(count: int) -> Any:
    done = 0

    def told(name: str) -> None:
        nonlocal done
        done += 1
        print(f"\r{done} of {count}: {name:<40}", end="\n" if done == count else "", file=sys.stderr, flush=True)

    return told
