"""f(x): functions applied, products, and how the two are told apart."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.tensors import Element, refreshed
from symdl.verification.meaning import (
    arrays,
    calculus,
    calls,
    cases,
    factors as factors_in,
    functionals,
    matrices,
    placing,
)
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.chainrule import is_row, links_of_a_chain, may_be_slope
from symdl.verification.meaning.errors import MeaningError, OpenError
from symdl.verification.meaning.expectation import mean, under
from symdl.verification.meaning.functions import CUSTOMARY, OBJECTIVES, VECTORS, named
from symdl.verification.meaning.letters import letters_in
from symdl.verification.meaning.names import Parts, function_letter, is_transpose, letter_of, letters_apart
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import Formula, element
from symdl.verification.meaning.unknown import unknown
from symdl.verification.notation import tree, unicode
from symdl.verification.notation.tree import Node, walk


def product(reader: Reader, node: tree.Product) -> Array:
    """Factors from left to right, functions applied to the brackets after them."""
    if cut_decimal(node) is not None:
        return reader.value(node.factors[0])
    if any(isinstance(factor, tree.Dots) for factor in node.factors):
        whole_product = factors_in.written_out(node)
        if whole_product is None:
            raise MeaningError("the dots stand for factors of no pattern that is seen here")
        return reader.value(whole_product)
    first, *others = node.factors
    if isinstance(first, tree.Gradient) and first.by is not None and is_row(first.of) and set(node.ops) == {""}:
        of = tree.Product((first.of, *others), node.ops)  # ∇_x xᵀA x is that of the whole, which begins with a row
        return reader.value(replace(first, of=of))
    values: list[tuple[str, Array]] = []
    factors, op, k = node.factors, "", 0
    while k < len(factors):
        links = links_of_a_chain(reader, node, k)
        if len(links) > 1 and (found := calculus.chained_arrays(reader, links)) is not None:
            values.append((op, found))
            k += len(links)
            op = node.ops[k - 1] if k <= len(node.ops) else ""
            continue
        takes = k + 1 < len(factors) and node.ops[k] == ""
        applied = _application(reader, factors[k], factors[k + 1]) if takes else None
        values.append((op, reader.value(factors[k]) if applied is None else applied))
        k += 1 if applied is None else 2
        op = node.ops[k - 1] if k <= len(node.ops) else ""
    if len(values) == len(factors) == 2 and values[1][0] == "·":
        vectors = [_as_vector(reader, f, v) for f, (_, v) in zip(factors, values, strict=True)]
        values = (
            [(op, v) for (op, _), v in zip(values, vectors, strict=True)] if all(v.axes for v in vectors) else values
        )
    if len(values) == len(factors):
        values = [
            (op, as_matrix(reader, f, v) if k + 1 < len(values) and values[k + 1][1].axes else v)
            for k, (f, (op, v)) in enumerate(zip(factors, values, strict=True))
        ]
    whole = values[0][1]
    for op, value in values[1:]:
        if op == "÷":
            if value.axes:
                raise MeaningError(f"a division by {value.kind}")
            whole = whole.mapped(lambda x, y=value.body: x / y)  # type: ignore[misc]
        elif op in ("", "·", "×", "*", "⊙", "∘", "⊗"):
            whole = arrays.product(whole, value, op, reader.scope.fit)
        else:
            raise MeaningError(f"{op} has no value here")
    return whole


def _as_vector(reader: Reader, node: Node, value: Array) -> Array:
    """w in w · x, where the document has w_j and nothing else is w: a vector."""
    parts = reader.parts(node)
    if (
        value.axes
        or parts is None
        or parts.subscripts
        or parts.power is not None
        or not isinstance(value.body, Element)
    ):
        return value
    unset = reader.scope.formula_of(value.body) is None and parts.name not in reader.arguments
    return reader.as_array(parts, 1) if unset and 1 in reader.usage.ranks.get(parts.name, ()) else value


def expected(reader: Reader, body: Node, below: Node | None = None) -> Array:
    """𝔼[x], and 𝔼[x]² as the square of it; what stands below, the p of 𝔼_p, tells one mean from another.

    Raises:
        MeaningError: what is expected is no number, or stands under a condition.
    """
    name = _mean_name(reader, "E", () if below is None else (below,))
    scripts = body if isinstance(body, tree.Scripted) and isinstance(body.base, tree.Group) else None
    found = _mean_of(reader, body if scripts is None else scripts.base, name)
    return found if scripts is None else _with_scripts(reader, found, scripts)


def _mean_of(reader: Reader, body: Node, name: str) -> Array:
    """E[x] of a number, or of each entry of a vector or matrix; of E[x | y], where y is given."""
    (inner,), name = with_given(reader, body, name)
    return reader.value(inner).mapped(lambda x: mean(x, name))


def with_given(reader: Reader, body: Node, name: str) -> tuple[tuple[Node, ...], str]:
    """x and y of E[x], Cov(x, y) and Cov(x, y | z), and the name of a mean where z is given.

    Raises:
        MeaningError: something else than names is given.
    """
    inner = body.body if isinstance(body, tree.Group) else body
    if not isinstance(inner, tree.List) or "|" not in inner.separators:
        return (inner.items if isinstance(inner, tree.List) else (inner,)), name
    bar = inner.separators.index("|")
    parts = [reader.parts(item) for item in inner.items[bar + 1 :]]
    given = frozenset(p.name for p in parts if p is not None and p.power is None and not p.subscripts)
    if len(given) != len(parts):
        raise MeaningError("a mean where something else than names is given")
    return inner.items[: bar + 1], under(name, given)


def _mean_name(reader: Reader, name: str, below: tuple[Node, ...]) -> str:
    if any(not letters_in(node).isdisjoint({*reader.letters, *reader.free}) for node in below):
        raise MeaningError("a mean that hangs on an index")
    return "_".join([name, *map(unicode, below)])


def as_matrix(reader: Reader, node: Node, value: Array) -> Array:
    """w of w x with a vector x, where the document has w_{jk} and nothing else is w: a matrix."""
    while isinstance(node, tree.Group):
        node = node.body
    parts = reader.parts(node)
    plain = parts is not None and not parts.subscripts and parts.power is None and not parts.transposed
    if value.axes or parts is None or not plain or not isinstance(value.body, Element):
        return value
    unset = reader.scope.formula_of(value.body) is None and parts.name not in reader.arguments
    return reader.as_array(parts, 2) if unset and reader.usage.ranks.get(parts.name) == {2} else value


def cut_decimal(node: Node) -> str | None:
    """The digits of 1.5707…, which go on."""
    factors = node.factors if isinstance(node, tree.Product) else ()
    if len(factors) == 2 and isinstance(factors[0], tree.Number) and isinstance(factors[1], tree.Dots):
        return factors[0].text if "." in factors[0].text else None
    return None


# ── f(x) ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _application(reader: Reader, first: Node, second: Node) -> Array | None:
    """The value of first second as an application; None where it is a product."""
    scripts = second if isinstance(second, tree.Scripted) and isinstance(second.base, tree.Group) else None
    group = second if scripts is None else scripts.base
    if not isinstance(group, tree.Group) or group.open not in ("(", "[", "{"):
        return None
    plain_one = isinstance(first, tree.Number) and first.text == "1"
    if (plain_one or first == tree.Symbol("1", "bf")) and isinstance(group.body, tree.Chain):
        return cases.indicator(reader, group.body) if scripts is None else None
    slope = first.body if isinstance(first, tree.Group) else first
    if isinstance(slope, tree.Derivative) and calculus.is_factor(reader, slope, group):
        return None
    if isinstance(first, tree.Group) and (isinstance(first.body, tree.Derivative) or may_be_slope(first.body)):
        return calculus.evaluated_at(reader, first.body, group)
    if isinstance(first, tree.Derivative):
        found = functionals.slope_at(reader, first, group)
        return found if found is not None else calculus.evaluated_at(reader, first, group)
    parts = reader.parts(first)
    if parts is None or parts.transposed:
        return None
    one = not isinstance(group.body, tree.List)
    given = isinstance(group.body, tree.List) and set(group.body.separators) == {"|"}
    expected_here = group.open == "[" or (group.open == "(" and reader.usage.moments)
    if parts.name.partition("_")[0] == "E" and expected_here and not reader.known(parts.name) and (one or given):
        value = _mean_of(reader, group, _mean_name(reader, parts.name, parts.subscripts))
        value = value if parts.power is None else reader.raised(value, parts.power)
        return value if scripts is None else _with_scripts(reader, value, scripts)
    if scripts is None and one and _is_entry(reader, parts, group.body):
        return reader.entry(replace(parts, subscripts=(group.body,)))
    if parts.name in CUSTOMARY and parts.power is not None and parts.name in reader.usage.bare:
        return None  # σ² of N(0, σ²) is a variance
    turned = scripts is not None and is_transpose(scripts.sup)
    if turned and any(name == parts.name for name, _ in reader.scope.formulas):
        return None  # δ (a)ᵀ is a product
    nodes = group.items
    found = _called(reader, parts, list(nodes))
    if found is None:
        return None
    if scripts is not None and scripts.sub is not None and not found.axes:
        inner = tree.Product((first, group), ("",))
        found = reader.spread(inner, len(letters_apart(scripts.sub, 1)))
    if isinstance(parts.power, tree.Sum):
        raise MeaningError(f"{parts.name} to a negative power is an inverse or a reciprocal", remedy="write which one")
    if parts.power is not None:
        found = reader.raised(found, parts.power)
    return found if scripts is None else _with_scripts(reader, found, scripts)


def _is_entry(reader: Reader, parts: Parts, argument: Node) -> bool:
    """Whether P(i) is the entry i of a list P: a sum runs over i."""
    plain = not parts.subscripts and parts.power is None and not parts.primes
    chosen = letter_of(argument) in reader.letters
    return plain and chosen and (parts.name, 1) in reader.scope.formulas and parts.name not in reader.scope.functions


def _with_scripts(reader: Reader, found: Array, scripts: tree.Scripted) -> Array:
    if scripts.sub is not None:
        subs = letters_apart(scripts.sub, found.rank)
        if len(subs) != found.rank:
            raise MeaningError(f"{len(subs)} subscripts of {found.kind}")
        places = [reader.placed(reader.subscript(s), axis) for s, axis in zip(subs, found.axes, strict=True)]
        found = scalar(found.at(tuple(places)))
    return found if scripts.sup is None else reader.raised(found, scripts.sup)


def _called(reader: Reader, parts: Parts, nodes: list[Node]) -> Array | None:
    name, scope = parts.name, reader.scope
    if name in scope.functionals and not parts.subscripts and not parts.primes:
        return functionals.applied(reader, name, tuple(nodes))
    if name in ("e", "π") and not reader.known(name):
        return None  # e^x (1 + y) is a product
    function = scope.functions.get(name)
    if function is not None and not parts.subscripts:
        if name in reader.arguments:
            return None
        return call(reader, name, function, [reader.value(n) for n in nodes], parts.primes)
    if name in reader.arguments or name in reader.letters:
        return None
    if parts.subscripts and not parts.primes:
        if function_letter(name) and not scope.all_of(name, len(parts.subscripts)):
            raise MeaningError(f"{name} with subscripts is not defined here as a function")
        return _hanging_on(reader, parts, nodes)
    if (name, 0) in scope.formulas or (name, 1) in scope.formulas:
        return _dependent(reader, parts, nodes)
    if not reader.known(name) or parts.primes:
        known = _known_slope(reader, name, nodes, parts.primes)
        if known is not None:
            return known
        if parts.primes or function_letter(name) or name in reader.usage.applied - reader.usage.bare:
            return _unknown(name + "′" * parts.primes, [reader.value(n) for n in nodes])
    return None


def _hanging_on(reader: Reader, parts: Parts, nodes: list[Node]) -> Array | None:
    """L_i(w) of a name that was defined by w is L_i; x_i (a + b) is a product."""
    named = [reader.parts(n) for n in nodes]
    if any(p is None or p.power is not None for p in named):
        return None
    rank = len(parts.subscripts)
    formulas = reader.scope.all_of(parts.name, rank)
    used = {e.name for f in formulas for e in f.value.body.atoms(Element)}
    if all(p is not None and (p.name in used or reader.scope.depends(parts.name, rank, p.name)) for p in named):
        return reader.entry(replace(parts, power=None))
    raise MeaningError(f"{parts.name} with subscripts is not defined here as a function of that")


def _unknown(name: str, values: list[Array]) -> Array:
    """A function of which nothing is known but its name: f(x) = f(x), and no more."""
    shaped = [v for v in values if v.axes]
    if shaped and len(values) > 1:
        raise OpenError(f"{name} of {shaped[0].kind} is not defined here", remedy=f"define {name}(x) = … first")
    function = unknown(name)
    if shaped:
        return shaped[0].mapped(lambda x: function(x))
    return scalar(function(*[v.body for v in values]))


def _known_slope(reader: Reader, name: str, nodes: list[Node], primes: int) -> Array | None:
    if len(nodes) != 1:
        return None
    value = reader.value(nodes[0])
    return slope_of(reader, name, value, primes) if primes else known(reader, name, [value])


def slope_of(reader: Reader, name: str, value: Array, primes: int) -> Array | None:
    """f'(x) of a function of one number that readers know by name."""
    place = element("·")
    if name.lower().replace(" ", "").replace("_", "") in VECTORS:
        raise MeaningError(f"the derivative of {name} by a vector", remedy="write it by entries")
    found = known(reader, name, [scalar(place)])
    if found is None:
        return None
    slope = found.body
    for _ in range(primes):
        slope = calculus.slope(slope, place)
    return value.mapped(lambda x: slope.xreplace({place: x}))


def known(reader: Reader, name: str, values: list[Array]) -> Array | None:
    """A function that readers know by name."""
    plain = name.lower().replace(" ", "").replace("_", "")
    if plain in VECTORS and len(values) == 1:
        return VECTORS[plain](values[0])
    if plain == "det" and len(values) == 1 and values[0].axes:
        return scalar(matrices.determinant(reader, values[0]))
    function = named(name)
    if function is None and name in CUSTOMARY and not reader.known(name):
        function = named(CUSTOMARY[name])
        reader.notes.append(f"{name} is taken for the {CUSTOMARY[name]}")
    if function is None or len(values) != 1:
        return None
    return values[0].mapped(function)


def _dependent(reader: Reader, parts: Parts, nodes: list[Node]) -> Array | None:
    """L(w, b) of a formula L: says what it hangs on, where the arguments are names; else a product.

    With numbers in the brackets, f(0, 0) is its value there.
    """
    if (found := placing.value_at_numbers(reader, parts, nodes)) is not None:
        return found
    names = [reader.parts(n) for n in nodes]
    plain = all(p is not None and p.power is None and not p.primes for p in names)
    vectors = any(p is not None and p.bold for p in names)
    if plain and (vectors or len(nodes) > 1 or parts.name in OBJECTIVES or parts.name in reader.usage.applied):
        other = calls.with_arguments(reader, parts, nodes)
        return reader.entry(replace(parts, power=None)) if other is None else other
    itself = any(isinstance(n, tree.Symbol) and n.name == parts.name for node in nodes for n in walk(node))
    takes = function_letter(parts.name) or parts.name in OBJECTIVES
    if takes and not itself and (other := calls.with_arguments(reader, parts, nodes)) is not None:
        return other
    if function_letter(parts.name) and not itself:  # h (1 − h) is a product
        raise MeaningError(f"{parts.name} is a formula here, and no function of {len(nodes)} arguments")
    return None


def call(reader: Reader, name: str, function: Formula, values: list[Array], primes: int = 0) -> Array:
    """A function of the document with arguments put in, differentiated as often as there are primes.

    Raises:
        MeaningError: another number of arguments, or arrays where the function takes numbers.
    """
    if len(values) != len(function.parameters):
        whole = None if primes else _at_its_inner_names(reader, function, values)
        if whole is not None:
            return whole
        raise MeaningError(f"{name} takes {len(function.parameters)} arguments, not {len(values)}")
    body, places = function.value, [element(p) for p in function.parameters]
    if primes:
        if len(places) != 1:
            raise MeaningError(f"{name}′ of a function of several arguments", remedy="write ∂ and the argument")
        expr = calculus.opened(reader.scope, body.body, places[0])
        for _ in range(primes):
            expr = calculus.slope(expr, places[0])
        body = replace(body, body=expr)
    shaped = [v for v in values if v.axes]
    if not shaped:
        mapping = {p: v.body for p, v in zip(places, values, strict=True)}
        return body.fresh().mapped(lambda x: put_in(x, mapping))
    if len(values) == 1 and not body.axes:
        return values[0].mapped(lambda x: put_in(body.body, {places[0]: x}))
    raise MeaningError(f"{name} of {shaped[0].kind}", why="it was defined for numbers")


def _at_its_inner_names(reader: Reader, function: Formula, values: list[Array]) -> Array | None:
    """f(x, y), where f(u, v) was defined and u(x, y), v(x, y): f as it hangs on them; None of anything else."""
    names = {v.body for v in values if isinstance(v.body, Element)}
    whole = function.value.fresh()
    found = reader.scope.expanded(whole.body, lambda e, formula: bool(formula.parameters))
    inner = found.atoms(Element)
    return whole.mapped(lambda x: found) if inner and inner == names and len(names) == len(values) else None


def put_in(expr: sympy.Expr, mapping: dict[Element, sympy.Expr]) -> sympy.Expr:
    """Arguments for the names that stand for them."""
    return refreshed(expr).xreplace(mapping)
