"""Objects of Python files, as commands take them: FILE.py:NAME."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import symdl as sd


def is_entry(found: Any) -> bool:
    """Whether it is what `sd.activation` or `sd.loss` makes."""
    return isinstance(found, (type(sd.activation("identity")), sd.Loss))


def in_file(what: str) -> bool:
    """Whether an argument names an object of a file."""
    return ":" in what or what.endswith(".py")


def loaded(what: str) -> Any:
    """An object of a Python file, which is run as Python runs it.

    Raises:
        SymdlError: no such file or object, or the file fails.
    """
    path, _, name = what.rpartition(":")
    if not path or not name.isidentifier():
        raise sd.DataError(f"'{what}' names no object", remedy="write FILE.py:NAME")
    if not Path(path).is_file():
        raise sd.DataError(f"no file {path}", remedy="check the path")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None:
        raise sd.DataError(f"{path} is no Python file", remedy="write FILE.py:NAME")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except sd.SymdlError:
        raise
    except Exception as error:
        raise sd.DataError(f"{path} fails when it is run", why=f"{type(error).__name__}: {error}") from error
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
