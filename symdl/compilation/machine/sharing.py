"""Functions at the heads of emitted modules, which Numba compiles once for all modules of a process that hold the same.

What a function is follows from its byte code, its constants, and what the names in it stand for in its module. Its
digest is the same in every process, and names it in machine code, so that the bytes of a program do not depend on what
was compiled before it.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import sys
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType
from typing import Any

from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic

#: Of a shared function: what stands for its module.
ATTRIBUTE = "symdl_shared"
#: What Numba made of functions, by what stands for their modules.
_KNOWN: dict[str, Any] = {}


def shared(function: Callable[..., Any], options: Mapping[str, Any], compiler: Callable[..., Any]) -> Any:
    """What a compiler makes of a function, or has made of the same one in another module.

    Args:
        function: defined after all that it calls.
        options: what the compiler is told beside it.
        compiler: it compiles a function when that is first called.
    """
    digest = _digest(function, options)
    if digest is None:
        return compiler(function)
    name = f"symdl_shared_{digest}"
    if name not in _KNOWN:
        vars(function)[ATTRIBUTE] = name
        _KNOWN.setdefault(name, compiler(function))
    return _KNOWN[name]


def module_of(function: Any) -> str | None:
    """What stands for the module of a shared function in machine code; None for any other function."""
    return getattr(function, ATTRIBUTE, None)


def _digest(function: Callable[..., Any], options: Mapping[str, Any]) -> str | None:
    """What tells a function from all others; None where that does not follow from what is known when it is defined."""
    code = function.__code__
    if code.co_freevars or function.__defaults__ or any(isinstance(c, CodeType) for c in code.co_consts):
        return None
    space = function.__globals__
    used = sorted({i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"})
    told = [(name, _told(name, space.get(name, getattr(builtins, name, None)))) for name in used]
    if any(text is None for _, text in told):
        return None
    parts = [
        *(code.co_name, code.co_argcount, code.co_flags, code.co_varnames, code.co_names, code.co_code),
        *(repr(code.co_consts), told, sorted((k, repr(v)) for k, v in options.items())),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _told(name: str, value: Any) -> str | None:
    """What a name stands for, as a text that is the same in every process; None where there is none."""
    if isinstance(value, Dispatcher):
        return module_of(value.py_func)
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, int | float):
        return repr(value)
    is_intrinsic = isinstance(value, _Intrinsic)
    module = getattr(value._defn if is_intrinsic else value, "__module__", None)
    place = name if is_intrinsic else getattr(value, "__name__", "")
    return f"{module}.{place}" if getattr(sys.modules.get(module or ""), place, None) is value else None
