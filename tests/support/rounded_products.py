"""What stands in for cuBLAS in Numba's simulator: it rounds factors by their bits, and adds up in float32 or more."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from symdl.compilation.cublas import Matrix, Product

#: Bits of the fraction by what is asked for, as IEEE 754 and NVIDIA's documents have them; float32 has 23.
BITS = {"exact": 23, "tf32": 10, "bfloat16": 7}


def rounded(values: Any, bits: int) -> Any:
    """Numbers of float32 to the nearest ones with so many bits of the fraction, ties to even."""
    whole = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    cut = 23 - bits
    if cut == 0:
        return np.array(values, np.float32)
    last = (whole >> np.uint64(cut)) & np.uint64(1)
    up = whole + np.uint64((1 << (cut - 1)) - 1) + last
    return ((up >> np.uint64(cut)) << np.uint64(cut)).astype(np.uint32).view(np.float32)


class StandIn:
    """The part of `symdl.compilation.cublas.Cublas` that is called, on the memory of the host."""

    workspace = 16

    def __init__(self, dtype: str, products: str, bits: int | None = None) -> None:
        self.dtype, self.bits = np.dtype(dtype), BITS[products] if bits is None else bits
        self.calls = 0

    def multiply(self, product: Product, stream: int, workspace: Any) -> None:
        self.calls += 1
        for number in range(product.count):
            a = self._matrix(product.left, product.rows, product.inner, number)
            b = self._matrix(product.right, product.inner, product.columns, number)
            out = self._matrix(product.out, product.rows, product.columns, number)
            if self.dtype == np.float32:
                a, b = rounded(a, self.bits), rounded(b, self.bits)
            out[...] = a @ b

    def _matrix(self, where: Matrix, rows: int, columns: int, number: int) -> Any:
        """A matrix as it stands in memory."""
        high, wide = (columns, rows) if where.transposed else (rows, columns)
        width = self.dtype.itemsize
        begin = where.address + number * where.step * width
        count = (high - 1) * where.line + wide
        flat = np.frombuffer((ctypes.c_char * (count * width)).from_address(begin), self.dtype)
        made = np.lib.stride_tricks.as_strided(flat, (high, wide), (where.line * width, width), writeable=True)
        return made.T if where.transposed else made
