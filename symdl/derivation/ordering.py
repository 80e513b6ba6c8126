"""An order of bound indices that does not depend on their names: colour refinement, and permutations inside ties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy

from symdl.core.deadlines import in_time
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.derivation.affine import Row
from symdl.errors import UnsupportedError

#: Orders that are compared as text where the colours leave ties.
MOST_ORDERS = 720

Colours = dict[sympy.Dummy, int]


def orders(
    bounds: Mapping[sympy.Dummy, sympy.Expr | None], atoms: Sequence[sympy.Expr], rows: Sequence[Row]
) -> Iterator[list[sympy.Dummy]]:
    """The orders of the indices in `bounds` that their places in `atoms` and `rows` allow, at least one.

    An index is coloured by its extent, then again and again by where it stands beside which colours. The names of
    free indices count only where nothing else tells two bound ones apart.

    Raises:
        UnsupportedError: more than `MOST_ORDERS` would have to be compared.
    """
    places = _Places(list(bounds), atoms, rows)
    start = places.ranked({v: str(e) for v, e in bounds.items()})
    colours = places.refined(places.refined(start, named=False), named=True)
    for count, order in enumerate(_leaves(places, colours)):
        in_time()
        if count >= MOST_ORDERS:
            raise UnsupportedError(
                f"a sum over {len(bounds)} connected indices with many symmetries", remedy="name a part of it"
            )
        yield order


def _leaves(places: _Places, colours: Colours) -> Iterator[list[sympy.Dummy]]:
    cells: dict[int, list[sympy.Dummy]] = {}
    for v, c in colours.items():
        cells.setdefault(c, []).append(v)
    tied = next((c for c in sorted(cells) if len(cells[c]) > 1), None)
    if tied is None:
        yield sorted(colours, key=lambda v: colours[v])
        return
    for chosen in cells[tied]:
        told = {v: f"{c:06d}{'' if v is chosen else '~'}" for v, c in colours.items()}
        yield from _leaves(places, places.refined(places.ranked(told), named=True))


class _Places:
    """Where indices stand: in which factor, beside which others."""

    def __init__(self, variables: list[sympy.Dummy], atoms: Sequence[sympy.Expr], rows: Sequence[Row]) -> None:
        self.variables, self.rows = variables, rows
        known = set(variables)
        self.atoms = [(a, [v for v in variables if v in a.free_symbols]) for a in atoms]
        free = {s for a in atoms for s in a.free_symbols if isinstance(s, sympy.Dummy) and s not in known}
        self.named = {i: _marker(_name(i)) for i in free}
        self.nameless = {i: _marker(_kind(i)) for i in free}

    def ranked(self, told: Mapping[sympy.Dummy, str]) -> Colours:
        texts = {t: k for k, t in enumerate(sorted(set(told.values())))}
        return {v: texts[told[v]] for v in self.variables}

    def refined(self, colours: Colours, *, named: bool) -> Colours:
        """Colours told apart by their places until nothing changes."""
        count = len(set(colours.values()))
        while count < len(colours):
            seen: dict[sympy.Dummy, list[str]] = {v: [] for v in self.variables}
            for atom, mine in self.atoms:
                for v in mine:
                    seen[v].append(self._in_atom(atom, mine, v, colours, named))
            for row in self.rows:
                for v in self.variables:
                    if v in row:
                        seen[v].append(self._in_row(row, v, colours, named))
            told = {v: " ".join([f"{colours[v]:06d}", *sorted(texts)]) for v, texts in seen.items()}
            colours = self.ranked(told)
            if len(set(colours.values())) == count:
                return colours
            count = len(set(colours.values()))
        return colours

    def _in_atom(self, atom: sympy.Expr, mine: list[sympy.Dummy], v: sympy.Dummy, colours: Colours, named: bool) -> str:
        free = self.named if named else self.nameless
        base, exponent = atom.as_base_exp()
        if isinstance(base, Element) and all(isinstance(s, Index) for s in base.subscripts):
            shown = [
                "@" if s is v or s == v else str(colours[s]) if s in colours else str(free.get(s, s))
                for s in base.subscripts
            ]
            return f"{base.name}[{','.join(shown)}]^{exponent}"
        mapping: dict[sympy.Basic, sympy.Basic] = {u: _marker(f"colour{colours[u]}") for u in mine}
        mapping[v] = _marker("@")
        mapping.update({i: m for i, m in free.items() if i in atom.free_symbols})
        return text_of(atom.xreplace(mapping))

    def _in_row(self, row: Row, v: sympy.Dummy, colours: Colours, named: bool) -> str:
        sign = -1 if row[v].could_extract_minus_sign() else 1
        parts = []
        for key, c in row.items():
            shown = "@" if key == v else f"colour{colours[key]}" if key in colours else self._free(key, named)
            parts.append(f"{shown}:{c * sign}")
        return "row " + ",".join(sorted(parts))

    def _free(self, key: sympy.Expr, named: bool) -> str:
        if not isinstance(key, sympy.Dummy):
            return str(key) if named or key == 1 else "gather"
        return _name(key) if named else _kind(key)


def _name(index: sympy.Dummy) -> str:
    return f"{index.name}.{index.dummy_index}"


def _kind(index: sympy.Dummy) -> str:
    return f"free.{index.extent}" if isinstance(index, Index) else "free"


def _marker(text: str) -> sympy.Symbol:
    return sympy.Symbol(text, integer=True, nonnegative=True)


def text_of(expr: sympy.Expr) -> str:
    """A text for ordering, the same for the same factors whatever their order."""
    return str(sympy.Tuple(*sorted(sympy.Mul.make_args(expr), key=str)))


def named_text(expr: sympy.Expr) -> str:
    """A text that tells free indices of one name apart."""
    mapping = {i: _marker(_name(i)) for i in expr.free_symbols if isinstance(i, sympy.Dummy)}
    if not isinstance(expr, Reduction):
        return text_of(expr.xreplace(mapping))
    return f"{[str(i.extent) for i in expr.bound]} {text_of(expr.body.xreplace(mapping))}"
