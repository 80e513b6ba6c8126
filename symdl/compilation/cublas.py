"""Matrix products by NVIDIA's cuBLAS, through the bindings of nvmath-python.

Matrices stand in memory row by row, and cuBLAS reads them column by column: to it each is its own transpose. So the
transpose of a product is asked for, with the factors in the other order, and nothing is copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from symdl.compilation.devices import INSTALL, LIBRARY, numba_cuda, simulated
from symdl.errors import MissingDependencyError

#: Bytes that cuBLAS may use beside its operands: what NVIDIA recommends, for GPUs from compute capability 9.0 on and
#: before.
WORKSPACE = {True: 32 * 2**20, False: 4 * 2**20}
#: Terms of sums up to which no more than the smaller one is offered.
SHORT = 64


@dataclass(frozen=True)
class Matrix:
    """An operand of a product.

    Args:
        address: of its first entry on the device.
        line: entries from one of its rows to the next, or of its columns where it is transposed.
        transposed: whether its columns stand where rows would.
        step: entries from one matrix to the next where there are several.
    """

    address: int
    line: int
    transposed: bool = False
    step: int = 0


@dataclass(frozen=True)
class Product:
    """`out[b] = left[b] right[b]` for `count` matrices, (rows, inner) times (inner, columns)."""

    rows: int
    columns: int
    inner: int
    left: Matrix
    right: Matrix
    out: Matrix
    count: int = 1


class Cublas:
    """A handle of the library.

    Args:
        dtype: "float64" or "float32", of all matrices.
        products: in what factors are multiplied: "exact" is `dtype`; "tf32" and "bfloat16" round them, and add up in
            float32.
    """

    def __init__(self, dtype: str, products: str = "exact") -> None:
        from nvmath.bindings import cublas

        self.library = cublas
        self.handle = int(cublas.create())
        self.type = {"float32": 0, "float64": 1}[dtype]  # cudaDataType: CUDA_R_32F, CUDA_R_64F
        kinds = cublas.ComputeType
        exact = kinds.COMPUTE_32F if dtype == "float32" else kinds.COMPUTE_64F
        self.compute = int(
            {"exact": exact, "tf32": kinds.COMPUTE_32F_FAST_TF32, "bfloat16": kinds.COMPUTE_32F_FAST_16BF}[products]
        )
        self.one, self.zero = np.ones(1, dtype), np.zeros(1, dtype)
        self.workspace = WORKSPACE[tuple(numba_cuda().get_current_device().compute_capability) >= (9, 0)]

    def multiply(self, product: Product, stream: int, workspace: Any) -> None:
        """Ask for a product on a stream; `workspace` is an array of bytes that nothing else uses meanwhile."""
        lib = self.library
        lib.set_stream(self.handle, stream)
        # with room it splits short sums as well, which takes longer than they do
        room = workspace.nbytes if product.inner > SHORT else min(workspace.nbytes, WORKSPACE[False])
        lib.set_workspace(self.handle, workspace.device_ctypes_pointer.value, room)
        self._call(product)

    def _call(self, p: Product) -> None:
        lib, kind = self.library, self.type
        head = (self.handle, int(p.right.transposed), int(p.left.transposed), p.columns, p.rows, p.inner)
        one, zero = self.one.ctypes.data, self.zero.ctypes.data
        right, left, out = p.right, p.left, p.out
        if p.count == 1:
            lib.gemm_ex_64(
                *(*head, one, right.address, kind, right.line, left.address, kind, left.line),
                *(zero, out.address, kind, out.line, self.compute, -1),
            )
        else:
            lib.gemm_strided_batched_ex_64(
                *(*head, one, right.address, kind, right.line, right.step, left.address, kind, left.line, left.step),
                *(zero, out.address, kind, out.line, out.step, p.count, self.compute, -1),
            )


@cache
def library(dtype: str, products: str = "exact") -> Cublas:
    """The handle for products of a kind."""
    return Cublas(dtype, products)


def at_hand(dtype: str, products: str = "exact") -> Cublas | None:
    """The library where it can be used; there is none in Numba's simulator, nor without its package."""
    return None if simulated() or missing() else library(dtype, products)


def require(products: str) -> None:
    """Refuse to multiply rounded factors where nothing does that.

    Raises:
        MissingDependencyError: the library can't be used; says why.
    """
    if products != "exact" and not simulated() and (why := missing()):
        raise MissingDependencyError(
            f"products='{products}' needs cuBLAS", why=why, remedy=f"{INSTALL}, or leave out products"
        )


@cache
def missing() -> str:
    """Why cuBLAS can't be used; empty where it can."""
    try:
        version(LIBRARY)
    except PackageNotFoundError:
        return f"the package {LIBRARY} is not installed"
    try:
        from nvmath.bindings import cublas

        cublas.get_version(handle := cublas.create())
        cublas.destroy(handle)
    except Exception as error:  # whatever the library raises is what is wrong with it
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""
