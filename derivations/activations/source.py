"""Activations: one page for each family, an entry for each activation of one number."""

import sympy

from derivations.activation import Entry
from symdl.library.activations import clipped, gates, rectifiers, sigmoids, units, waves

#: PReLU learns its slope; 1/4 is where its paper starts.
USUAL = {"prelu": {"alpha": sympy.Rational(1, 4)}}

TITLES = {
    "rectifiers": "Rectifiers",
    "sigmoids": "Sigmoids",
    "clipped": "Clipped functions",
    "units": "Rectifiers that bend",
    "gates": "Gates",
    "waves": "Waves",
}

#: Title, introduction and entries, by the name of the page.
pages = {
    name: (
        f"{TITLES[name]}\n\n{family.__doc__}",
        [Entry(a, USUAL.get(a.name, {}), f"{a.name}.svg") for a in family.ACTIVATIONS],
    )
    for name, family in (
        ("rectifiers", rectifiers),
        ("sigmoids", sigmoids),
        ("clipped", clipped),
        ("units", units),
        ("gates", gates),
        ("waves", waves),
    )
}
