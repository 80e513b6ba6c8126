"""Machine code that programs share: the product of matrices, compiled once for a dtype, for this processor.

It is an entry of the code cache of its own, checked when it is built. Whoever calls it refers to it by a symbol
that bears its key.
"""

from __future__ import annotations

import threading
from typing import Any

from symdl.compilation import cache
from symdl.compilation.crosscheck_products import check_products
from symdl.compilation.runtime import load_source
from symdl.compilation.targets import products

#: Kernels of this process by key; they stay where they are as long as it lives, since code refers to their addresses.
_LOADED: dict[str, Any] = {}
_LOCK = threading.Lock()


def shared_product(dtype: str) -> Any:
    """What stands for the product of matrices in an emitted module: a function that is known by its symbol.

    Raises:
        CrossCheckError: the kernel that was built for it multiplies wrongly.
        OutputError: the code cache cannot be written.
    """
    import llvmlite.binding  # type: ignore[import-untyped]
    from numba.core import types

    source = products.source(dtype)
    key = cache.key_of({"kernel": products.PRODUCT, "dtype": dtype, "source": source})
    symbol = f"symdl_{products.PRODUCT}_{key}"
    with _LOCK:
        if key not in _LOADED:
            kernel = _found(key) or _built(source, dtype, key)
            llvmlite.binding.add_symbol(symbol, kernel.address)
            _LOADED[key] = kernel
    signature = getattr(types, products.RESULT)(*(getattr(types, a) for a in products.ARGUMENTS))
    return types.ExternalFunction(symbol, signature)


def _found(key: str) -> Any | None:
    """The kernel of the cache, if the machine code that was checked is there."""
    entry = cache.find(key)
    if entry is None:
        return None
    kernel = load_source(entry.source, str(entry.folder / cache.PROGRAM), key)[products.PRODUCT]
    return kernel if kernel.cache_hits else None


def _built(source: str, dtype: str, key: str) -> Any:
    with cache.building(source) as folder:
        kernel = load_source(source, str(folder / cache.PROGRAM), key)[products.PRODUCT]
        count = check_products(kernel.ctypes, dtype)
        cache.publish(folder, key, {"checked": count})
    return kernel
