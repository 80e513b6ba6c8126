"""A matrix form is right where both sides have the same numbers on random arrays with distinct prime extents."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import pytest
import sympy

from symdl.core.define import Input, Param, Sum, define, let, mean
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, equation
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, Role, Tensor, reduction
from symdl.derivation.derive import derive
from symdl.library.activations import sigmoid
from symdl.library.layers import dense, sequential
from symdl.rendering import matrixtree as tree
from symdl.rendering.matrixform import matrix_form, recognise

Arrays = Mapping[str, np.ndarray[Any, Any]]
PRIMES = {
    "N": 2,
    "I": 3,
    "J": 5,
    "K": 7,
    "M": 11,
    "T": 3,
    "S": 5,
    "D": 7,
    "E": 2,
    "H": 2,
    "C": 3,
    "P": 7,
    "R": 3,
    "P - R + 1": 5,
    "I + J": 8,
    "T - 1": 2,
}


def entry(array: np.ndarray[Any, Any], where: list[float]) -> float:
    """An entry; 0 outside of the array, where only what is guarded is read."""
    inside = all(0 <= k < size for k, size in zip(where, array.shape, strict=True))
    return float(array[tuple(int(k) for k in where)]) if inside else 0.0


def looped(expr: sympy.Expr, at: dict[Index, int], arrays: Arrays) -> float:
    """The value of an expression, entry by entry."""
    if isinstance(expr, Element):
        return entry(arrays[expr.name], [looped(s, at, arrays) for s in expr.subscripts])
    if isinstance(expr, Index):
        return at[expr]
    if isinstance(expr, InRange):
        return float(0 <= looped(expr.args[0], at, arrays) < looped(expr.args[1], at, arrays))
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


def evaluated(node: tree.Node, arrays: Arrays, at: dict[Index, int] | None = None) -> np.ndarray[Any, Any]:
    """The value of a matrix formula, by NumPy; `at` says where the labels are."""
    at = at or {}

    def value(part: tree.Node) -> np.ndarray[Any, Any]:
        return evaluated(part, arrays, at)

    match node:
        case tree.Named(tensor, labels):
            array = arrays[tensor.name]
            for axis, label in reversed(list(enumerate(labels))):
                if label is not None:
                    place = int(looped(label, at, arrays))
                    inside = 0 <= place < array.shape[axis]
                    array = array.take(place, axis) if inside else np.zeros_like(array.take(0, axis))
            return array.reshape(array.shape[0] if array.ndim else 1, -1)
        case tree.Constant(number):
            return np.full((1, 1), looped(number, at, arrays))
        case tree.Ones(index):
            return np.ones((PRIMES[str(index.extent)], 1))
        case tree.Transpose(of):
            return value(of).T
        case tree.Matmul(parts):
            return np.asarray(reduce(np.matmul, [value(p) for p in parts]))
        case tree.Hadamard(parts):
            values = [value(p) for p in parts]
            assert len({v.shape for v in values}) == 1, "entrywise products need equal shapes"
            return np.asarray(reduce(np.multiply, values))
        case tree.Divide(upper, lower):
            return np.asarray(value(upper) / value(lower))
        case tree.Plus(terms):
            total: Any = 0
            shapes = {value(t).shape for _, t in terms if not isinstance(t, tree.Constant)}
            assert len(shapes) <= 1, "terms need equal shapes"
            for negative, term in terms:
                total = total - value(term) if negative else total + value(term)
            return np.asarray(total)
        case tree.Scale(factor, of):
            scalar = value(factor)
            assert scalar.shape == (1, 1)
            return np.asarray(scalar * value(of))
        case tree.Apply(template, of):
            function = np.vectorize(lambda v: looped(template.xreplace({tree.ENTRY: sympy.Float(v, 30)}), at, arrays))
            return np.asarray(function(value(of)))
        case tree.Diagonal(of, inverse):
            matrix = np.diag(value(of)[:, 0])
            return np.linalg.inv(matrix) if inverse else matrix
        case tree.SquaredNorm(of, _):
            return np.full((1, 1), np.sum(value(of) ** 2))
        case tree.Triangle(of, above):
            return np.triu(value(of)) if above else np.tril(value(of))
        case tree.Blocks(parts, stacked):
            return np.concatenate([value(p) for p in parts], 0 if stacked else 1)
        case tree.SumOver(indices, guards, of):
            added: list[np.ndarray[Any, Any]] = []
            for point in itertools.product(*[range(PRIMES[str(i.extent)]) for i in indices]):
                here = {**at, **dict(zip(indices, point, strict=True))}
                if all(looped(g, here, arrays) for g in guards):
                    added.append(evaluated(of, arrays, here))
            return np.asarray(sum(added))
    raise AssertionError(node)


def agrees(eq: Equation, rng: np.random.Generator) -> bool:
    """Evaluate both sides of a recognised equation, for every value of the labels; False where it is not recognised."""
    found = recognise(eq)
    if found is None:
        return False
    assert isinstance(found.left, tree.Named)
    tensors = {e.tensor for t in eq.terms for e in t.body.atoms(Element)}
    arrays = {t.name: rng.uniform(0.3, 1.7, tuple(PRIMES[str(s)] for s in t.shape)) for t in tensors}
    shape = tuple(PRIMES[str(s)] for s in eq.out.shape)
    expected = np.empty(shape)
    for point in itertools.product(*map(range, shape)):
        expected[point] = looped(eq.rhs, dict(zip(eq.indices, point, strict=True)), arrays)
    axes = found.left.at or (None,) * len(shape)
    labels = [a for a in axes if a is not None]
    for point in itertools.product(*[range(PRIMES[str(i.extent)]) for i in labels]):
        at = dict(zip(labels, point, strict=True))
        wanted = expected[tuple(slice(None) if a is None else at[a] for a in axes)]
        got = evaluated(found.right, arrays, at)
        assert got.shape == (*wanted.shape, 1, 1)[:2], f"{matrix_form(eq)}: shape {got.shape}"
        np.testing.assert_allclose(got, wanted.reshape(got.shape), rtol=1e-11, err_msg=str(matrix_form(eq)))
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


both = Index("b", i.extent + j.extent)
F, G, T3 = Tensor("F", (n, j)), Tensor("g", (j,)), Tensor("T3", (n, m, i))


def total(body: sympy.Expr, *indices: Index) -> sympy.Expr:
    return reduction("sum", body, indices)


def joined(first: Callable[[sympy.Expr], sympy.Expr], second: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
    """The first along i, then the second along j."""
    rest = both - i.extent
    return first(both) * InRange(both, i.extent) + second(rest) * InRange(rest, j.extent)


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
    "three indices": (Tensor("T", (n, i, j)), A[n, i] * B[i, j]),
    "a scalar sum in front": (Tensor("y", (n,)), u[n] * total(v[i] * w[i], i)),
    "side by side": (Tensor("Y", (n, both)), joined(lambda p: A[n, p], lambda p: 2 * F[n, p])),
    "one below another": (Tensor("Y", (both, n)), joined(lambda p: A[n, p], lambda p: F[n, p] * u[n])),
    "vectors end to end": (Tensor("y", (both,)), joined(lambda p: v[p], lambda p: G[p])),
    "joined for every label": (Tensor("T", (n, m, both)), joined(lambda p: T3[n, m, p], lambda p: F[n, p])),
}


t, d, e = Index("t"), Index("d"), Index("e")
s, time, unit = Index("s", t.extent), Index("t", sequential=True), Index("k", j.extent)
Q, K, V = Tensor("Q", (n, t, d)), Tensor("K", (n, s, d)), Tensor("V", (n, s, e))
Z, P, P_bar = Tensor("Z", (n, t, s)), Tensor("P", (n, t, s)), Tensor("P_bar", (n, t, s), cotangent_of=("L", "P"))
Y_bar, X, W = Tensor("Y_bar", (n, t, e), cotangent_of=("L", "Y")), Tensor("x", (n, time, i)), Tensor("W", (j, i))
H, S_bar = Tensor("h", (n, time, unit)), Tensor("s_bar", (n, time, j), cotangent_of=("L", "s"))
lower, before, after = InRange(t - s, t.extent), InRange(time - 1, t.extent), InRange(time + 1, t.extent)
heads = Index("h")
Qh, Kh = Tensor("Q", (n, t, heads, d)), Tensor("K", (n, s, heads, d))
cube = Tensor("W", (m, i, j))
p_, r_ = Index("p"), Index("r")
u_ = Index("u", p_.extent - r_.extent + 1)
picture, kernel = Tensor("x", (n, i, p_)), Tensor("K", (m, i, r_))
back = Tensor("y_bar", (n, m, u_), cotangent_of=("L", "y"))

#: Equations of layers, with the form that their literature gives them.
LAYERS = {
    r"\mathbf{Z}_{n} = \frac{1}{\sqrt{D}} \mathbf{Q}_{n} \mathbf{K}^{\top}_{n}": (
        Tensor("Z", (n, t, s)),
        total(Q[n, t, d] * K[n, s, d], d) / sympy.sqrt(d.extent),
    ),
    r"\mathbf{Z}_{nh} = \mathbf{Q}_{nh} \mathbf{K}^{\top}_{nh}": (
        Tensor("Z", (n, heads, t, s)),
        total(Qh[n, t, heads, d] * Kh[n, s, heads, d], d),
    ),
    r"\mathbf{S}_{n} = \operatorname{tril}\left(\exp\left(\mathbf{Z}_{n}\right)\right) \mathbf{1}".replace("S", "s"): (
        Tensor("S", (n, t)),
        total(sympy.exp(Z[n, t, s]) * lower, s),
    ),
    r"\mathbf{Y}_{n} = \operatorname{tril}\left(\mathbf{P}_{n}\right) \mathbf{V}_{n}": (
        Tensor("Y", (n, t, e)),
        total(P[n, t, s] * lower * V[n, s, e], s),
    ),
    r"\bar{\mathbf{V}}_{n} = \operatorname{triu}\left(\mathbf{P}^{\top}_{n}\right) \bar{\mathbf{Y}}_{n}": (
        Tensor("V_bar", (n, s, e), cotangent_of=("L", "V")),
        total(P[n, t, s] * lower * Y_bar[n, t, e], t),
    ),
    r"\bar{\mathbf{P}}_{n} = \bar{\mathbf{Y}}_{n} \mathbf{V}^{\top}_{n}": (
        Tensor("P_bar", (n, t, s), cotangent_of=("L", "P")),
        total(Y_bar[n, t, e] * V[n, s, e], e),
    ),
    r"\bar{\mathbf{Z}}_{n} = \mathbf{P}_{n} \odot \left(\bar{\mathbf{P}}_{n} - "
    r"\left(\bar{\mathbf{P}}_{n} \odot \mathbf{P}_{n}\right) \mathbf{1} \mathbf{1}^{\top}\right)": (
        Tensor("Z_bar", (n, t, s), cotangent_of=("L", "Z")),
        P[n, t, s] * (P_bar[n, t, s] - total(P_bar[n, t, s] * P[n, t, s], s)),
    ),
    r"\mathbf{s}_{nt} = \mathbf{W} \mathbf{x}_{nt} + \left[t \ge 1\right] \mathbf{U} \mathbf{h}_{n,t-1} + \mathbf{b}": (
        Tensor("s", (n, time, j)),
        total(W[j, i] * X[n, time, i], i)
        + total(Tensor("U", (j, unit))[j, unit] * H[n, time - 1, unit] * before, unit)
        + Tensor("b", (j,), Role.PARAMETER)[j],
    ),
    r"\bar{\mathbf{h}}_{nt} = \left[t < T-1\right] \mathbf{U}^{\top} \bar{\mathbf{s}}_{n,t+1}": (
        Tensor("h_bar", (n, time, unit), cotangent_of=("L", "h")),
        total(Tensor("U", (j, unit))[j, unit] * S_bar[n, time + 1, j] * after, j),
    ),
    r"\bar{\mathbf{W}} = \sum_{n,t} \bar{\mathbf{s}}_{nt} \mathbf{x}^{\top}_{nt}": (
        Tensor("W_bar", (j, i), cotangent_of=("L", "W")),
        total(S_bar[n, time, j] * X[n, time, i], n, time),
    ),
    r"\bar{\mathbf{U}} = \sum_{n,t \ge 1} \bar{\mathbf{s}}_{nt} \mathbf{h}^{\top}_{n,t-1}": (
        Tensor("U_bar", (j, unit), cotangent_of=("L", "U")),
        total(S_bar[n, time, j] * H[n, time - 1, unit] * before, n, time),
    ),
    r"y_{nm} = \mathbf{a}^{\top}_{n} \mathbf{W}_{m} \mathbf{f}_{n}": (
        Tensor("y", (n, m)),
        total(A[n, i] * cube[m, i, j] * Tensor("f", (n, j))[n, j], i, j),
    ),
    r"\mathbf{Y} = \mathbf{X} \mathbf{A}^{\top} \mathbf{B}^{\top}": (
        Tensor("y", (n, m)),
        total(Tensor("B", (m, j))[m, j] * Tensor("A", (j, i))[j, i] * Tensor("x", (n, i))[n, i], i, j),
    ),
    r"\mathbf{Y}_{u} = \sum_{r} \mathbf{X}_{r+u} \mathbf{K}^{\top}_{r} + \mathbf{1} \mathbf{b}^{\top}": (
        Tensor("y", (n, m, u_)),
        total(kernel[m, i, r_] * picture[n, i, r_ + u_], i, r_) + Tensor("b", (m,), Role.PARAMETER)[m],
    ),
    r"\bar{\mathbf{K}}_{r} = \sum_{u} \bar{\mathbf{Y}}^{\top}_{u} \mathbf{X}_{r+u}": (
        Tensor("K_bar", (m, i, r_), cotangent_of=("L", "K")),
        total(back[n, m, u_] * picture[n, i, r_ + u_], n, u_),
    ),
    r"\bar{\mathbf{b}} = \sum_{n} \bar{\mathbf{Y}}_{n} \mathbf{1}": (
        Tensor("b_bar", (m,), cotangent_of=("L", "b")),
        total(back[n, m, u_], n, u_),
    ),
    r"\mathbf{h}^{(\mathrm{last})}_{n} = \mathbf{h}_{n,T-1}": (
        Tensor("h_last", (n, j)),
        Tensor("h", (n, time, j))[n, time.extent - 1, j],
    ),
    r"\mathbf{Y} = \begin{bmatrix} \mathbf{A} & \mathbf{F} \end{bmatrix}": (
        Tensor("Y", (n, both)),
        joined(lambda p: A[n, p], lambda p: F[n, p]),
    ),
    r"\boldsymbol{\mu} = \frac{1}{I} \mathbf{A} \mathbf{1}": (Tensor("mu", (n,)), total(A[n, i], i) / i.extent),
}


@pytest.mark.parametrize("form", LAYERS)
def test_layers_as_their_literature_writes_them(form: str, rng: np.random.Generator) -> None:
    eq = equation(*LAYERS[form])
    assert agrees(eq, rng)
    assert " = ".join(matrix_form(eq) or ()) == form


@pytest.mark.parametrize("name", RECOGNISED)
def test_recognised(name: str, rng: np.random.Generator) -> None:
    assert agrees(equation(*RECOGNISED[name]), rng)


UNRECOGNISED = {
    "a fixed subscript": (Tensor("y", (n,)), A[n, 0] * u[n]),
    "a shifted subscript": (Tensor("y", (i,)), total(v[i] * Tensor("z", (Index("q"),))[i + 1], i)),
    "a branching contraction": (
        Tensor("Y", (n, k)),
        total(A[n, i] * Tensor("E", (k, i))[k, i] * B[i, j] * v[i], i, j),
    ),
    "a part of an axis": (Tensor("X_bar", (n, i)), Tensor("Y_bar", (n, both))[n, i]),
    "blocks with a gap": (Tensor("Y", (n, both)), A[n, both] * InRange(both, i.extent)),
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
