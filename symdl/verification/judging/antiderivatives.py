"""∫ f(x) dx = F(x) + C says that F′ = f: the constant of integration is any number, so nothing else is claimed."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.judging.doubts import doubt_of_values
from symdl.verification.judging.graphs import Judging
from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.integrals import parted
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict


def antiderivative(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict on an integral without limits; None where the link is about none, or nothing is found out."""
    if link.relation not in ("=", "≡"):
        return None
    for integral, other in ((link.left, link.right), (link.right, link.left)):
        if isinstance(integral, tree.Big) and integral.op == "int" and integral.sub is None and integral.sup is None:
            return _judged(judge, link, integral, other)
    return None


def _judged(judge: Judging, link: Meaning, integral: tree.Big, other: Node) -> Verdict | None:
    found = parted(integral.body)
    if found is None:
        return None
    name, integrand = found
    scope, x = judge.reading.scope, tree.Symbol(name)
    try:
        reader = judge.reading.reader()
        at, f, whole = (reader.value(node) for node in (x, integrand, other))
    except SymdlError:
        return None
    plain = isinstance(at.body, Element) and scope.formula_of(at.body) is None and not scope.is_stated(name)
    if not plain or at.axes or f.axes or whole.axes or reader.free:
        return None
    f_of_x, primitive = opened(scope, f.body), opened(scope, whole.body)
    if sympy.Tuple(f_of_x, primitive).has(Reduction, UnknownFunction):
        return None
    s = sympy.Dummy(name, real=True)
    slope = primitive.xreplace({at.body: s}).diff(s).xreplace({s: at.body})
    verdict = judge.decided(replace(link, values=None), slope, f_of_x)
    if verdict.proved:
        return replace(verdict, reason="the slope of one side is what is integrated on the other")
    if verdict.status is not Status.REFUTED:
        return None
    why = doubt_of_values(judge.reading, replace(link, values=(scalar(slope), scalar(f_of_x))))
    return None if why else replace(verdict, reason="the slope of one side is not what is integrated on the other")
