r"""Linear layers: products, tables and low rank.

What is linear in its parameters has the simplest gradients there are: the slope of the output times what the parameter
was multiplied by. The dense layer has an entry of its own (dense_network).
"""

import symdl as sd
from derivations.lesson import Lesson


def bilinear(x, z, A, y_bar):
    (n, i), (_, j), (k, _, _) = x.indices, z.indices, A.indices
    return (
        sd.let("x_bar[n,i]", sd.Sum(y_bar[n, k] * A[k, i, j] * z[n, j], k, j)),
        sd.let("z_bar[n,j]", sd.Sum(y_bar[n, k] * A[k, i, j] * x[n, i], k, i)),
        sd.let("A_bar[k,i,j]", sd.Sum(y_bar[n, k] * x[n, i] * z[n, j], n)),
    )


def embedding(tok, E, y_bar):
    (n, t), (v, d) = tok.indices, E.indices
    return sd.let("E_bar[v,d]", sd.Sum(y_bar[n, t, d] * sd.delta(v, tok[n, t]), n, t))


def lora(x, A, B, alpha, y_bar):
    (n, i), (r, _), (j, _) = x.indices, A.indices, B.indices
    scale = alpha / r.extent
    G = sd.let("G[n,r]", sd.Sum(B[j, r] * y_bar[n, j], j))
    H = sd.let("H[n,r]", sd.Sum(A[r, i] * x[n, i], i))
    return (
        sd.let("A_bar[r,i]", scale * sd.Sum(G[n, r] * x[n, i], n)),
        sd.let("B_bar[j,r]", scale * sd.Sum(y_bar[n, j] * H[n, r], n)),
    )


lessons = [
    Lesson(
        "A bilinear layer",
        sd.definition("bilinear", bias=False),
        "Two inputs, multiplied with each other and with a weight for each pair; each of the three sees the other two.",
        wrt=["x", "z", "A"],
        closed=bilinear,
        closed_words="Cross one factor out of the product and put the slope of the output in its place.",
        values={"x": [[1, 2]], "z": [[3]], "A": [[[1], [-1]]], "y_bar": [[2]]},
    ),
    Lesson(
        "An embedding",
        sd.definition("embedding"),
        r"""The integer $\mathrm{tok}_{nt}$ chooses a row of the table $E$. Integers have no slope; the table has one,
        and only in the rows that were chosen.""",
        closed=embedding,
        closed_words=r"""Every place of the text adds its slope to the row that it read; a row that nobody read gets
        0.""",
        values={"tok": [[1, 0, 1]], "E": [[1], [2], [3]], "y_bar": [[[5], [6], [7]]]},
    ),
    Lesson(
        "A low-rank update (LoRA)",
        sd.definition("lora", bias=False),
        r"""The weight $W$ is frozen, so it counts as data; learned are $A$ and $B$, of rank $R$ (Hu et al. 2021).""",
        closed=lora,
        closed_words=r"""Both gradients go through the $R$ numbers in between and never make a matrix of the size of
        $W$: $G$ is the slope by them, $H$ their value. At the start $B = 0$, so $\bar{A} = 0$ and $B$ moves first.""",
    ),
]
