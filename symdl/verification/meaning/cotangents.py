"""∂L/∂w of a loss that the document does not define: the chain rule through everything that it does define.

Of L nothing is known but that it hangs on what is worked out last. There its slopes are names of their own, ∂L/∂y, and
for everything before that the chain rule gives the rest: Σ ∂L/∂y · y has the same first derivatives, and stands for L.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symdl.core.tensors import Element, atoms_in, reduction
from symdl.verification.meaning import sums
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.scope import Scope, element

_MARK = "∂"
_Key = tuple[str, int]


def slope_name(loss: str, by: str) -> str:
    """What the slope of an unknown loss is called."""
    return f"{_MARK}{loss}/{_MARK}{by}"


def is_slope(name: str) -> bool:
    """Whether a name stands for the slope of an unknown loss."""
    return name.startswith(_MARK)


def loss_of(name: str) -> str:
    """L of ∂L/∂y."""
    return name[1:].partition(f"/{_MARK}")[0]


def slope_of(name: str) -> str:
    """y of ∂L/∂y."""
    return name.rpartition(f"/{_MARK}")[2]


def seeded(scope: Scope, loss: Element, by: Element) -> sympy.Expr:
    """An expression in what the document defines by `by`, that has the first derivatives of the loss.

    Raises:
        MeaningError: the document defines the loss by something that was not understood.
    """
    if loss.name in scope.opaque:
        raise MeaningError(f"what {loss.name} stands for is not understood here")
    last = _last(scope, by, loss)
    called = "_".join([loss.name, *map(str, loss.subscripts)])
    return sympy.Add(*[_paired(scope, called, e) for e in last or [_whole(scope, by.name, len(by.subscripts))]])


def is_loss(e: Element) -> bool:
    """Whether an element is called as losses are, by itself or with numbers below it: L, C_0."""
    return objective(e.name) and all(s.is_Integer for s in e.subscripts)


def _beside(scope: Scope, loss: Element) -> set[_Key]:
    """The names that stand beside a loss in something that is made of it: s of J = L + s, on which L does not hang."""
    found: set[_Key] = set()
    for formula in scope.formulas.values():
        used = {(e.name, len(e.subscripts)) for e in atoms_in(formula.value.body, Element)}
        found |= used if (loss.name, 0) in used else set()
    return found - {(loss.name, 0)}


def _base(name: str) -> str:
    """A name without what stands above it."""
    return name.partition("^")[0]


def _paired(scope: Scope, loss: str, e: Element) -> sympy.Expr:
    body = element(slope_name(loss, e.name), e.subscripts) * e
    indices = [s for sub in e.subscripts for s in sub.free_symbols if isinstance(s, sympy.Dummy)]
    return reduction("sum", body, indices) if indices else body


def _whole(scope: Scope, name: str, rank: int) -> Element:
    axes = [sums.new_index(f"a{k}", scope.extent(name, k, rank)) for k in range(rank)]
    return element(name, [i + scope.base(name) for i in axes])


def _last(scope: Scope, by: Element, loss: Element) -> list[Element]:
    """What is defined by `by`, directly or not, and goes into nothing else that is; not what the loss goes into."""
    reach: dict[_Key, set[_Key]] = {}
    own = by.name, len(by.subscripts)
    found = []
    bars = {_base(name) for name, _ in scope.slopes}
    bars |= {name for name, section in scope.bars.items() if not scope.chapter_over(section)}
    beside = _beside(scope, loss)
    for key in _defined(scope):
        if _base(key[0]) in bars or key in beside:  # δᴸ is a slope itself where δˡ = ∂L/∂zˡ
            continue
        through = _reached(scope, key, reach)
        behind = any(is_slope(name) or name == loss.name for name, _ in through)
        if own in through and key != own and not behind and key[0] != loss.name:
            found.append(key)
    inner = {k for key in found for k in _reached(scope, key, reach) if k != key}
    last = [key for key in found if key not in inner]
    return [e for key in last for e in _elements(scope, key)]


def _defined(scope: Scope) -> Iterator[_Key]:
    seen = dict.fromkeys(key for key, f in scope.formulas.items() if not f.given)
    seen |= dict.fromkeys((n, len(subs)) for (n, subs), f in scope.entries.items() if not f.given)
    yield from seen


def _elements(scope: Scope, key: _Key) -> Iterator[Element]:
    name, rank = key
    if key in scope.formulas:
        yield _whole(scope, name, rank)
        return
    for n, subs in scope.entries:
        if (n, len(subs)) == key:
            yield element(n, subs)


def _reached(scope: Scope, key: _Key, reach: dict[_Key, set[_Key]]) -> set[_Key]:
    """All names that a name is made of, directly or not."""
    if key in reach:
        return reach[key]
    reach[key] = set()  # a name that is made of itself adds nothing
    found: set[_Key] = set()
    for formula in scope.all_of(*key):
        for e in atoms_in(formula.value.body, Element):
            used = e.name, len(e.subscripts)
            found |= {used} | _reached(scope, used, reach)
    reach[key] = found
    return found
