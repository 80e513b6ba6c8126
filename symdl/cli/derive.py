"""`symdl derive NAME|FILE.py:OBJ`: the gradient, both ways, as LaTeX, Markdown, HTML or PDF."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import symdl as sd
from symdl.cli.files import in_file, is_entry, loaded, wrong


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("derive", help="derive a gradient by the chain rule, by expansion, or both")
    command.add_argument(
        "what", metavar="NAME|FILE.py:OBJ", nargs="?", help="a definition of the library, or one in a Python file"
    )
    command.add_argument("--wrt", metavar="NAMES", help="differentiate by these, comma-separated (default: parameters)")
    command.add_argument("--of", metavar="ELEMENT", help="an output other than the target, such as 'p[n,k]'")
    command.add_argument("--via", choices=["chain", "expand", "both"], default="chain", help="default: chain")
    command.add_argument("--at", nargs="+", default=[], metavar="INDEX=N", help="write it out for these extents")
    command.add_argument("--values", metavar="FILE", help="JSON with numbers by tensor name: worked with them")
    command.add_argument("--lr", type=float, metavar="RATE", help="with --values: one SGD update with this rate")
    command.add_argument("--matrix", action="store_true", help="matrix form where it is recognised")
    command.add_argument("--json", action="store_true", help="equations, cost and verdict as JSON on standard output")
    command.add_argument(
        "-o", "--output", metavar="FILE", help="out.tex, .md, .html or .pdf (default: Markdown, printed)"
    )
    command.add_argument(
        "--all", action="store_true", help="write the gallery anew (in a checkout), or to the folder -o"
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Derive, prove both ways equal where both are asked for, and show or write the result.

    The gradient of a layer, which has no loss, is for any loss (`sd.vjp`).
    """
    if arguments.all:
        return write_gallery(arguments.output)
    if arguments.what is None:
        raise sd.DataError(
            "nothing is named", where="symdl derive", remedy="symdl derive neuron, or symdl derive --all"
        )
    definition = load(arguments.what)
    wrt = [w.strip() for w in arguments.wrt.split(",")] if arguments.wrt else None
    ways: list[Any] = ["chain", "expand"] if arguments.via == "both" else [arguments.via]
    if definition.target.rank and arguments.of is None:  # a layer: for any loss, by the slope of its output
        definition = sd.seeded(definition)
    derivations = [sd.derive(definition, wrt, via=way, of=arguments.of) for way in ways]
    verdict = sd.equal(*derivations) if len(derivations) == 2 else None
    worked = _worked(arguments, derivations)
    document = sd.report(
        derivations, worked=worked, verdict=verdict, notation="matrix" if arguments.matrix else "index"
    )
    if arguments.output:
        path = sd.write(document, arguments.output)
        print(f"wrote {path}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(_as_json(derivations, worked, verdict), indent=2, ensure_ascii=False))
    elif not arguments.output:
        print(sd.markdown(document))
    return 0 if verdict is None or verdict else 1


def write_gallery(folder: str | None) -> int:
    """Every derivation of the repository as Markdown, LaTeX and pictures, each claim proved anew.

    Raises:
        DataError: symdl runs from an installed package, without the sources of the gallery.
        NotProvedError: an entry claims what is not proved.
    """
    root = Path(sd.__file__).resolve().parents[1]
    if not (root / "derivations" / "generate.py").is_file():
        raise sd.DataError(
            "the sources of the gallery are not here",
            where="symdl derive --all",
            why="the folder derivations/ is part of a checkout, not of the installed package",
            remedy="clone the repository and run it there",
        )
    sys.path.insert(0, str(root))
    return int(importlib.import_module("derivations.generate").run(Path(folder) if folder else None))


def _worked(arguments: argparse.Namespace, derivations: list[Any]) -> dict[str, Any]:
    extents = dict(_extent(text) for text in arguments.at)
    values = read_values(arguments.values) if arguments.values else {}
    if arguments.lr is not None and not values:
        raise sd.DataError("--lr needs --values", why="an update needs numbers", remedy="add --values FILE")
    if not extents and not values:
        return {}
    rule = sd.sgd(lr=arguments.lr) if arguments.lr is not None else None
    words = "With numbers" if values else "Written out"
    ways = {"chain": "by the chain rule", "expand": "by expansion"}
    return {f"{words}, {ways[d.via]}": d.at(values, update=rule, **extents) for d in derivations}


def _extent(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not (name and number.isdigit()):
        raise sd.DataError(f"'{text}' is no extent", where="--at", remedy="write --at i=3 n=1")
    return name, int(number)


def read_values(path: str) -> dict[str, Any]:
    """Numbers by tensor name from a JSON file."""
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except OSError as error:
        raise sd.DataError(f"can't read {path}", why=error.strerror or str(error), remedy="check the path") from None
    except ValueError as error:
        raise sd.DataError(f"{path} is no JSON", why=str(error), remedy='write {"w": [2, 2, 2], "b": 4}') from None
    if not isinstance(values, dict):
        raise sd.DataError(f"{path} holds no object", remedy='write {"w": [2, 2, 2], "b": 4}')
    return values


def load(what: str) -> Any:
    """A definition of the library by name, or one of a Python file; of an activation or a loss there, its own.

    Raises:
        SymdlError: no such name, file or object, or the file fails.
    """
    if not in_file(what):
        return sd.definition(what)
    found = loaded(what)
    if is_entry(found):
        return found.definition()
    if not isinstance(found, sd.Definition):
        raise wrong(what, "definition", "decorate a function with @sd.define")
    return found


def _as_json(derivations: list[Any], worked: dict[str, Any], verdict: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "derivations": [
            {
                "definition": d.source.name,
                "via": d.via,
                "of": str(d.of),
                "gradients": {name: str(d[name].element()) for name in d.wrt},
                "equations": [str(e) for e in d.gradient.equations],
                "latex": sd.latex(d.gradient),
                "steps": [{"rule": s.rule, "of": str(s.subject), "note": s.note} for s in d.steps],
                "operations": d.cost.operations,
                "operations_shared": d.cost.operations_shared,
                "seconds": d.cost.seconds,
            }
            for d in derivations
        ]
    }
    if worked:
        made["values"] = [{str(line.lhs): str(line.value) for line in w.lines} for w in worked.values()]
    if verdict is not None:
        made["verdict"] = verdict.to_json()
    return made
