r"""Recurrent layers: backpropagation through time.

The state at time $t$ is made from the state at $t - 1$. The chain rule needs no new idea for that: what was read at
$t - 1$ sends its slope back from $t + 1$, so the slopes form a recurrence of their own that runs from the last time to
the first.
"""

import symdl as sd
from derivations.lesson import Lesson


def elman(x, h, h_before, U, h_bar):
    (n, t, j), (_, _, i), (_, k) = h.indices, x.indices, U.indices
    d = sd.state("d[n,t,j]", backwards=True)
    later = sd.Sum(U[k, j] * d[n, t + 1, k] * sd.in_range(t + 1, t.extent), k)
    H = sd.let("H[n,t,j]", h_bar[n, t, j] + later)
    d = sd.let("d[n,t,j]", (1 - h[n, t, j] ** 2) * H[n, t, j])
    return (
        sd.let("W_bar[j,i]", sd.Sum(d[n, t, j] * x[n, t, i], n, t)),
        sd.let("U_bar[j,k]", sd.Sum(d[n, t, j] * h_before[n, t, k], n, t)),
        sd.let("b_bar[j]", sd.Sum(d[n, t, j], n, t)),
        sd.let("h0_bar[n,k]", sd.Sum(U[j, k] * d[n, 0, j], j)),
    )


def lstm(x, g_i, g_f, g_o, g_c, c_before, c_tanh, h_before, U_i, U_f, U_o, U_c, h_bar):
    (n, t, j), (_, _, i), (_, k) = g_i.indices, x.indices, U_i.indices
    at, later = (n, t, j), sd.in_range(t + 1, t.extent)
    d = {gate: sd.state(f"d_{gate}[n,t,j]", backwards=True) for gate in "ifoc"}
    C = sd.state("C[n,t,j]", backwards=True)
    back = sum(
        sd.Sum(u[k, j] * d[g][n, t + 1, k] * later, k) for g, u in zip("ifoc", (U_i, U_f, U_o, U_c), strict=True)
    )
    H = sd.let("H[n,t,j]", h_bar[at] + back)
    C = sd.let("C[n,t,j]", H[at] * g_o[at] * (1 - c_tanh[at] ** 2) + C[n, t + 1, j] * g_f[n, t + 1, j] * later)
    d = {
        "i": sd.let("d_i[n,t,j]", C[at] * g_c[at] * g_i[at] * (1 - g_i[at])),
        "f": sd.let("d_f[n,t,j]", C[at] * c_before[at] * g_f[at] * (1 - g_f[at])),
        "o": sd.let("d_o[n,t,j]", H[at] * c_tanh[at] * g_o[at] * (1 - g_o[at])),
        "c": sd.let("d_c[n,t,j]", C[at] * g_i[at] * (1 - g_c[at] ** 2)),
    }
    W_bar = [sd.let(f"W_{g}_bar[j,i]", sd.Sum(d[g][at] * x[n, t, i], n, t)) for g in d]
    return *W_bar, *[sd.let(f"U_{g}_bar[j,k]", sd.Sum(d[g][at] * h_before[n, t, k], n, t)) for g in d]


lessons = [
    Lesson(
        "Elman's network",
        sd.definition("elman"),
        r"""$\bar{h}^{(L)}_{ntj}$ is what the loss says of the state at time $t$ directly; $\bar{h}_{ntj}$ is that and
        what comes back from later times.""",
        wrt=["h0", "W", "U", "b"],
        closed=elman,
        closed_words=r"""$H$ is the slope by the state, $d$ that by what goes into the tanh (Werbos 1990). Every step
        back multiplies by $U^\top$ and by $1 - h^2 \le 1$, which is why the slope fades over many times, or grows.""",
        small={"n": 1, "t": 2, "i": 1, "j": 1},
        values={
            "x": [[[1], [1]]],
            "h0": [[0]],
            "W": [["1/2"]],
            "U": [[1]],
            "b": [0],
            "h_bar": [[[0], [1]]],
        },
    ),
    Lesson(
        "LSTM",
        sd.definition("lstm", bias=False),
        r"""Gates $g^{(i)}$ (input), $g^{(f)}$ (forget) and $g^{(o)}$ (output), the candidate $g^{(c)}$, the cell $c$.
        The way from $c_{t+1}$ back to $c_t$ has the forget gate as its only factor: no weight, and no slope of a
        tanh. Shown are the steps of one gate; those of the others differ by letters.""",
        closed=lstm,
        closed_words=r"""$H$ and $C$ are the slopes by state and cell at time $t$, $d^{(g)}$ the slopes by the sums of
        the four gates (Greff et al. 2017, section II.C, without peepholes).""",
        small=None,
        steps=["h", "c_tanh", "c", "g_f", "s_f", "s_c", "c_before", "h_before", "U_f"],
        matrix=False,
    ),
]
