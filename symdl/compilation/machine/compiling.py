"""How Numba compiles emitted functions: without passes that find nothing in them, and typing each operation once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import numba
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.lowering import Lower
from numba.core.registry import cpu_target
from numba.core.typed_passes import NativeLowering

from symdl.compilation.machine import sharing

#: Passes for what no emitted function has: `with` blocks, closures, branches on arguments that are None, functions
#: inlined as Python, loops over tuples, expressions of whole arrays. Each goes through all instructions, and most have
#: the lifetimes of all variables computed again; together they take a seventh of Numba's own time.
IDLE = frozenset(
    {
        "with_lifting",
        "inline_closure_likes",
        "dead_branch_prune",
        "Rewrite dynamic raises",
        "make_function_op_code_to_jit_function",
        "inline_inlinables",
        "find_literally",
        "literal_unroll",
        "LiteralPropagation",
        "nopython_rewrites",
        "dump_parfor_diagnostics",
    }
)


#: The pass that says where variables end, which only matters to those that are counted.
COUNTING = "ir_legalization"

#: Python has no way into a function that only compiled ones call.
INSIDE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

#: LLVM takes half of a processor's lanes in loops where it knows of models that run slower with all of them; loops here
#: are long and full of arithmetic, which outweighs that. It says nothing to processors with narrower lanes.
WIDE = '"prefer-vector-width"="512"'


#: What functions are called whose loops are long chains of steps that wait for each other: with so many vectors at once
#: there is something to do in the meantime. LLVM takes one where a loop has as much in it.
HEAVY, VECTORS = "_form", 4


def _innermost(blocks: list[Any]) -> list[Any]:
    """The branches that go back to the beginning of loops that have no other one in them.

    A block of Numba's bears the place where it begins, and so do those that it was made into: "B168", "B168.endif".
    """
    back = []
    for block in blocks:
        for target in getattr(block.terminator, "operands", ()):
            start, end = _place(target), _place(block)
            if start is not None and end is not None and start < end:
                back.append((start, end, block.terminator))
    return [b for start, end, b in back if not any(start <= s and e <= end and e - s < end - start for s, e, _ in back)]


def _place(block: Any) -> int | None:
    found = re.match(r"B(\d+)", block.name) if isinstance(block, ir.Block) else None
    return int(found[1]) if found else None


def _interleave(module: Any, branch: Any) -> None:
    """Tell LLVM how many vectors a loop shall take at a time; what names a loop refers to itself."""
    count = module.add_metadata(["llvm.loop.interleave.count", ir.Constant(ir.IntType(32), VECTORS)])
    loop = module.add_metadata([f"loop {len(module.metadata)}"])
    loop.operands = (loop, count)
    branch.set_metadata("llvm.loop", loop)


class _Widely(Lower):
    """Lowering that lets loops take all lanes of a processor, and calls units by their symbols (see `units`).

    Functions are named by their modules alone, which bear the key of a program. Numba adds how many functions it has
    met before, so that the same code would have other names in another process.
    """

    def __init__(self, context: Any, library: Any, fndesc: Any, func_ir: Any, metadata: Any = None) -> None:
        named = f"{sharing.module_of(func_ir.func_id.func) or fndesc.modname}.{fndesc.qualname}"
        mangled = partial(context.mangler, types=fndesc.argtypes, abi_tags=fndesc.abi_tags, uid=None)
        fndesc.mangled_name = getattr(func_ir.func_id.func, "symbol", None) or mangled(named)
        fndesc.env_name = mangled(f".NumbaEnv.{named}")
        cast(Any, Lower).__init__(self, context, library, fndesc, func_ir, metadata=metadata)  # without types

    def setup_function(self, fndesc: Any) -> None:
        cast(Any, Lower).setup_function(self, fndesc)
        set.add(self.function.attributes, WIDE)  # its own `add` knows only attributes that are words

    def lower_function_body(self) -> Any:
        entry = cast(Any, super()).lower_function_body()
        if any(name.endswith(HEAVY) for name in self.func_ir.func_id.func.__code__.co_names):
            for branch in _innermost(self.function.blocks):
                _interleave(self.module, branch)
        return entry

    def delvar(self, name: str) -> None:
        """Where nothing is counted, nothing is done at the end of a variable."""
        if self.context.enable_nrt:
            cast(Any, super()).delvar(name)

    def _lower_call_ExternalFunction(self, fnty: Any, expr: Any, signature: Any) -> Any:
        lower = cast(Any, super())
        if not hasattr(fnty, "descriptor"):
            return lower._lower_call_ExternalFunction(fnty, expr, signature)
        given = cast(Any, self).fold_call_args(fnty, signature, expr.args, expr.vararg, expr.kws)
        return self.context.call_internal(self.builder, fnty.descriptor, signature, given)


@cast(Any, register_pass)(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):
    """Numba's last pass, with `_Widely`."""

    _name = "symdl_lowering"
    lowering_class = _Widely


class Plain(CompilerBase):
    """Numba's compiler without the passes of `IDLE`, and without `COUNTING` where nothing is counted."""

    def define_pipelines(self) -> list[Any]:
        builder, manager = cast(Any, DefaultPassBuilder), cast(Any, PassManager)  # without types
        whole, plain = builder.define_nopython_pipeline(self.state), manager("symdl")
        idle = IDLE if self.state.flags.nrt else IDLE | {COUNTING}
        for made, description in whole.passes:
            if made.name() not in idle:
                plain.add_pass(_Lowering if made is NativeLowering else made, description)
        plain.finalize()
        return [plain]


def njit(*arguments: Any, **options: Any) -> Any:
    """Numba's `njit`, for emitted functions: without types, one that other emitted functions call, and nobody else.

    Modules of a process that hold the same function share what Numba makes of it (see `sharing`).
    """
    compiler: Any = numba.njit
    if arguments:
        return compiler(*arguments, pipeline_class=Plain, **options)

    def compiled(function: Callable[..., Any]) -> Any:
        return compiler(pipeline_class=Plain, _nrt=allocates(function), **INSIDE, **options)(function)

    return lambda function: sharing.shared(function, options, compiled)


def allocates(function: Callable[..., Any]) -> bool:
    """Whether an emitted function makes arrays: Numba counts who refers to each array of such a function."""
    return "empty" in function.__code__.co_names


#: The signature of an operator for numbers of some types, once it was found. Numba has other objects for the operators
#: once something was added to what they may mean, and notes with each which of its functions does what.
_SIGNATURES: dict[tuple[Any, tuple[Any, ...]], Any] = {}


@contextmanager
def types_remembered() -> Iterator[None]:
    """Numba asks all that an operator may mean, arrays first, for each `a + b` of two numbers; meanwhile it asks once.

    What an operator does to numbers is fixed as long as Numba is loaded.
    """
    context = cpu_target.typing_context
    before, ask = vars(context).get("resolve_function_type"), context.resolve_function_type

    def remembered(function: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        operator = getattr(function, "typing_key", function)
        of_numbers = not named and all(isinstance(t, types.Number) for t in given)
        if not of_numbers or getattr(operator, "__module__", "") != "_operator":
            return ask(function, given, named)
        if (function, given) not in _SIGNATURES:
            _SIGNATURES[function, given] = ask(function, given, named)
        return _SIGNATURES[function, given]

    context.resolve_function_type = remembered
    try:
        yield
    finally:
        if before is None:
            del context.resolve_function_type
        else:
            context.resolve_function_type = before
