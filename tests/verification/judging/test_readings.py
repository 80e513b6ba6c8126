"""What is understood of a document: a right statement and a wrong one beside it, for each kind of notation."""

from __future__ import annotations

import pytest

from symdl.verification.documents import read_text
from symdl.verification.judging.judge import judge


def last(text: str) -> str:
    """The verdict on the last formula of a document."""
    return [str(judged.status) for _, judged in judge(read_text(text, "markdown"))][-1]


MASKED = r"""
$$ S_t = \sum_{s \le t} e^{z_{ts}} $$
$$ y = \sum_t S_t v_t $$
with $t, s = 0, \dots, T - 1$. Then
"""
WINDOW = r"""
$$ y_u = \sum_{\substack{r \\ 0 \le 2u + r - 1 < H}} K_r x_{2u+r-1} $$
$$ L = \sum_u g_u y_u $$
where $h = 0, \dots, H - 1$ and $r = 0, \dots, R - 1$. Then
"""
LABELS = r"""
$$ L = \sum_n \log \sum_k e^{z_{nk}} - \sum_n z_{n,c_n} $$
where $n = 1, \dots, N$ and $k = 1, \dots, K$. Then
"""
HINGE = r"""
$$ L_i = \sum_{j \neq y_i} s_{ij}^2 $$
"""
BATCH = r"""
$$ m = \frac{1}{|\mathcal{B}|} \sum_{i \in \mathcal{B}} x_i $$
"""


@pytest.mark.parametrize(
    ("before", "claim", "status"),
    [
        (MASKED, r"\frac{\partial y}{\partial z_{ts}} = [s \le t] v_t e^{z_{ts}}", "proved"),
        (MASKED, r"\frac{\partial y}{\partial z_{ts}} = [s < t] v_t e^{z_{ts}}", "refuted"),
        (MASKED, r"\frac{\partial y}{\partial z_{ts}} = v_t e^{z_{ts}}", "refuted"),
        (WINDOW, r"\frac{\partial L}{\partial x_h} = \sum_{u,r:\, 2u+r-1 = h} g_u K_r", "proved"),
        (WINDOW, r"\frac{\partial L}{\partial x_h} = \sum_{u,r:\, 2u+r = h} g_u K_r", "refuted"),
        (
            LABELS,
            r"\frac{\partial L}{\partial z_{nk}} = \frac{e^{z_{nk}}}{\sum_{k'} e^{z_{nk'}}} - [c_n = k]",
            "proved",
        ),
        (
            LABELS,
            r"\frac{\partial L}{\partial z_{nk}} = \frac{e^{z_{nk}}}{\sum_{k'} e^{z_{nk'}}} + [c_n = k]",
            "refuted",
        ),
        (HINGE, r"L_i + s_{i,y_i}^2 = \sum_j s_{ij}^2", "consistent"),
        (HINGE, r"L_i + s_{i,y_i} = \sum_j s_{ij}^2", "undecided"),
        (BATCH, r"\sum_{i \in \mathcal{B}} (x_i - m) = 0", "proved"),
        (BATCH, r"\sum_{i \in \mathcal{B}} (x_i + a) = |\mathcal{B}| (m + a)", "proved"),
        (BATCH, r"\sum_{i \in \mathcal{B}} (x_i + a) = |\mathcal{B}| m + a", "refuted"),
    ],
)
def test_conditions_below_sums(before, claim, status):
    assert last(f"{before}\n$$ {claim} $$\n") == status


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (r"\sum_{t=1}^{3} \sum_{s=1}^{t} s = 10", "proved"),
        (r"\sum_{t=1}^{3} \sum_{s=1}^{t} s = 12", "refuted"),
        (r"[1 = 1] \cdot 5 + [0 = 1] \cdot 6 = 5", "proved"),
        (r"[1 = 1] \cdot 5 + [0 = 1] \cdot 6 = 11", "refuted"),
        (r"\lfloor 7/2 \rfloor = 3", "proved"),
        (r"\lceil 7/2 \rceil = 3", "refuted"),
    ],
)
def test_conditions_on_numbers(claim, status):
    assert last(f"$$ {claim} $$\n") == status


SOFTMAX = r"""
## Softmax

$$ S_n = \sum_k e^{z_{nk}} $$
$$ p_{nk} = \frac{e^{z_{nk}}}{S_n} $$
$$ L = \sum_{n,k} g_{nk} p_{nk} $$

where $n = 0, \dots, N - 1$ and $k = 0, \dots, K - 1$. Backwards

$$ \bar p_{nk} = \frac{\partial L}{\partial p_{nk}} $$
$$ \bar S_n = \frac{\partial L}{\partial S_n} $$
"""
STATE = r"""
## A state

$$ b_{tk} = \delta_{0t} h^{(0)}_k + [t \ge 1] h_{t-1,k} $$
$$ s_{tj} = \sum_k U_{jk} b_{tk} + x_{tj} $$
$$ h_{tj} = \tanh(s_{tj}) $$
$$ L = \sum_{t,j} g_{tj} h_{tj} $$

where $t = 0, \dots, T - 1$ and $j, k = 0, \dots, J - 1$. With $\bar h_{tj} = \frac{\partial L}{\partial h_{tj}}$,
$\bar b_{tk} = \frac{\partial L}{\partial b_{tk}}$ and $\bar s_{tj} = \frac{\partial L}{\partial s_{tj}}$ we have
"""


@pytest.mark.parametrize(
    ("before", "claim", "right"),
    [
        (
            SOFTMAX,
            r"\frac{\partial L}{\partial z_{nk}} = \bar p_{nk} \frac{\partial p_{nk}}{\partial z_{nk}}"
            r" + \bar S_n \frac{\partial S_n}{\partial z_{nk}}",
            True,
        ),
        (
            SOFTMAX,
            r"\frac{\partial L}{\partial z_{nk}} = \bar p_{nk} \frac{\partial p_{nk}}{\partial z_{nk}}"
            r" - \bar S_n \frac{\partial S_n}{\partial z_{nk}}",
            False,
        ),
        (SOFTMAX, r"\bar S_n = -\frac{1}{S_n} \sum_k \bar p_{nk} p_{nk}", True),
        (STATE, r"\frac{\partial L}{\partial U_{jk}} = \sum_t \bar s_{tj} b_{tk}", True),
        (STATE, r"\frac{\partial L}{\partial U_{jk}} = \sum_t \bar s_{tj} h_{tk}", False),
        (STATE, r"\frac{\partial L}{\partial s_{tj}} = (1 - h_{tj}^2) \bar h_{tj}", True),
        (STATE, r"\frac{\partial L}{\partial s_{tj}} = (1 - h_{tj}) \bar h_{tj}", False),
        (STATE, r"\frac{\partial L}{\partial h_{tj}} = g_{tj} + [t < T - 1] \bar b_{t+1,j}", True),
        (STATE, r"\frac{\partial L}{\partial h_{tj}} = [t < T - 1] \bar b_{t+1,j}", False),
        (STATE, r"\frac{\partial L}{\partial h^{(0)}_k} = \bar b_{0k}", True),
        (STATE, r"\frac{\partial L}{\partial h^{(0)}_k} = \sum_t \bar b_{tk}", False),
    ],
)
def test_slopes_that_have_names(before, claim, right):
    """Backpropagation, also through time: ∂v/∂u is what u does in the formula of v alone."""
    found = last(f"{before}\n$$ {claim} $$\n")
    assert found == "proved" if right else found not in ("proved", "consistent")


def test_a_result_is_judged_by_what_its_name_stands_for():
    result = SOFTMAX + "\n### Result\n\n$$ {} $$\n"
    assert last(result.replace("{}", r"\bar S_n = -\frac{1}{S_n} \sum_k \bar p_{nk} p_{nk}")) == "proved"
    assert last(result.replace("{}", r"\bar S_n = \frac{1}{S_n} \sum_k \bar p_{nk} p_{nk}")) != "proved"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (r"$$ \frac{\pi}{2} = 1.5707\ldots $$", "proved"),
        (r"$$ \frac{\pi}{2} = 1.5709\ldots $$", "refuted"),
        (r"$$ \frac{d}{ds} \operatorname{ELU}(s, \alpha) = \alpha e^s $$ for $s < 0$", "definition"),
        (r"$$ \operatorname{hardtanh}(2, -1, 1) = 1 $$", "proved"),
        (r"$$ \operatorname{clip}(-3, -1, 1) = -1 $$", "proved"),
        (r"$$ \operatorname{clip}(-3, -1, 1) = 1 $$", "refuted"),
        (r"$$ \operatorname{LReLU}(-2, \alpha) + 2 \alpha = \operatorname{LReLU}(0, \alpha) $$", "proved"),
        (r"$$ \operatorname{LReLU}(-2, \alpha) - 2 \alpha = \operatorname{LReLU}(0, \alpha) $$", "refuted"),
        (r"With $u' = \mu u - \eta g$ the next point is $p' = p + u'$, so $p' = p + \mu u - \eta g$.", "proved"),
        (r"With $u' = \mu u - \eta g$ the next point is $p' = p + u'$, so $p' - p = \mu u + \eta g$.", "refuted"),
        (r"Let $\delta = 2$. Then $\sum_{i=1}^{3} \delta_{ij} x_i = x_j$ for $j = 1, \dots, 3$", "definition"),
        (r"With $\lambda = 0.5$ the kink is at $s - \lambda = 0$.", "definition"),
        (r"With $\lambda = 0.5$ and $s = 0.5$ we have $s - \lambda = 0.1$.", "refuted"),
    ],
)
def test_notations(text, status):
    assert last(text) == status


def test_slopes_of_what_is_defined_anew_are_forgotten():
    anew = r"""
Now let $L = \sum_{n,k} p_{nk}^2$. Then

$$ \frac{\partial L}{\partial z_{nk}} = \bar p_{nk} \frac{\partial p_{nk}}{\partial z_{nk}}
 + \bar S_n \frac{\partial S_n}{\partial z_{nk}} $$
"""
    assert last(SOFTMAX + anew) not in ("proved", "consistent")


@pytest.mark.parametrize(("claim", "status"), [("y_n", "proved"), ("y_{n+1}", "refuted")])
def test_indices_begin_where_their_range_is_said_to(claim, status):
    before = r"With $n = 0, \dots, N - 1$, where $y_1$ is the second one, $\sum_{n'} \delta_{nn'} y_{n'}"
    assert last(f"{before} = {claim}$.") == status
