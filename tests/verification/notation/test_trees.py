r"""What each notation is read as. The expected trees are written by hand (see tests/support/shapes.py)."""

from __future__ import annotations

import pytest
from support.shapes import shape

from symdl.verification.notation import UnreadError, parse, unicode

READ = {
    # names, scripts, accents, typefaces
    r"w_0": "(_ w 0)",
    r"W_{ji}": "(_ W (* j i))",
    r"x_{n,t}": "(_ x (, n t))",
    r"x^23": "(* (^ x 2) 3)",
    r"A^\top": "(^ A ⊤)",
    r"A^T": "(^ A T)",
    r"w^*": "(^ w *)",
    r"a^{(l)}_{jk}": "(_^ a (* j k) (() l))",
    r"\hat{y}_i": "(_ hat:y i)",
    r"\hat{y_i}": "(_ hat:y i)",
    r"\overline{x+y}": "(bar (sum + x + y))",
    r"\mathbf{W}^{(2)}": "(^ bf:W (() 2))",
    r"\mathbf{W x}": "(* bf:W bf:x)",
    r"\boldsymbol\theta": "bf:θ",
    r"\mathbb{R}^{m \times d}": "(^ bb:R (* m × d))",
    r"n_{\rm in}": "(_ n rm:in)",
    r"n_\text{in}": "(_ n rm:in)",
    r"n_{in}": "(_ n it:in)",
    r"l_{padding}": "(_ l it:padding)",
    r"f'_a": "(_ f' a)",
    r"f''(x)": "(* f'' (() x))",
    r"x^\prime": "x'",
    r"tanh^{'}(z)": "(call rm:tanh' (() z))",
    r"{W^{(2)}}^\top": "(^ (^ W (() 2)) ⊤)",
    r"w_{y_i}^T x": "(* (_^ w (_ y i) T) x)",
    r"x₁w₁ + θ²": "(sum + (* (_ x 1) (_ w 1)) + (^ θ 2))",
    r"x1 + w10": "(sum + (_ x 1) + (_ w 10))",
    r"W_{:,:c,d}": "(_ W (:,:, ∅ ∅ ∅ c d))",
    r"\mathrm{learning\_rate}": "rm:learning_rate",
    # figures
    r"0.730": "0.730",
    r"1e-3": "1e-3",
    r"3.57\%": "(percent 3.57)",
    r"60{,}000": "60000",
    r"60,000": "60000",
    r"[1,100]": "([] (, 1 100))",
    # sums, products, fractions
    r"-x + y \pm 2": "(sum - x + y ± 2)",
    r"2 \cdot -3": "(* 2 · (sum - 3))",
    r"a \odot b c": "(* a ⊙ b c)",
    r"\frac12 x": "(* (/ 1 2) x)",
    r"\frac{a}{b}c": "(* (/ a b) c)",
    r"{a \over b}c": "(* (/ a b) c)",
    r"a/b c": "(* (// a b) c)",
    r"ab/c": "(// (* a b) c)",
    r"a \cdot b/c": "(* a · (// b c))",
    r"1/(1+e^{-x})": "(// 1 (() (sum + 1 + (^ e (sum - x)))))",
    r"1/n (x+y)": "(* (// 1 n) (() (sum + x + y)))",
    r"1/f(x)": "(// 1 (* f (() x)))",
    r"k!/n!": "(// (factorial k) (factorial n))",
    r"\sqrt[3]{x} + \sqrt2": "(sum + (root x 3) + (root 2))",
    r"\binom{n}{k}": "(binomial n k)",
    r"{a+b}c": "(sum + a + (* b c))",
    r"f(x; W, b)": "(* f (() (;, x W b)))",
    r"\sigma(z)(1-\sigma(z))": "(* σ (() z) (() (sum + 1 - (* σ (() z)))))",
    # named operators
    r"\log x y": "(call rm:log (* x y))",
    r"\log x + y": "(sum + (call rm:log x) + y)",
    r"\log x \cdot y": "(* (call rm:log x) · y)",
    r"\sin x \cos y": "(* (call rm:sin x) (call rm:cos y))",
    r"\log_2 x": "(call (_ rm:log 2) x)",
    r"\sin^2 x": "(call (^ rm:sin 2) x)",
    r"y \ln a + (1-y)\ln(1-a)": "(sum + (* y (call rm:ln a)) + (* (() (sum + 1 - y)) (call rm:ln (() (sum + 1 - a)))))",
    r"\max(0, x)^2": "(^ (call rm:max (() (, 0 x))) 2)",
    r"\log \frac{1}{P(j)}": "(call rm:log (/ 1 (* P (() j))))",
    r"exp(-z)": "(call rm:exp (() (sum - z)))",
    r"ReLU(z^l)": "(call rm:ReLU (() (^ z l)))",
    r"\operatorname{softmax}(o)_j": "(_ (call rm:softmax (() o)) j)",
    r"\mathbb{1}(x \ge y)": "(call bb:1 (() (chain x ≥ y)))",
    r"-\log\left(\frac{a}{b}\right)": "(sum - (call rm:log (() (/ a b))))",
    # big operators
    r"\sum_{i=1}^n x_i^2 y_i - 1": "(sum + (sum (chain i = 1) n (* (_^ x i 2) (_ y i))) - 1)",
    r"\sum_i \log \sum_j e^{z_j}": "(sum i - (call rm:log (sum j - (^ e (_ z j)))))",
    r"\sum_j - P(j)": "(sum j - (sum - (* P (() j))))",
    r"\max_j s_j": "(max j - (_ s j))",
    r"\operatorname*{argmax}_j o_j": "(argmax j - (_ o j))",
    r"\arg\min_w L(w)": "(argmin w - (* L (() w)))",
    r"\sum_{\substack{i \ne j \\ k > 0}} a": "(sum (, (chain i ≠ j) (chain k > 0)) - a)",
    r"\lim_{h \to 0} \frac{f(h)}{h}": "(lim (chain h → 0) - (/ (* f (() h)) h))",
    r"\mathbb{E}_{x \sim p}[f(x)] + 1": "(sum + (E (chain x ∼ p) - ([] (* f (() x)))) + 1)",
    r"\sum_{j \ne y_i} \left[ a \right] b": "(sum (chain j ≠ (_ y i)) - (* ([] a) b))",
    # derivatives
    r"\frac{\partial^2 L}{\partial w_i \partial w_j}": "(∂/∂ L (_ w i) (_ w j))",
    r"\frac{d^2 f}{dx^2}": "(d/d f x×2)",
    r"\frac{d}{dx} x^2 + 1": "(sum + (d/d (^ x 2) x) + 1)",
    r"\frac{d}{dx} (x+1) y": "(* (d/d (() (sum + x + 1)) x) y)",
    r"\frac{dg}{dh}(h(x))": "(* (d/d g h) (() (* h (() x))))",
    r"\eta \partial C/\partial w": "(* η (∂/∂ C w))",
    r"\partial^2 C/\partial w_j\partial w_k": "(∂/∂ C (_ w j) (_ w k))",
    r"dL/dw": "(d/d L w)",
    r"\frac{\mathrm{d}y}{\mathrm{d}x}": "(d/d y x)",
    r"\partial_{o_j} l(y)": "(∂/∂_ (* l (() y)) (_ o j))",
    r"\frac{dL}{dw}\big|_{w=0}": "(evaluated (d/d L w) (chain w = 0))",
    r"\left. f(x) \right|_{x=0}": "(evaluated (* f (() x)) (chain x = 0))",
    r"2 f(x)|_{x=0}": "(* 2 (evaluated (* f (() x)) (chain x = 0)))",
    r"\frac{\sqrt{d}}{d_k}": "(/ (root d) (_ d k))",
    r"\nabla_w L(w) \cdot v": "(* (∇ (* L (() w)) w) · v)",
    r"\nabla^2 f": "(∇∇ f)",
    r"\Delta w": "(* Δ w)",
    # bars
    r"|x| + |y|": "(sum + (abs x) + (abs y))",
    r"2|x|y": "(* 2 (abs x) y)",
    r"|x||y|": "(* (abs x) (abs y))",
    r"||x||^2": "(^ (norm x) 2)",
    r"\|W x - y\|_2^2": "(_^ (norm (sum + (* W x) - y)) 2 2)",
    r"p(y|x)": "(* p (() (| y x)))",
    r"P(y = 1 \mid x; w)": "(* P (() (|; (chain y = 1) x w)))",
    r"f(\cdot | x)": "(* f (() (| · x)))",
    r"D(p \| q)": "(* D (() (‖ p q)))",
    r"\mid f \mid < 1": "(chain (abs f) < 1)",
    r"\{x \mid |x| < 1\}": "({} (| x (chain (abs x) < 1)))",
    r"\lfloor x \rfloor": "(floor x)",
    # relations and claims
    r"a = b \approx 3.2": "(chain a = b ≈ 3.2)",
    r"= b": "(chain ∅ = b)",
    r"w \leftarrow w - \eta g": "(chain w ← (sum + w - (* η g)))",
    r"i = 1, \ldots, n": "(chain i = (,, 1 … n))",
    r"a, b > 0": "(chain (, a b) > 0)",
    r"x_1, \ldots, x_n": "(,, (_ x 1) … (_ x n))",
    r"a = 1, b = 2.": "(claims (chain a = 1) , (chain b = 2))",
    r"a = 1 \quad b = 2": "(claims (chain a = 1) ⎵ (chain b = 2))",
    r"a = 1 \text{ and } b = 2": "(claims (chain a = 1) and (chain b = 2))",
    r"y = 1, \quad \text{for } x > 0": "(claims (chain y = 1) for (chain x > 0))",
    r"f(x) = x \quad \rightarrow \quad f' = 1": "(claims (chain (* f (() x)) = x) → (chain f' = 1))",
    r"a = b \implies c = d": "(claims (chain a = b) ⇒ (chain c = d))",
    r"f: X \to Y": "(chain f : X → Y)",
    r"x \not\in S": "(chain x ∉ S)",
    r"a = b \quad (3)": "(chain a = b)",
    r"a \quad = b": "(chain a = b)",
    r"1 + \gamma + \ldots, = c": "(chain (sum + 1 + γ + …) = c)",
    r"x = 1 \text{ with gradient } g = 2": "(claims (chain x = 1) ⎵ “with gradient” ⎵ (chain g = 2))",
    r"H \stackrel{\text{def}}{=} 3": "(chain H := 3)",
    r"x \overset{iid}{\sim} p": "(chain x ∼ p)",
    # what people type who know other notations
    r"net_{h1} = w_1 * i_1": "(chain (_ it:net (_ h 1)) = (* (_ w 1) * (_ i 1)))",
    r"sum(x) + dot(w, x)": "(sum + (call rm:sum (() x)) + (call rm:dot (() (, w x))))",
    r"a^{<t>} + a^{[1]T}": "(sum + (^ a (⟨⟩ t)) + (^ a (* ([] 1) T)))",
    r"\eta = 0{,}5": "(chain η = 0.5)",
    r"\left<x, y\right>": "(⟨⟩ (, x y))",
    r"\mathop{\mathbb{E}}_{x}[y]": "(E x - ([] y))",
    r"3.57% < 5.1%": "(chain (percent 3.57) < (percent 5.1))",
    r"28x28": "(* 28 × 28)",
    r"2x1 + 3x2": "(sum + (* 2 (_ x 1)) + (* 3 (_ x 2)))",
    r"\frac{TP}{TP + FN}": "(/ it:TP (sum + it:TP + it:FN))",
    r"\mathbb{E} X": "(E - - X)",
    r"(\mathbb{E}[X])^2": "(^ (() (E - - ([] X))) 2)",
    r"\abs{x} + \norm{y}": "(sum + (abs x) + (norm y))",
    # environments
    r"\left\{ \begin{array}{ll} x & x > 0 \\ 0 & \text{otherwise} \end{array} \right.": (
        "(cases (row x (chain x > 0)) (row 0 -))"
    ),
    r"\begin{bmatrix} a & b \\ c & d \\ \end{bmatrix} x": "(* (bmatrix (row a b) (row c d)) x)",
    r"\begin{cases} 1 & \text{if } x > 0 \\0 & \text{otherwise}\end{cases}": "(cases (row 1 (chain x > 0)) (row 0 -))",
    r"\begin{cases} x, & x > 0, \\ 0, & \text{else.} \end{cases}": "(cases (row x (chain x > 0)) (row 0 -))",
    r"\begin{align} a &= b + \\ & c \\ &= d \end{align}": "(claims (chain a = (sum + b + c)) ↵ (chain ∅ = d))",
    r"\left( a + \right. \\ \left. b \right)": "(() (sum + a + b))",
    r"\underbrace{a + b}_{\text{data loss}} + c": "(sum + (underbrace (sum + a + b) “data loss”) + c)",
    r"\boxed{x = 3}": "(boxed (chain x = 3) -)",
    r"y \in \\{ -1, 1 \\}": "(chain y ∈ ({} (, (sum - 1) 1)))",
    r"x \in [0, 1)": "(chain x ∈ ([) (, 0 1)))",
    r"f(\cdot, x)": "(* f (() (, · x)))",
}

REFUSED = {
    r"\frac{a}{": "end",
    r"a + ": "+",
    r"a = = b": "=",
    r"(a": "end",
    r"a)": ")",
    r"\foo": r"\foo",
    r"x^2^3": "^",
    r"2 3": "figures",
    r"\log - x": "-",
    r"\frac{d^n f}{dx^m}": "d",
    r"\frac{d^{n+1} f}{dx^{n+1}}": "d",
    r"\left( a \right|": "|",
    r"a \over b \over c": r"\over",
    r"* b": "*",
    r"x | ": "|",
    r"$x$": "$",
    r"\begin{tikzpicture} x \end{tikzpicture}": r"\begin{tikzpicture}",
}


@pytest.mark.parametrize("formula", READ, ids=str)
def test_a_notation_is_read_as_people_mean_it(formula: str) -> None:
    assert shape(parse(formula)) == READ[formula]


@pytest.mark.parametrize("formula", REFUSED, ids=str)
def test_what_has_no_reading_is_refused_with_its_place(formula: str) -> None:
    with pytest.raises(UnreadError) as caught:
        parse(formula)
    assert caught.value.construct == REFUSED[formula]
    assert 0 <= caught.value.column <= len(formula)


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        (r"w_0 = 2", "w₀ = 2"),
        (r"\frac{\partial L}{\partial w} = 2 x_i", "∂L/∂w = 2xᵢ"),
        (r"\sum_{i=1}^n \hat{y}_i^2", "∑ᵢ₌₁ⁿ ŷᵢ²"),
        (r"\frac{d^n f}{dx^n} = \frac{\partial^k}{\partial x^k} g(x)", "dⁿf/dxⁿ = ∂ᵏg(x)/∂xᵏ"),
        (r"\mathbf{x}^\top \mathbf{w} - \frac{a+b}{2c}", "𝐱ᵀ𝐰 − (a + b)/(2c)"),
        (r"\sigma'(z^{(l)}) \odot \delta", "σ′(z⁽ˡ⁾) ⊙ δ"),
        (r"\max(0, x) \le |x|", "max(0, x) ≤ |x|"),
    ],
)
def test_a_tree_on_one_line_is_what_people_read(formula: str, line: str) -> None:
    assert unicode(parse(formula)) == line


def test_places_are_those_of_the_text() -> None:
    text = r"\frac{a_1}{b} = \sigma(z)"
    left, right = parse(text).sides
    assert text[left.start : left.end] == r"\frac{a_1}{b}"
    assert text[left.over.start : left.over.end] == "a_1"
    assert text[right.start : right.end] == r"\sigma(z)"
