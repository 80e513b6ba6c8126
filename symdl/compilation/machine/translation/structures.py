"""Arrays and tuples as Numba has them, for what is done to them as a whole."""

from __future__ import annotations

from typing import Any

from numba.np.arrayobj import populate_array

from symdl.compilation.machine.translation.registries import context
from symdl.compilation.machine.translation.values import WORD, Value


def whole(builder: Any, value: Value) -> Any:
    """LLVM's value of anything."""
    if value.code is not None:
        return value.code
    if value.parts is not None:
        return _array(builder, value)
    return context().make_tuple(builder, value.kind, [whole(builder, e) for e in value.entries])


def _array(builder: Any, value: Value) -> Any:
    made, parts = context().make_array(value.kind)(context(), builder), value.parts
    assert parts is not None
    size = size_of(value.kind)
    strides = [builder.mul(step, size) for step in parts.steps[: len(parts.lengths)]]
    described = {"data": parts.data, "shape": [*parts.lengths], "strides": strides, "itemsize": size, "meminfo": None}
    populate_array(made, **described)  # type: ignore[no-untyped-call]
    return made._getvalue()


def size_of(kind: Any) -> Any:
    """Bytes of an entry of an array."""
    return WORD(context().get_abi_sizeof(context().get_data_type(kind.dtype)))
