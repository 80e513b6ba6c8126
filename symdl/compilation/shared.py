"""Machine code that programs share: the product of matrices, compiled once for a dtype, for this processor.

It is an entry of the code cache of its own, checked when it is built. Whoever calls it refers to it by a symbol
that bears its key. Programs whose products are large call one that shares them with the threads of a team.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from symdl.compilation import cache, team
from symdl.compilation.crosscheck_products import check_products, check_sharing
from symdl.compilation.runtime import load_source
from symdl.compilation.targets import products, teams
from symdl.compilation.targets.products import PRODUCT

#: Modules of this process by key; they stay where they are as long as it lives, since code refers to their addresses.
_LOADED: dict[str, Mapping[str, Any]] = {}
_LOCK = threading.RLock()
Check = Callable[[Mapping[str, Any]], int]


def shared_product(dtype: str) -> Any:
    """What stands for the product of matrices in an emitted module: a function that is known by its symbol.

    Raises:
        CrossCheckError: the kernel that was built for it multiplies wrongly.
        OutputError: the code cache cannot be written.
    """
    return _external(_symbol_of(dtype))


def team_product(dtype: str) -> Any:
    """The same for modules with large products: shared with other threads, where there may be any.

    Raises:
        CrossCheckError, OutputError: as for `shared_product`.
    """
    multiply = _symbol_of(dtype)
    if not teams.shares():
        return _external(multiply)
    source = teams.source(dtype, multiply)

    def check(space: Mapping[str, Any]) -> int:
        return check_sharing(space[PRODUCT].ctypes, space[teams.SERVE].ctypes, dtype)

    key, space = _ready("team", dtype, source, check)
    team.founded(key, space[teams.SERVE].ctypes, space[PRODUCT].ctypes)
    return _external(_registered("team", key, space))


def _symbol_of(dtype: str) -> str:
    def check(space: Mapping[str, Any]) -> int:
        return check_products(space[PRODUCT].ctypes, dtype)

    return _registered("alone", *_ready("alone", dtype, products.source(dtype), check))


def _external(symbol: str) -> Any:
    from numba.core import types

    return types.ExternalFunction(symbol, types.void(*(getattr(types, a) for a in products.ARGUMENTS)))


def _registered(kind: str, key: str, space: Mapping[str, Any]) -> str:
    import llvmlite.binding  # type: ignore[import-untyped]

    symbol = f"symdl_{PRODUCT}_{kind}_{key}"
    llvmlite.binding.add_symbol(symbol, space[PRODUCT].address)
    return symbol


def _ready(kind: str, dtype: str, source: str, check: Check) -> tuple[str, Mapping[str, Any]]:
    """The functions of a module by name, and its key."""
    key = cache.key_of({"shared": kind, "dtype": dtype, "source": source})
    with _LOCK:
        if key not in _LOADED:
            _LOADED[key] = _found(key) or _built(source, key, check)
    return key, _LOADED[key]


def _found(key: str) -> Mapping[str, Any] | None:
    """The functions of the cache, if the machine code that was checked is there."""
    entry = cache.find(key)
    if entry is None:
        return None
    space = load_source(entry.source, str(entry.folder / cache.PROGRAM), key)
    return space if all(f.cache_hits for f in space.values() if hasattr(f, "cache_hits")) else None


def _built(source: str, key: str, check: Check) -> Mapping[str, Any]:
    with cache.building(source) as folder:
        space = load_source(source, str(folder / cache.PROGRAM), key)
        cache.publish(folder, key, {"checked": check(space)})
    return space
