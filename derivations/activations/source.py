"""Activations: one page for each family, an entry for each activation."""

import sympy

import symdl as sd
from derivations.activation import Entry
from derivations.lesson import Lesson
from derivations.several import Several
from symdl.library.activations import clipped, gated, gates, rectifiers, sigmoids, units, vectors, waves

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


def softmax(z, p, p_bar):
    n, k = z.indices
    j = k.fresh()
    return sd.let("z_bar[n,k]", p[n, k] * (p_bar[n, k] - sd.Sum(p[n, j] * p_bar[n, j], j)))


def softmin(z, p, p_bar):
    n, k = z.indices
    j = k.fresh()
    return sd.let("z_bar[n,k]", p[n, k] * (sd.Sum(p[n, j] * p_bar[n, j], j) - p_bar[n, k]))


def log_softmax(z, y, y_bar):
    n, k = z.indices
    j = k.fresh()
    return sd.let("z_bar[n,k]", y_bar[n, k] - sd.exp(y[n, k]) * sd.Sum(y_bar[n, j], j))


def gate(act, slope):
    def closed(x, W, y_gate, y_value, V, y_bar):
        n, i = x.indices
        j = W.indices[0]
        through = y_value[n, j] * slope(y_gate[n, j]) * W[j, i] + act(y_gate[n, j]) * V[j, i]
        return sd.let("x_bar[n,i]", sd.Sum(y_bar[n, j] * through, j))

    return closed


def glu(x, y_bar):
    (n, k), (_, j) = x.indices, y_bar.indices
    value, gate = x[n, j], sd.sigmoid(x[n, j + j.extent])
    through = sd.delta(k, j) * gate + sd.delta(k, j + j.extent) * value * gate * (1 - gate)
    return sd.let("x_bar[n,k]", sd.Sum(y_bar[n, j] * through, j))


def silu_slope(s):
    return sd.sigmoid(s) * (1 + s * (1 - sd.sigmoid(s)))


def gelu_slope(s):
    u = sympy.Symbol("u", real=True)
    return gates.gelu(u).diff(u).xreplace({u: s})


def lesson(name, words, closed=None, closed_words="", **options):
    wrt = {"maxout": "s", "softmax": "z", "log_softmax": "z", "softmin": "z"}.get(name, "x")
    made = sd.definition(name)
    return Lesson(name.replace("_", " "), made, words, wrt, None, closed, closed_words, matrix=False, **options)


ACROSS = [
    Several(
        lesson(
            "softmax",
            "The compiler shifts the scores by the largest of them, and sums all but that one by themselves, so that "
            "what is left of 1 keeps its digits.",
            softmax,
            "The given slopes, less their mean by the shares, times the share: adding a number to all of them changes "
            "nothing.",
        ),
        vectors.ACROSS["softmax"].source,
    ),
    Several(
        lesson(
            "log_softmax",
            "",
            log_softmax,
            "The given slopes, less the shares of their sum.",
        ),
        vectors.ACROSS["log_softmax"].source,
    ),
    Several(
        lesson("softmin", "The softmax of the scores with their signs changed.", softmin, "That of softmax, negated."),
        vectors.ACROSS["softmin"].source,
    ),
    Several(
        lesson("maxout", "A piecewise linear function whose pieces are learned."),
        "Goodfellow, Warde-Farley, Mirza, Courville and Bengio 2013 (arXiv 1302.4389), section 3",
        "equal sums share the slope, as in torch.amax",
    ),
]

GATED = [
    Several(
        lesson(
            "glu",
            "The second half of a layer decides how much of the first passes.",
            glu,
            "To the first half through the gate, to the second half by the value and the slope of the sigmoid.",
        ),
        "Dauphin, Fan, Auli and Grangier 2017 (arXiv 1612.08083)",
    ),
    Several(
        lesson(
            "swiglu",
            "Two dense layers without biases, one of which opens the other.",
            gate(gates.silu, silu_slope),
            "Back through the gate, with the slope of SiLU, and back through the value.",
        ),
        "Shazeer 2020 (arXiv 2002.05202), equation 5 with $\\beta = 1$",
    ),
    Several(
        lesson("geglu", "The same with GELU.", gate(gates.gelu, gelu_slope), "The same with the slope of GELU."),
        "Shazeer 2020 (arXiv 2002.05202), equation 5",
    ),
]

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
} | {
    "vectors": (f"Activations of several numbers\n\n{vectors.__doc__.partition(chr(10))[0]}", ACROSS),
    "gated": (f"Gated units\n\n{gated.__doc__.partition(chr(10))[0]}", GATED),
}
