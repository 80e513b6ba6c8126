"""What is compiled for a definition: which functions, from which equations, each in its stable form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symdl.compilation.searches import Searches
from symdl.core.definitions import Definition
from symdl.core.tensors import Role
from symdl.derivation.accurate.calls import with_forms, with_twins
from symdl.derivation.accurate.kept import kept_on
from symdl.derivation.derive import derive
from symdl.derivation.dominant import with_remainders
from symdl.derivation.meeting import with_differences
from symdl.derivation.roots import with_factored_roots
from symdl.derivation.stable import stabilise
from symdl.derivation.unitvectors import with_factored_unit_vectors


@dataclass(frozen=True)
class Programs:
    """The equations of each function, as the author or the derivation wrote them and as they are computed.

    Args:
        written: by function name; what a cross-check compares with.
        stable: the same in the form that is compiled.
        gradients: gradient output by parameter name.
    """

    written: Mapping[str, Definition]
    stable: Mapping[str, Definition]
    gradients: Mapping[str, str]


@kept_on(Searches())  # what is found for functions stays in the code cache
def programs_for(
    definition: Definition, wrt: tuple[str, ...] | None, predicts: bool, careful: bool = False
) -> Programs:
    """`evaluate` always; `gradient` with `wrt`; `predict` (the outputs that need no target) on request.

    Forms that keep their digits in the arithmetic of a dtype are not what wide numbers (`careful`) are for.
    """
    written = {"evaluate": definition}
    gradients: Mapping[str, str] = {}
    if wrt is not None:
        derivation = derive(definition if careful else with_twins(definition), wrt=list(wrt))
        written["gradient"] = derivation.gradient
        gradients = {p: derivation.names[p] for p in wrt}
    if predicts and (outputs := predictions(definition)):
        cut = definition.only(outputs, name=f"{definition.name}_prediction")
        used = {t.name for e in cut.equations for t in e.uses}
        inputs = tuple(t for t in cut.inputs if t.name in used)
        written["predict"] = Definition(cut.name, cut.equations, inputs, cut.outputs)
    plain = {n: with_differences(d) for n, d in written.items()} if careful else written
    stable = {n: with_remainders(stabilise(d)) for n, d in plain.items()}
    stable = {n: _factored(d) if careful else with_forms(d) for n, d in stable.items()}
    return Programs(written, stable, gradients)


def _factored(definition: Definition) -> Definition:
    """Differences of lengths and of directions, as wide numbers have them."""
    return with_factored_roots(with_factored_unit_vectors(definition))


def predictions(definition: Definition) -> tuple[str, ...]:
    """The outputs, the target aside, that need no data but the first input."""
    first = definition.data[0].name if definition.data else ""
    return tuple(o for o in definition.outputs[1:] if needs(definition, o, Role.INPUT) <= {first})


def needs(definition: Definition, output: str, role: Role) -> set[str]:
    """The inputs of a role that an output depends on, masks aside."""
    cut = definition.only([output])
    used = {t.name for e in cut.equations for t in e.uses}
    return {t.name for t in cut.inputs if t.role is role and t.mask is None and t.name in used}
