"""Emitted functions that are compiled each by itself, in any order and in any process: others know only their symbols.

The types of arguments and result are stated in the source, so whoever calls a function needs nothing of its code. What
comes of one is an object file; Numba's own engine, where what is called has to be there already, gets none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import types
from numba.core import sigutils
from numba.core.datamodel.models import OpaqueModel
from numba.core.datamodel.registry import register_default
from numba.core.funcdesc import ExternalFunctionDescriptor


class Unit(types.ExternalFunction):
    """An emitted function, as a module holds it; for Numba, one that is somewhere under its symbol.

    Args:
        function: in Python.
        signature: the types of its result and its arguments.
        is_entry: whether Python calls it as well as other emitted code.
        from_c: the symbol by which it is called as C calls functions, which nothing else does then; None otherwise.
    """

    def __init__(
        self, function: Callable[..., Any], signature: Any, is_entry: bool = False, is_routine: bool = False
    ) -> None:
        symbol = f"{function.__module__}_{function.__name__}"
        cast(Any, types.ExternalFunction).__init__(self, symbol, signature)  # without types
        self.function, self.is_entry = function, is_entry
        self.from_c = f"{symbol}_c" if is_routine else None
        self.descriptor: Any = cast(Any, ExternalFunctionDescriptor)(symbol, signature.return_type, signature.args)
        cast(Any, function).symbol = symbol  # for `compiling`

    @property
    def key(self) -> Any:
        """What tells it from others: a module that is loaded again may hold another function under the same symbol."""
        return self.symbol, self.sig, self.function


cast(Any, register_default)(Unit)(OpaqueModel)  # a value of that type is nothing that code could hold


def kernel(signature: str) -> Callable[[Callable[..., Any]], Unit]:
    """A function that nothing calls but other emitted code; "float32(float32[::1], int64)" are its types."""
    return lambda function: Unit(function, _signature(signature))


def entry_point(signature: str) -> Callable[[Callable[..., Any]], Unit]:
    """A function that Python calls, and other emitted code may call."""
    return lambda function: Unit(function, _signature(signature), is_entry=True)


def routine(signature: str) -> Callable[[Callable[..., Any]], Unit]:
    """A function of whole numbers that returns nothing and is called by its address, as C calls functions."""
    return lambda function: Unit(function, _signature(signature), is_routine=True)


def _signature(text: str) -> Any:
    arguments, result = sigutils.normalize_signature(text)  # type: ignore[no-untyped-call]
    return result(*arguments)
