"""Machine code that programs share: the product of matrices and what hands work to threads, compiled once for a dtype.

It is an entry of the code cache of its own, checked when it is built. Whoever calls it refers to it by a symbol
that bears its key. Programs whose products are large call one that shares them with the threads of a team.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from symdl.compilation import cache, team
from symdl.compilation.crosscheck_products import check_products, check_sharing
from symdl.compilation.crosscheck_slides import check_slides
from symdl.compilation.functions import routines, stored_routines, units_of
from symdl.compilation.runtime import load_source
from symdl.compilation.targets import products, slides, teams
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
    return _external(symbol_of("shared_product", dtype))


def team_product(dtype: str) -> Any:
    """The same for modules with large products: shared with other threads, where there may be any.

    Raises:
        CrossCheckError, OutputError: as for `shared_product`.
    """
    return _external(symbol_of(teams.SHARING, dtype))


def team_share(dtype: str) -> Any:
    """What shares nests out, to the threads of the team that has the products of a dtype.

    Raises:
        CrossCheckError, OutputError: as for `shared_product`.
    """
    return _external(symbol_of(teams.SHARING_ANY, dtype), teams.SHARE_ARGUMENTS)


def shared_windows(dtype: str) -> Any:
    """The product of what a window slides over, whose lanes are columns of the result (see `targets.slides`).

    Raises:
        CrossCheckError, OutputError: as for `shared_product`.
    """
    return _external(symbol_of(slides.MAKER_SPREAD, dtype), slides.SPREAD_ARGUMENTS)


def shared_dots(dtype: str) -> Any:
    """The same, with lanes along an inner index.

    Raises:
        CrossCheckError, OutputError: as for `shared_product`.
    """
    return _external(symbol_of(slides.MAKER_DOTS, dtype), slides.DOTS_ARGUMENTS)


#: The names by which modules import what they share, with the kind of the module that has it and its name there.
MAKERS = {
    shared_product.__name__: ("alone", PRODUCT),
    teams.SHARING: ("team", PRODUCT),
    teams.SHARING_ANY: ("team", teams.SHARE),
    slides.MAKER_SPREAD: ("windows", slides.SPREAD),
    slides.MAKER_DOTS: ("windows", slides.DOTS),
}


def symbol_of(maker: str, dtype: str) -> str:
    """The symbol of what one of `MAKERS` gives, which is ready to be called.

    Raises:
        CrossCheckError, OutputError: as for `shared_product`.
    """

    def check(space: Mapping[str, Any]) -> int:
        return check_products(space[PRODUCT].ctypes, dtype)

    def check_team(space: Mapping[str, Any]) -> int:
        serve, product, share = (space[n].ctypes for n in teams.FUNCTIONS)
        return check_sharing(serve, product, share, dtype)

    def check_windows(space: Mapping[str, Any]) -> int:
        return check_slides(space[slides.SPREAD].ctypes, space[slides.DOTS].ctypes, dtype)

    kind, name = MAKERS[maker]
    if kind == "windows":
        return _registered(kind, name, *_ready(kind, dtype, slides.source(dtype), check_windows))
    multiply = _registered("alone", PRODUCT, *_ready("alone", dtype, products.source(dtype), check))
    if kind == "alone" or not teams.shares():
        return multiply
    key, space = _ready("team", dtype, teams.source(dtype, multiply), check_team)
    team.founded(key, *(space[n].ctypes for n in teams.FUNCTIONS))
    return _registered("team", name, key, space)


def _external(symbol: str, arguments: tuple[str, ...] = products.ARGUMENTS) -> Any:
    from numba.core import types

    return types.ExternalFunction(symbol, types.void(*(getattr(types, a) for a in arguments)))


def _registered(kind: str, name: str, key: str, space: Mapping[str, Any]) -> str:
    import llvmlite.binding  # type: ignore[import-untyped]

    symbol = f"symdl_{name}_{kind}_{key}"
    llvmlite.binding.add_symbol(symbol, space[name].address)
    return symbol


def _ready(kind: str, dtype: str, source: str, check: Check) -> tuple[str, Mapping[str, Any]]:
    """The functions of a module by name, and its key."""
    key = cache.key_of({"shared": kind, "dtype": dtype, "source": source})
    with _LOCK:
        if key not in _LOADED:
            _LOADED[key] = _found(key) or _built(source, key, check)
    return key, _LOADED[key]


def _found(key: str) -> Mapping[str, Any] | None:
    """The functions of the cache, if the machine code that was checked is there and this process can link it."""
    entry = cache.find(key)
    data = entry.machine() if entry is not None else None
    return None if entry is None or data is None else routines(entry.record["machine"], data)


def _built(source: str, key: str, check: Check) -> Mapping[str, Any]:
    """The functions as they are compiled, checked in the form that is kept."""
    with cache.building(source) as folder:
        space = load_source(source, str(folder / cache.PROGRAM), key)
        record, data = stored_routines(units_of(space))
        made = routines(record, data)
        if made is None:
            raise RuntimeError("the product of matrices refers to what nothing has")
        (folder / cache.MACHINE).write_bytes(data)
        cache.publish(folder, key, {"checked": check(made), "machine": record})
    return made
