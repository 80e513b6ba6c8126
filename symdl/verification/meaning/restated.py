"""Formulas as they would stand in the notation that the rest of the checker knows, by what a whole document does.

What stands above a name may be a time or a label: δ_h^t beside h_t, with δ_h^t = … somewhere, is δ_h at time t; of
δ_t^o beside o_t, and of W^{hx} beside h_t and x_t, it is part of the name. So is i of W_i beside W_f and W_o, where
i_t, f_t and o_t are names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from symdl.verification.meaning.layers import ANY, LAST
from symdl.verification.meaning.names import INDEX_LETTERS, is_transpose, text_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


@dataclass(frozen=True)
class Times:
    """What a document counts by time.

    Args:
        letters: that count steps: t, where t and t − 1 or t + 1 stand below or above one name.
        states: names that stand at such a step.
        above: names with the time above them.
        labelled: names with labels below them of which some are index letters, W of W_f and W_i, and d of √d_k.
        matrices: names that are transposed somewhere.
    """

    letters: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    labelled: frozenset[str] = frozenset()
    matrices: frozenset[str] = frozenset()


def times_of(formulas: Iterable[Node]) -> Times:
    """One pass over the formulas of a document.

    >>> from symdl.verification.notation import parse
    >>> texts = (r"h_t = f(W_h h_{t-1} + W_i x_t)", r"\\delta_h^t = \\delta_h^{t+1} h_t", "i_t")
    >>> found = times_of(parse(text) for text in texts)
    >>> sorted(found.letters), sorted(found.states), sorted(found.above)
    (['t'], ['h', 'i', 'x'], ['δ_h'])
    """
    nodes = [node for formula in formulas for node in walk(formula)]
    scripted = [n for n in nodes if isinstance(n, tree.Scripted) and isinstance(n.base, (tree.Symbol, tree.Accented))]
    below: dict[str, set[tuple[str, int]]] = {}
    for node in scripted:
        if node.sub is not None and (step := step_of(node.sub)) is not None:
            below.setdefault(text_of(node.base), set()).add(step)
    letters = {step[0] for steps in below.values() for step in steps if {(step[0], -1), (step[0], 1)} & steps}
    letters -= {*ANY, LAST}
    states = {name for name, steps in below.items() if any(letter in letters for letter, _ in steps)}
    heads = [c.sides[0] for c in nodes if isinstance(c, tree.Chain) and c.relations[:1] in (("=",), (":=",))]
    above = {_named(n) for n in heads if isinstance(n, tree.Scripted) and _is_step(n.sup, letters)}
    labels: dict[str, set[str]] = {}
    for node in scripted:
        if isinstance(node.sub, tree.Symbol) and len(node.sub.name) == 1 and text_of(node.base) not in states:
            labels.setdefault(text_of(node.base), set()).add(node.sub.name)
    names = {s.casefold() for s in states} | {
        text_of(_bare(n)).casefold() for n in scripted if text_of(n.base) in states
    }
    labelled = {
        name
        for name, own in labels.items()
        if own - INDEX_LETTERS and own & INDEX_LETTERS and {o.casefold() for o in own} <= names
    }
    labelled |= _sizes(nodes, labels)
    turned = {text_of(name) for n in nodes if (name := _transposed(n)) is not None}
    labelled_ = frozenset(labelled)
    return Times(frozenset(letters), frozenset(states), frozenset(above - {""}), labelled_, frozenset(turned))


def _transposed(node: Node) -> Node | None:
    """w of (w^l)ᵀ."""
    if not isinstance(node, tree.Scripted) or not is_transpose(node.sup):
        return None
    inner = node.base.body if isinstance(node.base, tree.Group) else node.base
    inner = inner.base if isinstance(inner, tree.Scripted) and inner.sub is None else inner
    return inner if isinstance(inner, tree.Symbol) else None


def _is_product_of_arrays(node: tree.Big, matrices: frozenset[str]) -> bool:
    """Σ w^l a^{l−1} with no index anywhere: what is summed over stands in the product of the matrix w with a."""
    factors = node.body.factors if isinstance(node.body, tree.Product) and set(node.body.ops) == {""} else ()
    if node.op != "sum" or node.sub is not None or node.sup is not None or len(factors) != 2:
        return False
    bases = [f.base if isinstance(f, tree.Scripted) and f.sub is None else f for f in factors]
    return all(isinstance(b, tree.Symbol) for b in bases) and text_of(bases[0]) in matrices


def _sizes(nodes: Iterable[Node], labels: dict[str, set[str]]) -> set[str]:
    """d of √d_k: the number of entries of a key, where nothing else but v or q stands below a d."""
    roots = (n.body for n in nodes if isinstance(n, tree.Root) and n.index is None)
    found = {text_of(n.base) for n in roots if isinstance(n, tree.Scripted) and n.sub == tree.Symbol("k")}
    return {name for name in found if name == "d" and labels.get(name, set()) <= {"k", "q", "v"}}


def restated(node: Node, times: Times) -> Node:
    """A formula with labels and times where they are looked for: itself where nothing is to be moved.

    >>> from symdl.verification.notation import latex, parse
    >>> found = Times(frozenset("t"), frozenset("hox"), frozenset({"δ_h"}))
    >>> [latex(restated(parse(t), found)) for t in (r"\\delta_h^{t+1}", r"W^{hx} x_t")]
    ['\\\\delta_{\\\\text{ h }, t + 1}', 'W^{\\\\text{ hx }} x_{t}']
    """
    node = tree.mapped(node, lambda inner: restated(inner, times))
    if isinstance(node, tree.Big) and _is_product_of_arrays(node, times.matrices):
        return node.body
    if not isinstance(node, tree.Scripted) or not isinstance(node.base, (tree.Symbol, tree.Accented)):
        return node
    if isinstance(node.sub, tree.Symbol) and text_of(node.base) in times.labelled:
        return replace(node, sub=tree.Text(node.sub.name))
    if node.sup is None or is_transpose(node.sup):
        return node
    at_a_step = node.sub is not None and (step := step_of(node.sub)) is not None and step[0] in times.letters
    if isinstance(node.sup, tree.Symbol) and node.sup.name in times.states and (at_a_step or _is_last(node.sub)):
        return replace(node, sup=tree.Text(node.sup.name))
    if node.sub is None and _is_pair(node.sup, times.states) and text_of(node.base)[:1].isupper():
        return replace(node, sup=tree.Text(text_of(node.sup)))
    if _named(node) in times.above and (_is_step(node.sup, times.letters) or _is_last(node.sup)):
        label = () if node.sub is None else (tree.Text(text_of(node.sub)),)
        step_ = _plain(node.sup)
        return replace(node, sub=tree.List((*label, step_), ",") if label else step_, sup=None)
    return node


def step_of(node: Node) -> tuple[str, int] | None:
    """t and 1 of t + 1; None of anything but a letter and a number."""
    node = _plain(node)
    if isinstance(node, tree.Symbol):
        return (node.name, 0) if len(node.name) == 1 else None
    if not isinstance(node, tree.Sum) or len(node.terms) != 2:
        return None
    (_, first), (sign, second) = node.terms
    if not isinstance(first, tree.Symbol) or not isinstance(second, tree.Number) or not second.text.isdigit():
        return None
    return first.name, int(second.text) * (-1 if sign == "-" else 1)


def _plain(node: Node) -> Node:
    return node.body if isinstance(node, tree.Group) else node


def _is_step(node: Node | None, letters: Iterable[str]) -> bool:
    step = None if node is None else step_of(node)
    return step is not None and step[0] in letters


def _is_last(node: Node | None) -> bool:
    """T and T + 1, where t counts up to T."""
    step = None if node is None else step_of(node)
    return step is not None and step[0] == "T"


def _is_pair(node: Node, names: frozenset[str]) -> bool:
    """Two letters of which one is a name at a time: from x to h."""
    factors = node.factors if isinstance(node, tree.Product) and set(node.ops) == {""} else ()
    letters = [f.name for f in factors if isinstance(f, tree.Symbol) and len(f.name) == 1]
    return len(letters) == len(factors) == 2 and not names.isdisjoint(letters)


def _bare(node: tree.Scripted) -> Node:
    """c of c̃_t."""
    return replace(node.base, accents=()) if isinstance(node.base, tree.Symbol) else node.base


def _named(node: Node) -> str:
    """A name with the label below it; empty where an index may stand there."""
    if not isinstance(node, tree.Scripted) or not isinstance(node.base, (tree.Symbol, tree.Accented)):
        return ""
    if node.sub is None:
        return text_of(node.base)
    label = (
        node.sub.name if isinstance(node.sub, tree.Symbol) else node.sub.text if isinstance(node.sub, tree.Text) else ""
    )
    return f"{text_of(node.base)}_{label}" if label and label not in INDEX_LETTERS else ""
