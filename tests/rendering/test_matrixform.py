"""A matrix form is right where both sides have the same numbers on random arrays with distinct prime extents."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import pytest
import sympy

from symdl.core.define import Input, Param, Sum, define, let, mean
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, equation
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, Tensor, reduction
from symdl.derivation import derive
from symdl.library.activations import sigmoid
from symdl.library.layers import dense, sequential
from symdl.rendering import matrixtree as tree
from symdl.rendering.matrixform import matrix_form, recognise

Arrays = Mapping[str, np.ndarray[Any, Any]]
PRIMES = {"N": 2, "I": 3, "J": 5, "K": 7, "M": 11}


def looped(expr: sympy.Expr, at: dict[Index, int], arrays: Arrays) -> float:
    """The value of an expression, entry by entry."""
    if isinstance(expr, Element):
        return float(arrays[expr.name][tuple(at[s] for s in expr.subscripts)])
    if isinstance(expr, Reduction):
        spaces = [range(PRIMES[str(i.extent)]) for i in expr.bound]
        points = (dict(zip(expr.bound, p, strict=True)) for p in itertools.product(*spaces))
        return sum(looped(expr.body, {**at, **p}, arrays) for p in points)
    if expr.is_Symbol:
        return PRIMES[expr.name]
    if not expr.args:
        return float(expr)
    args = [looped(a, at, arrays) for a in expr.args]
    if expr.is_Add or expr.is_Mul:
        return float(sum(args) if expr.is_Add else np.prod(args))
    value = expr.func(*[sympy.Float(a, 30) for a in args])
    return float((value.defined() if hasattr(value, "defined") else value).evalf())


def evaluated(node: tree.Node, arrays: Arrays) -> np.ndarray[Any, Any]:
    """The value of a matrix formula, by NumPy."""
    match node:
        case tree.Named(tensor):
            value = arrays[tensor.name]
            return value.reshape(value.shape[0] if value.ndim else 1, -1)
        case tree.Constant(value):
            return np.full((1, 1), looped(value, {}, arrays))
        case tree.Ones(index):
            return np.ones((PRIMES[str(index.extent)], 1))
        case tree.Transpose(of):
            return evaluated(of, arrays).T
        case tree.Matmul(parts):
            return np.asarray(reduce(np.matmul, [evaluated(p, arrays) for p in parts]))
        case tree.Hadamard(parts):
            values = [evaluated(p, arrays) for p in parts]
            assert len({v.shape for v in values}) == 1, "entrywise products need equal shapes"
            return np.asarray(reduce(np.multiply, values))
        case tree.Divide(upper, lower):
            return np.asarray(evaluated(upper, arrays) / evaluated(lower, arrays))
        case tree.Plus(terms):
            total: Any = 0
            shapes = {evaluated(t, arrays).shape for _, t in terms if not isinstance(t, tree.Constant)}
            assert len(shapes) <= 1, "terms need equal shapes"
            for negative, term in terms:
                total = total - evaluated(term, arrays) if negative else total + evaluated(term, arrays)
            return np.asarray(total)
        case tree.Scale(factor, of):
            scalar = evaluated(factor, arrays)
            assert scalar.shape == (1, 1)
            return np.asarray(scalar * evaluated(of, arrays))
        case tree.Apply(template, of):
            function = np.vectorize(lambda v: looped(template.xreplace({tree.ENTRY: sympy.Float(v, 30)}), {}, arrays))
            return np.asarray(function(evaluated(of, arrays)))
        case tree.Diagonal(of, inverse):
            matrix = np.diag(evaluated(of, arrays)[:, 0])
            return np.linalg.inv(matrix) if inverse else matrix
        case tree.SquaredNorm(of, _):
            return np.full((1, 1), np.sum(evaluated(of, arrays) ** 2))
    raise AssertionError(node)


def agrees(eq: Equation, rng: np.random.Generator) -> bool:
    """Evaluate both sides of a recognised equation; False where it is not recognised."""
    found = recognise(eq)
    if found is None:
        return False
    tensors = {e.tensor for t in eq.terms for e in t.body.atoms(Element)}
    arrays = {t.name: rng.uniform(0.3, 1.7, tuple(PRIMES[str(s)] for s in t.shape)) for t in tensors}
    shape = tuple(PRIMES[str(s)] for s in eq.out.shape)
    expected = np.empty(shape)
    for point in itertools.product(*map(range, shape)):
        expected[point] = looped(eq.rhs, dict(zip(eq.indices, point, strict=True)), arrays)
    value = evaluated(found.right, arrays)
    assert value.shape == (*shape, 1, 1)[:2], f"{matrix_form(eq)}: shape {value.shape}"
    np.testing.assert_allclose(value, expected.reshape(value.shape), rtol=1e-12, err_msg=str(matrix_form(eq)))
    return True


@define
def neuron(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):  # type: ignore[no-untyped-def]
    n, i = x.indices
    s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
    a = let("a[n]", sigmoid(s[n]))
    return let("L", mean((t[n] - a[n]) ** 2, n))


NETWORKS = [
    neuron,
    sequential(dense(None, "tanh"), dense(None), loss="softmax_cross_entropy"),
    sequential(dense(None, "sigmoid"), dense(None), loss="l2"),
    sequential(dense(None, "relu"), dense(None, "leaky_relu"), loss="l1"),
]


@pytest.mark.parametrize("definition", NETWORKS, ids=["neuron", "softmax", "l2", "l1"])
def test_every_equation_of_these_networks_and_their_gradients_has_a_form(
    definition: Definition, rng: np.random.Generator
) -> None:
    for eq in derive(definition).gradient.equations:
        assert agrees(eq, rng), str(eq)


n, i, j, k, m = (Index(c) for c in "nijkm")
A, B, C, D = Tensor("A", (n, i)), Tensor("B", (i, j)), Tensor("C", (j, k)), Tensor("D", (n, k))
u, v, w, c = Tensor("u", (n,)), Tensor("v", (i,)), Tensor("w", (i,)), Tensor("c")


def total(body: sympy.Expr, *indices: Index) -> sympy.Expr:
    return reduction("sum", body, indices)


RECOGNISED = {
    "chain of three": (Tensor("Y", (n, k)), total(A[n, i] * B[i, j] * C[j, k], i, j)),
    "transposed left side": (Tensor("Y", (k, n)), total(A[n, i] * B[i, j] * C[j, k], i, j)),
    "entrywise beside a chain": (Tensor("Y", (n, k)), D[n, k] * total(A[n, i] * B[i, j] * C[j, k], i, j)),
    "diagonals": (Tensor("Y", (n, j)), u[n] * total(A[n, i] * v[i] * B[i, j], i)),
    "bilinear": (Tensor("L"), total(u[n] * A[n, i] * v[i], n, i)),
    "inner product": (Tensor("L"), total(v[i] * w[i], i)),
    "outer product": (Tensor("Y", (i, n)), v[i] * u[n]),
    "norm": (Tensor("L"), total(A[n, i] ** 2, n, i) / 2),
    "bias and scalar": (Tensor("Y", (n, j)), total(A[n, i] * B[i, j], i) + c.element() + u[n]),
    "row sums": (Tensor("y", (n,)), total(A[n, i], i)),
    "column sums": (Tensor("y", (i,)), total(A[n, i], n)),
    "quotient": (Tensor("Y", (n, i)), A[n, i] / (u[n] * v[i])),
    "power": (Tensor("Y", (n, i)), A[n, i] ** 3 - sympy.sqrt(A[n, i])),
    "number and matrix": (Tensor("Y", (n, i)), (2 - A[n, i]) * (A[n, i] - u[n])),
    "a scalar sum in front": (Tensor("y", (n,)), u[n] * total(v[i] * w[i], i)),
}


@pytest.mark.parametrize("name", RECOGNISED)
def test_recognised(name: str, rng: np.random.Generator) -> None:
    assert agrees(equation(*RECOGNISED[name]), rng)


UNRECOGNISED = {
    "a fixed subscript": (Tensor("y", (n,)), A[n, 0] * u[n]),
    "a shifted subscript": (Tensor("y", (i,)), total(v[i] * Tensor("z", (Index("q"),))[i + 1], i)),
    "three indices": (Tensor("T", (n, i, j)), A[n, i] * B[i, j]),
    "a branching contraction": (
        Tensor("Y", (n, k)),
        total(A[n, i] * Tensor("E", (k, i))[k, i] * B[i, j] * v[i], i, j),
    ),
    "a maximum": (Tensor("y", (n,)), reduction("max", A[n, i], [i])),
    "a delta": (Tensor("Y", (n, i)), A[n, i] * Delta(i, sympy.Integer(0))),
}


@pytest.mark.parametrize("name", UNRECOGNISED)
def test_what_has_no_form_gives_none(name: str) -> None:
    assert matrix_form(equation(*UNRECOGNISED[name])) is None


def test_a_wrong_form_is_noticed(rng: np.random.Generator) -> None:
    """The test is able to fail: the transpose of the right form has another shape."""
    eq = equation(*RECOGNISED["chain of three"])
    found = recognise(eq)
    assert found is not None
    arrays = {t.name: rng.uniform(0.3, 1.7, tuple(PRIMES[str(s)] for s in t.shape)) for t in (A, B, C)}
    assert evaluated(tree.Transpose(found.right), arrays).shape != evaluated(found.right, arrays).shape


def test_how_forms_are_written() -> None:
    gradient = derive(NETWORKS[1]).gradient
    forms = {e.name: " = ".join(matrix_form(e) or ()) for e in gradient.equations}
    assert forms["s1"] == (r"\mathbf{S}^{(1)} = \mathbf{X} \mathbf{W}^{(1)\top} + \mathbf{1} \mathbf{b}^{(1)\top}")
    assert forms["W1_bar"] == r"\bar{\mathbf{W}}^{(1)} = \bar{\mathbf{S}}^{(1)\top} \mathbf{X}"
    assert forms["b1_bar"] == r"\bar{\mathbf{b}}^{(1)} = \bar{\mathbf{S}}^{(1)\top} \mathbf{1}"
