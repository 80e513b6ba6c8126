"""The syntax of emitted functions, which their modules hold as long as they live."""

from __future__ import annotations

import ast
from collections.abc import MutableMapping
from typing import Any

#: The name in a module under which its functions stand as they are written.
TREES = "__symdl_trees__"


def entered(space: MutableMapping[str, Any], tree: ast.Module) -> None:
    """Keep what a module was compiled from, before any of its functions is."""
    space[TREES] = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def tree_of(function: Any) -> ast.FunctionDef | None:
    """A function as it is written; None where its module was not loaded as emitted ones are."""
    found: ast.FunctionDef | None = function.__globals__.get(TREES, {}).get(function.__name__)
    return found
