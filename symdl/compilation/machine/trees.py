"""The syntax of emitted functions, as far as their modules were loaded here."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

#: The functions of modules by name, as they are written.
_TREES: dict[str, tuple[Any, dict[str, ast.FunctionDef]]] = {}


def entered(space: Mapping[str, Any], tree: ast.Module) -> None:
    """Keep what a module was compiled from."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    _TREES[space["__name__"]] = space, functions


def tree_of(function: Any) -> ast.FunctionDef | None:
    """A function as it is written; None where its module was not loaded here."""
    space, functions = _TREES.get(function.__module__, (None, {}))
    return functions.get(function.__name__) if space is function.__globals__ else None
