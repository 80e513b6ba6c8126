r"""Initialisers: the variance that keeps a signal's size.

A weight is drawn at random, around 0. How widely, is not a matter of taste: in a deep network every layer multiplies
the size of the signal by the same factor, and a factor other than one makes it vanish or explode. The variances of
the library's distributions follow from what a dense layer does.
"""

import sympy

import symdl as sd
from derivations.lesson import Lesson
from derivations.proof import Claim, Proof

x, a, z, q = (sd.symbol(name) for name in ("x", "a", "z", "q"))
n, m = (sympy.Symbol(name, positive=True) for name in ("n", "m"))


def written(expression):
    """As it is written: SymPy would work it out at once."""
    with sympy.evaluate(False):
        return expression()


variance = {name: make().variance(n, m) for name, make in sd.initialisers.INITIALISERS.items()}

# ── the sum ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@sd.define
def expected(M=sd.Input("i k=i"), v=sd.Hyper()):
    i, k = M.indices
    return sd.let("variance", sd.Sum(v * sd.delta(i, k) * M[i, k], i, k))


@sd.define
def diagonal(M=sd.Input("i k=i"), v=sd.Hyper()):
    i, _ = M.indices
    return sd.let("variance", v * sd.Sum(M[i, i], i))


@sd.define
def alike(s=sd.Input("i"), v=sd.Hyper(), q=sd.Hyper()):
    (i,) = s.indices
    return sd.let("variance", v * sd.Sum(q, i))


@sd.define
def product(s=sd.Input("i"), v=sd.Hyper(), q=sd.Hyper()):
    (i,) = s.indices
    return sd.let("variance", i.extent * v * q)


the_sum = Proof(
    "The variance of a sum",
    r"""Let $s = \sum_i w_i x_i$ with weights that are independent of each other and of the inputs, of mean 0 and
    variance $v$. Then $E[s] = 0$, and $E[s^2] = \sum_i \sum_k E[w_i w_k] E[x_i x_k]$. Since $E[w_i w_k]$ is $v$ where
    $i = k$ and 0 elsewhere, only the products of an input with itself matter.""",
    [(r"With $M_{ik} = E[x_i x_k]$ the variance of the sum is", expected)],
    [
        Claim("The δ leaves one sum, whatever the inputs have to do with each other:", expected, diagonal),
        Claim(
            r"Where $M_{ii} = E[x_i^2] = q$ for all of them, all $I$ terms are the same:",
            alike,
            product,
        ),
    ],
    r"So $\operatorname{Var}(s) = n v q$, with the fan in $n$: the size stays where $n v q$ is the $q$ before.",
)

# Two units h = tanh(w x) and tanh(z x), weighed by u and r, in a squared loss.
w, u, r, t = (sd.symbol(name) for name in ("w", "u", "r", "t"))
twins = (t - u * sd.tanh(w * x) - r * sd.tanh(z * x)) ** 2
same = {z: w, r: u}
zeros = Proof(
    "Zeros: units that never part",
    r"""Biases may start at 0: they add to a sum what is the same for all rows, and its variance is $n v q$ without
    them. Weights may not. With $v = 0$ nothing comes through, $\operatorname{Var}(s) = 0$, and any two units that
    start alike stay so: take $(t - u \tanh(w x) - r \tanh(z x))^2$ with $w = z$ and $u = r$.""",
    claims=[
        Claim(
            "The slopes by both weights are the same, and so is every step:",
            twins.diff(w).xreplace(same),
            twins.diff(z).xreplace(same),
            called=r"\frac{\partial L}{\partial w}",
        ),
        Claim(
            "It has the weight behind the unit as a factor, and the slope by that one the value of the unit, so that "
            "from $w = u = 0$ there is no step at all:",
            twins.diff(u).xreplace(same),
            -2 * sd.tanh(w * x) * (t - 2 * u * sd.tanh(w * x)),
            called=r"\frac{\partial L}{\partial u}",
        ),
    ],
    closing=r"""What starts at random is different from the beginning: a normal distribution with standard deviation
    $\sigma$ has $v = \sigma^2$, whatever the fans are.""",
)

linear = Lesson(
    "The same backwards",
    sd.definition("linear"),
    r"""The slope by an input is a sum over the units $j$ that it feeds, with the same weights: of as many terms as
    there are outputs, the fan out $m$. So the size of slopes stays where $m v = 1$, which is the other condition.""",
    wrt=["x"],
    small={"n": 1, "i": 2, "j": 2},
    matrix=False,
)

# ── the distributions ────────────────────────────────────────────────────────────────────────────────────────────────

antiderivative = x**3 / (6 * a)
uniform = Proof(
    "Uniform between $-a$ and $a$",
    r"""The density is $1/(2a)$, and the variance is the integral of $x^2/(2a)$ from $-a$ to $a$.""",
    [],
    [
        Claim(
            "An antiderivative is $x^3/(6a)$:",
            antiderivative.diff(x),
            x**2 / (2 * a),
            called=r"\frac{d}{dx} \frac{x^3}{6a}",
        ),
        Claim(
            "Its values at both ends differ by",
            written(lambda: a**3 / (6 * a) - (-a) ** 3 / (6 * a)),
            a**2 / 3,
        ),
    ],
    r"So a distribution of variance $v$ reaches to $\pm\sqrt{3v}$.",
)

glorot = Proof(
    "Glorot: between forwards and backwards",
    r"""Near 0 a tanh is the identity, so $q$ stays what it is. Forwards $n v = 1$ is wanted, backwards $m v = 1$;
    unless $n = m$ both can't be had. Glorot and Bengio take the $v$ for which their mean is 1.""",
    [],
    [
        Claim(
            r"With $v = 2/(n + m)$, the variance of both distributions:",
            written(lambda: (n * variance["glorot_normal"] + m * variance["glorot_uniform"]) / 2),
            sympy.Integer(1),
        ),
        Claim(
            r"The uniform distribution reaches to $\sqrt{6/(n + m)}$, since",
            written(lambda: sympy.sqrt(6 / (n + m)) ** 2 / 3),
            variance["glorot_uniform"],
        ),
    ],
)


he = Proof(
    "He: the factor one half of ReLU",
    r"""Weights that are symmetric around 0 make sums that are: $s$ and $-s$ are equally likely. So
    $E[\operatorname{ReLU}(s)^2] = E[\operatorname{ReLU}(-s)^2]$.""",
    [],
    [
        Claim("Both together are the square, for every single $s = z$:", sd.relu(z) ** 2 + sd.relu(-z) ** 2, z**2),
        Claim(
            r"""So the next layer sees $q = E[s^2]/2$: half of the variance is lost, and $n v / 2 = 1$ is wanted. With
            $v = 2/n$:""",
            written(lambda: n * variance["he_normal"] / 2),
            sympy.Integer(1),
        ),
        Claim(
            "A leaky ReLU of slope $a$ loses less:",
            sd.leaky_relu(z, a) ** 2 + sd.leaky_relu(-z, a) ** 2,
            (1 + a**2) * z**2,
        ),
    ],
    r"""So $q = E[s^2](1 + a^2)/2$, and the gain, by which weights have to be larger than for the identity, is
    $\sqrt{2/(1 + a^2)}$; for ReLU it is $\sqrt{2}$.""",
)

# ── orthogonal ───────────────────────────────────────────────────────────────────────────────────────────────────────


@sd.define
def squared(W=sd.Param("j i"), x=sd.Input("i")):
    j, i = W.indices
    s = sd.let("s[j]", sd.Sum(W[j, i] * x[i], i))
    return sd.let("length", sd.Sum(s[j] ** 2, j))


@sd.define
def by_gram(W=sd.Param("j i"), x=sd.Input("i")):
    j, i = W.indices
    k = sd.index("k", i.extent)
    gram = sd.let("A[i,k]", sd.Sum(W[j, i] * W[j, k], j))
    return sd.let("length", sd.Sum(gram[i, k] * x[i] * x[k], i, k))


@sd.define
def identity(x=sd.Input("i k=i")):
    i, k = x.indices
    return sd.let("length", sd.Sum(sd.delta(i, k) * x[i, k], i, k))


@sd.define
def own(x=sd.Input("i k=i")):
    i, _ = x.indices
    return sd.let("length", sd.Sum(x[i, i], i))


orthogonal = Proof(
    "Orthogonal: every length stays",
    r"""Drawn independently, weights keep the size of a signal on average only. A matrix whose columns are orthonormal
    keeps that of every single one.""",
    [("The squared length of what it makes:", squared)],
    [
        Claim(r"The squares multiplied out, with the scalar products $A_{ik}$ of the columns:", squared, by_gram),
        Claim(
            r"Where $A_{ik} = \delta_{ik}$, only the products $x_{ik} = x_i x_i$ of an entry with itself are left:",
            identity,
            own,
        ),
    ],
    r"""A row of length 1 has $n$ entries that are all alike distributed, so each has the variance $1/n$: the same as
    above, without the chance.""",
)

lessons = [the_sum, linear, zeros, uniform, glorot, he, orthogonal]
