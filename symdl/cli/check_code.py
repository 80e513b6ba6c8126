"""`symdl check-code FILE.py:FUNCTION DEFINITION`: is a hand-written backward function the gradient of a definition?"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from typing import Any

import symdl as sd
from symdl.cli.derive import load as load_definition
from symdl.cli.files import module_of

_HELP = """\
Import a Python file of yours, as Python imports it, and compare a function of it with the exact gradient: the file is
run, so check only files that you would run. The function's parameters are named after tensors of the definition
(inputs, forward values, and y_bar, dy or dout for the slope of the loss by an output); it returns the slopes by --wrt.
Exit codes: 0 nothing is wrong, 1 refuted, 2 bad input."""


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "check-code",
        help="check a hand-written backward function of a Python file, which is imported, against a definition",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("code", metavar="FILE.py:FUNCTION", help="a function, or a torch.autograd.Function")
    command.add_argument("definition", metavar="DEFINITION", help="a name of symdl list, or FILE.py:OBJ")
    command.add_argument(
        "--wrt", metavar="NAMES", help="what the slopes are by, comma-separated, in the order returned"
    )
    command.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the definition (kernel=3), the extent of an index (n=8), or a number that stands in the "
        "function's text (eps=1e-5)",
    )
    command.add_argument(
        "--map",
        nargs="+",
        action="extend",
        default=[],
        metavar="PARAMETER=TENSOR",
        help="what a parameter means that is named otherwise; a cache as cache=x_hat,r,gamma",
    )
    command.add_argument(
        "--returns", metavar="NAMES", help="what is returned, in order, if forward values are among it"
    )
    command.add_argument("--outputs", metavar="NAMES", help="outputs whose slopes an autograd function gets")
    command.add_argument("--dtype", choices=["float64", "float32", "both"], default="both", help="default: both")
    command.add_argument("--strict", action="store_true", help="NaN or infinity at huge numbers is wrong too")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of what is drawn")
    command.add_argument("--json", action="store_true", help="as JSON on standard output")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, print the verdict; 1 where it is refuted."""
    with contextlib.redirect_stdout(sys.stderr):  # what the function prints is no part of the verdict
        found = _checked(arguments)
    print(json.dumps(found.to_json(), indent=2, ensure_ascii=False) if arguments.json else found)
    return 0 if found else 1


def _checked(arguments: argparse.Namespace) -> Any:
    options, left = _options(arguments)
    definition = sd.definition(arguments.definition, **options) if options else load_definition(arguments.definition)
    inputs = {t.name for t in definition.inputs}
    values = {n: v for n, v in left.items() if n in inputs}
    extents = {n: v for n, v in left.items() if n not in inputs}
    return sd.check_code(
        load_function(arguments.code),
        definition,
        _names(arguments.wrt),
        mapping=dict(_meaning(text) for text in arguments.map),
        returns=_names(arguments.returns),
        outputs=_names(arguments.outputs),
        values=values,
        extents=extents,
        dtypes=("float64", "float32") if arguments.dtype == "both" else (arguments.dtype,),
        strict=arguments.strict,
        seed=arguments.seed,
    )


def _options(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `--set` says: options of a definition of the library, and the rest."""
    said = dict(_setting(text) for text in arguments.set)
    known = {e.name: set(e.options) for e in sd.definitions()}.get(arguments.definition, set())
    return {n: v for n, v in said.items() if n in known}, {n: v for n, v in said.items() if n not in known}


def _setting(text: str) -> tuple[str, Any]:
    """
    >>> _setting("kernel=3"), _setting("eps=1e-5"), _setting("bias=false"), _setting("padding=same")
    (('kernel', 3), ('eps', 1e-05), ('bias', False), ('padding', 'same'))
    """
    name, sign, value = text.partition("=")
    if not (sign and name.strip().isidentifier() and value.strip()):
        raise sd.DataError(f"'{text}' sets nothing", where="--set", remedy="write --set eps=1e-5 kernel=3")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value.strip()


def _meaning(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    names = [v.strip() for v in value.split(",") if v.strip()]
    if not (sign and name.strip() and names):
        raise sd.DataError(f"'{text}' maps nothing", where="--map", remedy="write --map g=y_bar cache=x_hat,r")
    return name.strip(), names[0] if len(names) == 1 and "," not in value else tuple(names)


def _names(text: str | None) -> list[str] | None:
    return [n.strip() for n in text.split(",") if n.strip()] if text else None


def load_function(what: str) -> Any:
    """A function or class of a Python file, which is imported; the files beside it can be imported by it.

    Raises:
        DataError: no such file or function, or the file fails.
    """
    module, name = module_of(what, "function", "symdl check-code")
    found = getattr(module, name, None)
    if not callable(found):
        names = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        remedy = f"one of {', '.join(names)}" if names else "define it there"
        path = what.rpartition(":")[0]
        raise sd.DataError(f"{path} has no function '{name}'", where="symdl check-code", remedy=remedy)
    return found
