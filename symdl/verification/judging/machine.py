"""Links that were proved here, put to Coq: `symdl check --prove`.

A derivative of the first order is stated as one (`is_derive`), everything else as an equality of what both sides stand
for. Coq can only confirm: where it has no proof, the verdict stays what it was, and the reason says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import sympy

from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification import coq
from symdl.verification.judging.links import Judge
from symdl.verification.meaning.calculus import opened as opened_for
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.stated import EQUALITIES, Meaning
from symdl.verification.meaning.values import is_open, opened
from symdl.verification.notation import tree
from symdl.verification.verdict import Status, Verdict

__all__ = ["SECONDS", "Machine"]

#: Seconds for one formula with all of its links, and for one run of Coq.
SECONDS, RUN = 90.0, 30.0


@dataclass
class Machine:
    """Puts the links of one formula to Coq, as long as there is time."""

    judging: Judge
    started: float = field(default_factory=time.monotonic)

    def confirmed(self, link: Meaning, found: Verdict) -> Verdict:
        """The verdict of Coq where it has a proof, and else what was found, with the reason why it has none.

        Args:
            link: in the scope in which it was judged.
            found: what was said of it; only what is proved or consistent is put to Coq.
        """
        if found.status not in (Status.PROVED, Status.CONSISTENT) or link.relation not in EQUALITIES or not link.values:
            return found
        if any(value.axes for value in link.values):
            return _not_by_coq(found, "it is about arrays")
        seconds = min(RUN, self.started + SECONDS - time.monotonic())
        if seconds <= 1:
            return _not_by_coq(found, "out of time")
        try:
            checked = self._asked(link, seconds)
        except (SymdlError, RecursionError) as error:
            return _not_by_coq(found, str(error).rstrip("."))
        if checked is None:
            return found
        if not checked.proved:
            return _not_by_coq(found, checked.reason)
        return replace(checked, reason=found.reason, seconds=found.seconds + checked.seconds)

    def _asked(self, link: Meaning, seconds: float) -> Verdict | None:
        """What Coq says; None where the link is about numbers only, which need no proof."""
        assert link.values is not None
        scope = self.judging.reading.scope
        left, right = (opened(scope, value.body) for value in link.values)
        if not (is_open(left) or is_open(right)):
            return None
        domain = self.judging.domain(left, right)
        differentiated = self._differentiated(link.left)
        if differentiated is None:
            return coq.proved_by_coq(left, right, domain, seconds=seconds)
        function, by = differentiated
        claimed = opened(scope, link.values[1].body)
        return coq.derivative_by_coq(function, by, claimed, domain, seconds=seconds)

    def _differentiated(self, node: tree.Node) -> tuple[sympy.Expr, Element] | None:
        """Of ∂f/∂x or f'(x): f and x, with definitions put in."""
        reader = self.judging.reading.reader()
        scope = self.judging.reading.scope
        if isinstance(node, tree.Derivative) and node.of is not None and len(node.by) == 1 and node.by[0][1] == 1:
            place = reader.value(node.by[0][0]).body
            parts = reader.parts(node.of)
            function = scope.functions.get(parts.name) if parts is not None and not parts.primes else None
            whole = function.value if function is not None else reader.value(node.of)
            if whole.axes or not isinstance(place, Element):
                return None
            return opened(scope, opened_for(scope, whole.body, place)), place
        if isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group):
            parts, argument = reader.parts(node.factors[0]), reader.parts(node.factors[1].body)
            function = scope.functions.get(parts.name) if parts is not None and parts.primes == 1 else None
            if function is None or argument is None or list(function.parameters) != [argument.name]:
                return None
            return opened(scope, function.value.body), element(argument.name)
        return None


def _not_by_coq(found: Verdict, why: str) -> Verdict:
    reason = f"not checked by Coq: {why}"
    return replace(found, reason=f"{found.reason}; {reason}" if found.reason else reason)
