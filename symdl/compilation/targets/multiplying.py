"""Products as calls: of matrices as they stand in memory, and of what windows slide over."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import sympy

from symdl.compilation.statements import Contraction, Multiplied, Operand, Windowed
from symdl.compilation.targets.kernels import wrapped
from symdl.compilation.targets.products import PRODUCT, tiles
from symdl.compilation.targets.scalars import ScalarEmitter, indented
from symdl.compilation.targets.windows import Printing, window_lines
from symdl.core.indices import Index
from symdl.core.tensors import Tensor


class ProductEmitter(ScalarEmitter, ABC):
    """Emits products; the lengths of axes are known to who emits what is around."""

    dtype: str
    text: dict[sympy.Symbol, str]

    @abstractmethod
    def shape_of(self, tensor: Tensor) -> list[str]:
        """The lengths of a tensor, as source."""

    @abstractmethod
    def extent_of(self, index: Index) -> str:
        """The length of an axis, as source."""

    def _product(self, item: Multiplied) -> list[str]:
        return self._windowed(item) if isinstance(item, Windowed) else self._contraction(item)

    def _windowed(self, item: Windowed, part: tuple[Index, str, str] | None = None) -> list[str]:
        """The product of what a window slides over, or a part of it."""
        to = Printing(self.text, self.names, self.arrays, self.extent_of, self.printer.integer)
        return window_lines(item, to, part)

    def _contraction(self, item: Contraction) -> list[str]:
        """The product, in loops over the indices that are none of its matrices'."""
        texts: list[str] = []
        for index in item.loops:
            self.text[index] = self.names.loop(index.name, texts)
            texts.append(self.text[index])
        if item.columns and tiles(self.dtype) is not None:
            lines = self._tiled(item)
        else:
            left = self._matrix(item.left, vector=False)
            right = self._matrix(item.right, vector=not item.columns)
            lines = [f"np.dot({left}, {right}, {self._matrix(item.result, vector=not item.columns)})"]
        for index, name in zip(reversed(item.loops), reversed(texts), strict=True):
            lines = [f"for {name} in {self._matrices(index)}:", *indented(lines)]
        return lines

    def _matrices(self, index: Index) -> str:
        """The values of a loop around a product, as source."""
        return f"range({self.extent_of(index)})"

    def _tiled(self, item: Contraction) -> list[str]:
        """A call of our own product."""
        return wrapped(f"{PRODUCT}(", self.product_arguments(item), ")")

    def product_arguments(self, item: Contraction) -> list[str]:
        """What our own product is called with: addresses and steps in bytes of what is multiplied and of the result,
        and the lengths of rows, columns and what is summed over."""
        arguments: list[str] = []
        for operand, steps in ((item.left, 2), (item.right, 2), (item.result, 1)):
            name, size = self._sliced(operand), np.dtype(self.dtype).itemsize
            rest = self.shape_of(operand.tensor)[len(operand.at) + operand.leading :]
            both = [f"{'*'.join(rest)}*{size}" if rest else str(size), str(size)]
            arguments += [f"{name}.ctypes.data", *(both[::-1] if operand.transposed else both)[:steps]]
        for indices in (item.rows, item.columns, item.inner):
            arguments.append("*".join(self.extent_of(i) for i in indices) or "1")
        return arguments

    def _sliced(self, operand: Operand) -> str:
        """The array, or the slice of it that is multiplied now."""
        name = self.arrays[operand.tensor.name]
        return f"{name}[{', '.join(self._subscript(s) for s in operand.at)}]" if operand.at else name

    def _matrix(self, operand: Operand, *, vector: bool) -> str:
        """The array, or one slice of it, as a matrix: leading axes flattened, transposed by its strides."""
        shape, name = self.shape_of(operand.tensor)[len(operand.at) :], self._sliced(operand)
        if vector:
            return name if len(shape) == 1 else f"{name}.reshape({'*'.join(shape)})"
        rows, columns = shape[: operand.leading], shape[operand.leading :]
        if len(rows) != 1 or len(columns) != 1:
            name = f"{name}.reshape({'*'.join(rows) or '1'}, {'*'.join(columns) or '1'})"
        return f"{name}.T" if operand.transposed else name
