"""Objects of Python files, as commands take them: FILE.py:NAME."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import symdl as sd


def is_entry(found: Any) -> bool:
    """Whether it is what `sd.activation` or `sd.loss` makes."""
    return isinstance(found, (type(sd.activation("identity")), sd.Loss))


def in_file(what: str) -> bool:
    """Whether an argument names an object of a file."""
    return ":" in what or what.endswith(".py")


def module_of(what: str, kind: str = "object", where: str = "") -> tuple[ModuleType, str]:
    """The module of FILE.py:NAME, which is run as Python runs it, and the name; what lies beside it can be imported.

    Raises:
        SymdlError: no such file, or the file fails.
    """
    remedy = f"write FILE.py:{'NAME' if kind == 'object' else kind.upper()}"
    path, _, name = what.rpartition(":")
    if not path or not name.isidentifier():
        raise sd.DataError(f"'{what}' names no {kind}", where=where, remedy=remedy)
    if not Path(path).is_file():
        raise sd.DataError(f"no file {path}", where=where, remedy="check the path")
    # a name of its own: a file may be called random.py
    spec = importlib.util.spec_from_file_location(f"opened_{Path(path).stem}", path)
    if spec is None or spec.loader is None:
        raise sd.DataError(f"{path} is no Python file", where=where, remedy=remedy)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(Path(path).resolve().parent))
    sys.modules[spec.name] = module  # what looks itself up, as dataclasses and compiled functions do, finds itself
    try:
        spec.loader.exec_module(module)
    except sd.SymdlError:
        raise
    except Exception as error:
        raise sd.DataError(f"{path} fails when it is run", why=f"{type(error).__name__}: {error}") from error
    return module, name


def loaded(what: str) -> Any:
    """An object of a Python file, None where there is none of that name.

    Raises:
        SymdlError: no such file, or the file fails.
    """
    module, name = module_of(what)
    return getattr(module, name, None)


def wrong(what: str, kinds: str, remedy: str) -> sd.DataError:
    """The error for an object that is missing, or of another kind."""
    path, _, name = what.rpartition(":")
    return sd.DataError(f"{path} has no {kinds} '{name}'", remedy=remedy)


def entry(what: str) -> Any:
    """The name of an entry of the library as it is, or an activation or a loss of a Python file.

    Raises:
        SymdlError: the file has no such object, or fails.
    """
    if not in_file(what):
        return what
    found = loaded(what)
    if not is_entry(found):
        _, _, name = what.rpartition(":")
        raise wrong(what, "activation or loss", f"write {name} = sd.activation('{name}', lambda s: …)")
    return found
