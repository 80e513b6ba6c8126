r"""Optimisers: where their update rules come from.

Each is a few equations for one entry $\theta$ of a parameter, its slope $g$, and what is remembered from step to
step. They are the library's own definitions: what is shown here is what is compiled into the training loop. Wherever
two forms of a rule are said to be the same, the one is derived from the other and the equality is proved.
"""

import sympy

import symdl as sd
from derivations.proof import Claim, Proof
from symdl.derivation.inline import inline

b, t, mu, G, c, k = (sd.symbol(name) for name in ("b", "t", "mu", "G", "c", "k"))


def equations(optimizer):
    """The update under the names of papers: η is the learning rate, λ the weight decay."""
    return optimizer.update.renamed({"lr": "eta", "weight_decay": "lambda"})


def result(optimizer, **values):
    """What an optimiser makes of θ, with numbers for some of its inputs."""
    update = equations(optimizer)
    given = {update[n].element(): sympy.sympify(v) for n, v in values.items()}
    return inline(update, update["theta_new"].element()).xreplace(given)


def of(optimizer, *names):
    """The inputs of an update, as scalars."""
    return [equations(optimizer)[n].element() for n in names]


# ── momentum ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@sd.define
def pulled(g=sd.Input("s"), mu=sd.Hyper(facts=["positive"]), steps=sd.Input(integer=True)):
    (s,) = g.indices
    return sd.let("v_later", mu * sd.Sum(mu ** (steps - s) * g[s], s))


@sd.define
def pushed(g=sd.Input("s"), mu=sd.Hyper(facts=["positive"]), steps=sd.Input(integer=True)):
    (s,) = g.indices
    return sd.let("v_later", sd.Sum(mu ** (steps + 1 - s) * g[s], s))


momentum = Proof(
    "Momentum: a weighted sum of all slopes",
    r"""A ball that rolls keeps a share $\mu$ of its velocity (Polyak 1964).""",
    [
        ("The update, as PyTorch has it:", equations(sd.momentum())),
        (
            r"""Suppose that after some steps $v = \sum_s \mu^{\mathrm{steps}-s} g_s$, over the slopes up to then. The
            next step multiplies that by $\mu$:""",
            pulled,
        ),
    ],
    [
        Claim("which raises every exponent by one,", pulled, pushed),
        Claim(
            r"""and adds the new slope with the exponent 0. So old slopes fade like a geometric series. If all of them
            are $G$, the sum of the powers is $P = (1 - \mu^t)/(1 - \mu)$: true for $t = 0$, and a step keeps it:""",
            mu * (G * (1 - mu**t) / (1 - mu)) + G,
            G * (1 - mu ** (t + 1)) / (1 - mu),
        ),
    ],
    r"""For large $t$ that is $G/(1 - \mu)$: with $\mu = 0.9$ steps are ten times as long as those of SGD, where
    slopes agree, and short where they take turns.""",
)


@sd.define
def ahead(theta=sd.Param(), g=sd.Input(), v=sd.Input(), eta=sd.Hyper(facts=["positive"]), mu=sd.Hyper()):
    place = sd.let("place", theta + eta * mu * v)
    velocity = sd.let("velocity_new", mu * (-eta * v) - eta * g)
    place_new = sd.let("place_new", place + velocity)
    v_new = sd.let("v_new", -velocity / eta)
    return sd.let("theta_new", place_new + mu * velocity), v_new


@sd.define
def reformulated(theta=sd.Param(), g=sd.Input(), v=sd.Input(), eta=sd.Hyper(facts=["positive"]), mu=sd.Hyper()):
    v_new = sd.let("v_new", mu * v + g)
    return sd.let("theta_new", theta - eta * (g + mu * v_new)), v_new


nesterov = Proof(
    "Nesterov: look ahead first",
    r"""Nesterov takes the slope where the velocity alone would lead to: at $\theta = p + \mu u$, from the place $p$
    with the velocity $u$. Then $u' = \mu u - \eta g$ and $p' = p + u'$. In that form the slope is needed at another
    point than the one that is stored. With the point ahead as the variable, $\theta = p + \mu u$, and $u = -\eta v$,
    both are one.""",
    [(r"Place and velocity, from $\theta$ and $v$ and back; $\eta$ is the learning rate:", ahead)],
    [Claim("This is the update of the library, and of PyTorch:", ahead, reformulated)],
    r"""The difference to momentum is one more $\mu (v' - v)$ at the end: a correction by the change of velocity.""",
)

# ── moving averages ──────────────────────────────────────────────────────────────────────────────────────────────────

scaled = Proof(
    "Steps scaled by the size of slopes",
    r"""A direction in which slopes are always small deserves longer steps. Adagrad divides by the root of the sum of
    all squares, which only ever grows; RMSprop by that of a moving average of squares; Adadelta puts the root of a
    moving average of squared steps on top, so that a step has the unit of the parameter.""",
    [
        ("Adagrad:", equations(sd.adagrad())),
        ("RMSprop:", equations(sd.rmsprop())),
        ("Adadelta:", equations(sd.adadelta())),
        ("RMSprop around the mean slope:", equations(sd.rmsprop(centered=True))),
    ],
)


@sd.define
def spread(g=sd.Input("s")):
    (s,) = g.indices
    mean = sd.let("mean", sd.mean(g[s], s))
    return sd.let("variance", sd.mean((g[s] - mean) ** 2, s))


@sd.define
def moments(g=sd.Input("s")):
    (s,) = g.indices
    mean = sd.let("mean", sd.mean(g[s], s))
    return sd.let("variance", sd.mean(g[s] ** 2, s) - mean**2)


centred = Proof(
    "Centred: why $s - c^2$ is a variance",
    "",
    [("The mean squared distance from the mean is", spread)],
    [
        Claim(
            "Multiplied out, the mixed term takes the square of the mean away twice and the last one adds it once:",
            spread,
            moments,
        )
    ],
    r"""With $c$ in the place of the mean of slopes and $s$ in that of the mean of squares it is $s - c^2$. Moving
    averages weigh slopes differently, and the same holds for any weights that sum to one.""",
)


@sd.define
def unscaled(g=sd.Input(), s=sd.Input(facts=["positive"]), d=sd.Input(facts=["positive"]), z=sd.Hyper()):
    return sd.let("delta", sd.sqrt(d) / sd.sqrt(s) * g)


@sd.define
def rescaled(
    g=sd.Input(), s=sd.Input(facts=["positive"]), d=sd.Input(facts=["positive"]), z=sd.Hyper(facts=["positive"])
):
    G, S = sd.let("G", z * g), sd.let("S", z**2 * s)
    return sd.let("delta", sd.sqrt(d) / sd.sqrt(S) * G)


adadelta = Proof(
    "Adadelta: a step does not know the unit of the loss",
    "",
    [(r"Up to $\varepsilon$, a step is", unscaled)],
    [
        Claim(
            r"""Multiply the loss by $z > 0$: every slope is $z$ times as large, the average $s$ of squares $z^2$
            times, and the average $d$ of squared steps is what it was. The step stays:""",
            unscaled,
            rescaled,
        )
    ],
)

# ── Adam ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

adam_theta, adam_g, adam_lr, adam_eps = of(sd.adam(), "theta", "g", "eta", "eps")
bias = Proof(
    "Adam: the bias of an average that starts at zero",
    r"""Moving averages $m$ of slopes and $v$ of their squares start at 0, so in the beginning they are too small. By
    how much? Let slopes have the expectation $G$ at every step. Averages are linear, so the expectation of $m$
    follows the same recurrence.""",
    [("The update:", equations(sd.adam()))],
    [
        Claim(
            r"""Written out, $m_t$ is $\sum_s (1 - \beta) \beta^{t-s} g_s$ (as for momentum, with $b = \beta$); its
            weights are a geometric series. If $E[m_{t-1}] = (1 - b^{t-1}) G$, which is 0 for $t = 1$, then the next
            one is""",
            b * (1 - b ** (t - 1)) * G + (1 - b) * G,
            (1 - b**t) * G,
        ),
        Claim(
            r"""So $E[m_t] = (1 - \beta^t) G$ for all $t$, and dividing by $1 - \beta^t$ makes the expectation $G$;
            the same with $g^2$ and $\beta_2$. At the first step, from $m = v = 0$ and for any $\beta_1, \beta_2 < 1$,
            nothing is left of the betas:""",
            result(sd.adam(), m=0, v=0, t=1),
            adam_theta - adam_lr * adam_g / (sympy.sqrt(adam_g**2) + adam_eps),
            called=r"\theta_{\mathrm{new}}\big|_{m = v = 0,\, t = 1}",
        ),
    ],
    r"A first step has the length of the learning rate, whatever the slope: its sign is all that counts.",
)

w_theta, w_lr, w_decay = of(sd.adamw(), "theta", "eta", "lambda")
s_theta, s_g, s_lr, s_decay = of(sd.sgd(weight_decay=0.1), "theta", "g", "eta", "lambda")
l_theta, l_g, l_lr, l_decay, l_eps = of(sd.adam(weight_decay=0.1), "theta", "g", "eta", "lambda", "eps")
felt = l_g + l_decay * l_theta
decoupled = Proof(
    "AdamW: weight decay beside the averages",
    r"""A term $\frac{\lambda}{2} \theta^2$ of the loss adds $\lambda \theta$ to the slope.""",
    [],
    [
        Claim(
            "For SGD that is the same as to shrink the parameter by a share of itself, and to step then:",
            result(sd.sgd(weight_decay=0.1)),
            (1 - s_lr * s_decay) * s_theta - s_lr * s_g,
        ),
        Claim(
            r"""Adam divides what is added to the slope by the root of $v$, as it divides the slope. In the first step
            nothing but the sign of $g + \lambda \theta$ is left of the decay:""",
            result(sd.adam(weight_decay=0.1), m=0, v=0, t=1),
            l_theta - l_lr * felt / (sympy.sqrt(felt**2) + l_eps),
            called=r"\theta_{\mathrm{new}}\big|_{m = v = 0,\, t = 1}",
        ),
        Claim(
            r"""AdamW leaves the slope alone and shrinks the parameter: what it does beside Adam, in any state, is""",
            result(sd.adamw()) - result(sd.adam()),
            -w_lr * w_decay * w_theta,
            called=r"\theta_{\mathrm{new}}^{\mathrm{AdamW}} - \theta_{\mathrm{new}}^{\mathrm{Adam}}",
        ),
    ],
)

amsgrad = Proof(
    "AMSGrad: a rate that only falls",
    r"""After a rare large slope, $v$ of Adam fades and steps grow again, which can lead away from a minimum. AMSGrad
    divides by the largest $v$ so far.""",
    [("The update:", equations(sd.amsgrad()))],
    [
        Claim(
            "The larger of two numbers, without cases:",
            sd.maximum(b, c, kink="mid"),
            (b + c + sd.absolute(b - c, kink="mid")) / 2,
        )
    ],
    "Where both are equal, they are the same number, so that the policy at the kink decides nothing.",
)

n_m, n_g, n_b = of(sd.nadam(), "m", "g", "beta1")
n_lr, n_theta, n_v, n_b2, n_eps, n_t = of(sd.nadam(), "eta", "theta", "v", "beta2", "eps", "t")
n_root = sympy.sqrt((n_b2 * n_v + (1 - n_b2) * n_g**2) / (1 - n_b2**n_t)) + n_eps
n_new = n_b * n_m + (1 - n_b) * n_g
nadam = Proof(
    "NAdam: Adam that looks ahead",
    r"""Nesterov's step uses the average that the next step would have if its slope were the same: $m$ is moved once
    more. The $\mu_t$ of NAdam grows towards $\beta_1$, and $\Pi$ is the product of all of them, which takes the place
    of $\beta_1^t$ in the correction of the bias.""",
    [
        ("Equations of the step, the same for all entries:", sd.nadam().step),
        ("The update:", equations(sd.nadam())),
    ],
    [
        Claim(
            r"With $\mu_t = \mu_{t+1} = \beta_1$ and after long time ($\Pi = 0$) it is Nesterov's average of Adam's:",
            result(sd.nadam(), mu=n_b, mu_next=n_b, product_new=0),
            n_theta - n_lr * (n_b * n_new + (1 - n_b) * n_g) / n_root,
            called=r"\theta_{\mathrm{new}}\big|_{\mu = \mu_{\mathrm{next}} = \beta_1,\, \Pi = 0}",
        )
    ],
)

age = (1 - (t + 1) * b**t + t * b ** (t + 1)) / (1 - b) ** 2
radam = Proof(
    "RAdam: how many slopes an average has seen",
    r"""In the first steps $v$ is the average of a few squares, and its inverse root scatters widely. RAdam measures
    that by the length $\rho_t$ of a simple average whose slopes are as old as those of the moving one. In an average
    of $\rho$ slopes the mean age, the newest counted as 1, is $(\rho + 1)/2$; in the moving one the slope of age $k$
    has the weight $(1 - \beta) \beta^{k-1} / (1 - \beta^t)$. So $\rho_t = 2 (1 - \beta) S_t / (1 - \beta^t) - 1$ with
    $S_t = \sum_{k=1}^{t} k \beta^{k-1}$.""",
    [],
    [
        Claim(
            r"""With $b = \beta$, $S_t = (1 - (t+1) b^t + t b^{t+1})/(1 - b)^2$: it is 0 for $t = 0$, and the $t$-th
            summand is what one more step adds:""",
            age - age.subs(t, t - 1),
            t * b ** (t - 1),
        ),
        Claim(
            "Put in, it is the formula of the paper:",
            2 * (1 - b) * age / (1 - b**t) - 1,
            2 / (1 - b) - 1 - 2 * t * b**t / (1 - b**t),
        ),
    ],
    r"""Where $\rho_t \le 5$ the rate is not adapted at all: RAdam is momentum then. Beyond, steps are shortened by
    the factor $r$ that makes the variance of the rate what it is in the limit (section 4.2 of the paper).""",
)

lion = Proof(
    "Lion: the sign",
    r"""Of all steps with entries of at most 1, which one follows the averaged slope $c$ furthest? Entry by entry $c u
    \le |c|$ for $|u| \le 1$.""",
    [],
    [
        Claim(
            "The sign of $c$ reaches that:",
            c * sd.switch(c, -1, 1, kink="mid"),
            sd.absolute(c, kink="mid"),
        ),
    ],
    r"""It is also what Adam's first step makes of its slope, above, without $\varepsilon$: $g/\sqrt{g^2}$. So every
    entry moves by the learning rate in each step, and the learning rate has to be smaller than Adam's. Lion looks at
    the average with $\beta_1$ and remembers the one with $\beta_2$ (Chen et al. 2023).""",
)

# ── schedules, L-BFGS ────────────────────────────────────────────────────────────────────────────────────────────────


peak, low = sd.symbol("a"), sd.symbol("e")
curve = low + (peak - low) * (1 + sympy.cos(sympy.pi * k)) / 2
schedules = Proof(
    "Schedules are equations of the step",
    r"""A learning rate may be any function of the number $t$ of the step; it is computed once a step, beside the
    update. The cosine goes from $a$ to $e$ while $k = (t - 1)/T$ goes from 0 to 1:""",
    [
        ("As the library has it:", sd.schedules.cosine(0.1, steps=100).equations),
        ("Step: a factor after every 30 steps:", sd.schedules.step(0.1, size=30).equations),
        ("Exponential: a factor in every step:", sd.schedules.exponential(0.1, factor=0.9).equations),
        ("Linear, and the end from then on:", sd.schedules.linear(0.1, end=0.01, steps=100).equations),
        ("Warm-up of 10 steps, in front of any other, here a constant:", sd.schedules.warmup(0.1, steps=10).equations),
        (
            "One cycle: up along one half of a cosine, and down another:",
            sd.schedules.one_cycle(0.1, steps=100).equations,
        ),
        (
            "Reduce on plateau, with how often the validation loss has stopped falling:",
            sd.schedules.plateau(0.1).equations,
        ),
    ],
    [
        Claim(
            "Its slope is that of a sine, 0 at both ends, so that it begins and ends gently:",
            curve.diff(k),
            -sympy.pi * (peak - low) * sympy.sin(sympy.pi * k) / 2,
            called=r"\frac{d}{dk} \left(e + \frac{1}{2} (a - e) (1 + \cos(\pi k))\right)",
        ),
        Claim(
            "and it is as far above the middle before as it is below after:", curve + curve.subs(k, 1 - k), peak + low
        ),
    ],
)


@sd.define
def inverse(s=sd.Input("i"), y=sd.Input("i"), H=sd.Input("i j=i"), rho=sd.Hyper()):
    (i, j) = H.indices
    k = sd.index("k", i.extent)
    p = sd.let("p", 1 - rho * sd.Sum(s[k] * y[k], k))
    z = sd.let("z[i]", p * y[i])
    w = sd.let("w[i]", sd.Sum(H[i, j] * z[j], j))
    q = sd.let("q", sd.Sum(y[j] * w[j], j))
    return sd.let("s_again[i]", w[i] - rho * s[i] * q + s[i] * (1 - p))


@sd.define
def secant(s=sd.Input("i"), y=sd.Input("i"), H=sd.Input("i j=i"), rho=sd.Hyper()):
    (i, j) = H.indices
    k = sd.index("k", i.extent)
    p = sd.let("p", 1 - rho * sd.Sum(s[k] * y[k], k))
    rest = sd.Sum(H[i, j] * y[j], j) - rho * s[i] * sd.Sum(y[j] * sd.Sum(H[j, k] * y[k], k), j) - s[i]
    return sd.let("s_again[i]", s[i] + p * rest)


lbfgs = Proof(
    "L-BFGS: the secant equation",
    r"""Newton's step is $-H \nabla L$ with the inverse $H$ of the Hessian. After a step $s$ that changed the slope by
    $y$, that inverse has to take $y$ to $s$. With $\rho = 1/\sum_k s_k y_k$, the update of BFGS is $H' = (1 - \rho\,
    s y^\top) H (1 - \rho\, y s^\top) + \rho\, s s^\top$. Applied to $y$, from the right: $z = y - \rho\, y\, (s^\top
    y) = p\, y$ with $p = 1 - \rho \sum_k s_k y_k$, and so on.""",
    [("What $H'$ makes of $y$, for any $\\rho$:", inverse)],
    [Claim("It is $s$, and a multiple of $p$, which is 0 for the $\\rho$ of BFGS:", inverse, secant)],
    r"""L-BFGS keeps the last few pairs $s, y$ instead of $H$. The line search is SciPy's, on the compiled value and
    gradient over all rows.""",
)

lessons = [
    momentum,
    nesterov,
    scaled,
    centred,
    adadelta,
    bias,
    decoupled,
    amsgrad,
    nadam,
    radam,
    lion,
    schedules,
    lbfgs,
]
