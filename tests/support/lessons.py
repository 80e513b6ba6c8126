r"""Right statements as lectures and blog posts make them, each group after its definitions.

`claims` are proved; `others` are right as well, and at least never refuted.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Lesson:
    """Definitions, and claims that follow from them.

    Args:
        definitions: LaTeX, in order.
        shapes: of the names that are given, the letters of their axes: "" for a number, "ji" for w_{ji}.
        claims: LaTeX, all right.
        others: right too, of which some are beyond the checker.
        bold: the names are vectors and matrices, as the document says beforehand.
        domain: LaTeX, what holds of the names.
        positive: names that are drawn above 0.
    """

    definitions: tuple[str, ...]
    shapes: dict[str, str]
    claims: tuple[str, ...]
    others: tuple[str, ...] = ()
    bold: bool = False
    domain: tuple[str, ...] = ()
    positive: frozenset[str] = field(default=frozenset())

    @property
    def declared(self) -> tuple[str, ...]:
        """What the document says of names before anything else."""
        if not self.bold:
            return self.domain
        spaces = ((n, r" \times ".join(axes)) for n, axes in self.shapes.items() if axes)
        return (*self.domain, *(rf"\mathbf{{{n}}} \in \mathbb{{R}}^{{{axes}}}" for n, axes in spaces))


SCALARS = (
    Lesson(
        (r"a(x) = \frac{1}{1 + e^{-x}}",),
        {"x": "", "y": ""},
        (
            r"a'(x) = a(x) (1 - a(x))",
            r"a'(x) = \frac{e^{-x}}{(1 + e^{-x})^2}",
            r"a''(x) = a(x) (1 - a(x)) (1 - 2 a(x))",
            r"\frac{da}{dx} = a(x) - a(x)^2",
            r"a(-x) = 1 - a(x)",
            r"a(x) = \frac{1 + \tanh(\frac{x}{2})}{2}",
            r"\frac{d}{dx} \log(1 + e^x) = a(x)",
            r"a(x) = \frac{e^x}{e^x + 1}",
            r"\tanh x = 2 a(2 x) - 1",
            r"a'(-x) = a'(x)",
            r"\log a(x) = -\log(1 + e^{-x})",
            r"\log \frac{a(x)}{1 - a(x)} = x",
            r"a(0) = \frac{1}{2}",
            r"a'(0) = \frac{1}{4}",
            r"\frac{d}{dx} \log a(x) = 1 - a(x)",
        ),
    ),
    Lesson(
        (r"g(x) = x \tanh(\log(1 + e^x))",),
        {"x": "", "y": ""},
        (
            r"g'(x) = \tanh(\log(1 + e^x)) + x (1 - \tanh^2(\log(1 + e^x))) \frac{e^x}{1 + e^x}",
            r"\frac{dg}{dx} = \frac{g(x)}{x} + x (1 - \frac{g(x)^2}{x^2}) \frac{1}{1 + e^{-x}}",
        ),
    ),
    Lesson(
        (r"f(x) = x^3 - 3 x + 1", r"g(x) = \sin(x)"),
        {"x": "", "y": "", "h": ""},
        (
            r"f'(x) = 3 x^2 - 3",
            r"f''(x) = 6 x",
            r"f(2) = 3",
            r"f'(2) = 9",
            r"\frac{d}{dx} f(g(x)) = f'(g(x)) g'(x)",
            r"\frac{d}{dx} (f(x) g(x)) = f'(x) g(x) + f(x) g'(x)",
            r"\frac{d}{dx} \frac{f(x)}{1 + x^2} = \frac{f'(x)(1 + x^2) - 2 x f(x)}{(1 + x^2)^2}",
            r"f(x + h) = f(x) + f'(x) h + \frac{1}{2} f''(x) h^2 + h^3",
            r"\frac{f(x + h) - f(x - h)}{2 h} = f'(x) + h^2",
        ),
    ),
    Lesson(
        (r"f(x, y) = x^2 y + y^3",),
        {"x": "", "y": ""},
        (
            r"\frac{\partial f}{\partial x} = 2 x y",
            r"\frac{\partial f}{\partial y} = x^2 + 3 y^2",
            r"\frac{\partial^2 f}{\partial x^2} = 2 y",
            r"\frac{\partial^2 f}{\partial x \partial y} = 2 x",
            r"f(2, 1) = 5",
        ),
    ),
    Lesson(
        (r"s = w x + b", r"h = \tanh(s)", r"L = \frac{1}{2} (h - t)^2"),
        {"w": "", "x": "", "b": "", "t": ""},
        (
            r"\frac{\partial L}{\partial h} = h - t",
            r"\frac{\partial h}{\partial s} = 1 - h^2",
            r"\frac{\partial L}{\partial s} = (h - t)(1 - h^2)",
            r"\frac{\partial L}{\partial w} = (h - t)(1 - h^2) x",
            r"\frac{\partial L}{\partial b} = (h - t)(1 - h^2)",
            r"\frac{\partial L}{\partial x} = (h - t)(1 - h^2) w",
            r"\frac{\partial L}{\partial t} = t - h",
            r"\frac{\partial L}{\partial w} = \frac{\partial L}{\partial h} \frac{\partial h}{\partial s} x",
        ),
    ),
    Lesson(
        (r"z = w x + b", r"p = \sigma(z)", r"L = -y \log p - (1 - y) \log(1 - p)"),
        {"w": "", "x": "", "b": "", "y": ""},
        (
            r"\frac{\partial L}{\partial p} = \frac{p - y}{p (1 - p)}",
            r"\frac{\partial p}{\partial z} = p (1 - p)",
            r"\frac{\partial L}{\partial z} = p - y",
            r"\frac{\partial L}{\partial w} = (p - y) x",
            r"\frac{\partial L}{\partial b} = p - y",
            r"\frac{\partial^2 L}{\partial w^2} = p (1 - p) x^2",
            r"L = \log(1 + e^z) - y z",
        ),
    ),
    Lesson(
        (),
        {"x": "", "y": ""},
        (
            r"(x + y)^2 = x^2 + 2 x y + y^2",
            r"(x - y)(x + y) = x^2 - y^2",
            r"\frac{d}{dx} (3 x^2 - 4 x + 5) = 6 x - 4",
            r"\frac{d}{dx} \sin(x^2) = 2 x \cos(x^2)",
            r"\sin^2 x + \cos^2 x + y = 1 + y",
            r"\cosh^2 x - \sinh^2 x + x = 1 + x",
            r"\frac{d}{dx} \frac{x}{1 + x^2} = \frac{1 - x^2}{(1 + x^2)^2}",
            r"\frac{d}{dx} e^{-\frac{x^2}{2}} = -x e^{-\frac{x^2}{2}}",
            r"\frac{d^2}{dx^2} e^{3 x} = 9 e^{3 x}",
            r"\log(e^x (1 + y^2)) = x + \log(1 + y^2)",
            r"\max(x, y) = \frac{x + y + |x - y|}{2}",
            r"\sin(x + y) = \sin x \cos y + \cos x \sin y",
            r"\cos(2 x) = 1 - 2 \sin^2 x",
            r"e^{x + y} = e^x e^y",
            r"\frac{d}{dx} \sqrt{1 + x^2} = \frac{x}{\sqrt{1 + x^2}}",
            r"\frac{d}{dx} \tanh x = \frac{1}{\cosh^2 x}",
            r"\frac{\partial}{\partial y} e^{x y} = x e^{x y}",
            r"\max(0, x) - \max(0, -x) = x",
        ),
    ),
    Lesson(
        (),
        {"x": "", "y": ""},
        (
            r"\log(x y) = \log x + \log y",
            r"\frac{d}{dx} x \log x = \log x + 1",
            r"\frac{d}{dx} \frac{1}{x} = -\frac{1}{x^2}",
            r"\sqrt{x^2} = x",
            r"\sqrt{x y} = \sqrt{x} \sqrt{y}",
            r"x^{-2} y^3 = \frac{y^3}{x^2}",
        ),
        domain=("x > 0", "y > 0"),
        positive=frozenset("xy"),
    ),
)

INEQUALITIES = (
    Lesson(
        (),
        {"x": "", "y": ""},
        (),
        (
            r"e^x \ge 1 + x",
            r"x^2 + y^2 \ge 2 x y",
            r"(x + y)^2 \le 2 (x^2 + y^2)",
            r"\tanh x < 1",
            r"\sigma(x) < 1",
            r"\left(\frac{x + y}{2}\right)^2 \le \frac{x^2 + y^2}{2}",
            r"|x + y| \le |x| + |y|",
            r"\max(x, y) \ge \frac{x + y}{2}",
            r"1 - \tanh^2 x \le 1",
            r"\sigma(x) (1 - \sigma(x)) \le \frac{1}{4}",
            r"x \le \log(1 + e^x)",
        ),
    ),
    Lesson(
        (),
        {"x": "", "y": ""},
        (),
        (
            r"\log x \le x - 1",
            r"\sqrt{x y} \le \frac{x + y}{2}",
            r"\frac{x}{1 + x} < 1",
            r"\log(1 + x) < x",
        ),
        domain=("x > 0", "y > 0"),
        positive=frozenset("xy"),
    ),
)

INDEXED = (
    Lesson(
        (r"z_j = \sum_i w_{ji} x_i + b_j", r"h_j = \tanh(z_j)", r"L = \frac{1}{2} \sum_j (h_j - t_j)^2"),
        {"w": "ji", "x": "i", "b": "j", "t": "j"},
        (
            r"\frac{\partial L}{\partial h_j} = h_j - t_j",
            r"\frac{\partial L}{\partial z_j} = (h_j - t_j)(1 - h_j^2)",
            r"\frac{\partial L}{\partial w_{ji}} = (h_j - t_j)(1 - h_j^2) x_i",
            r"\frac{\partial L}{\partial b_j} = (h_j - t_j)(1 - h_j^2)",
            r"\frac{\partial L}{\partial x_i} = \sum_j (h_j - t_j)(1 - h_j^2) w_{ji}",
            r"\frac{\partial L}{\partial t_j} = t_j - h_j",
            r"\frac{\partial h_j}{\partial x_i} = (1 - h_j^2) w_{ji}",
        ),
    ),
    Lesson(
        (r"p_j = \frac{e^{z_j}}{\sum_k e^{z_k}}", r"L = -\sum_j t_j \log p_j"),
        {"z": "j", "t": "j"},
        (
            r"\frac{\partial L}{\partial p_j} = -\frac{t_j}{p_j}",
            r"\frac{\partial L}{\partial z_j} = p_j \sum_k t_k - t_j",
            r"\frac{\partial L}{\partial t_j} = -\log p_j",
            r"L = \log(\sum_k e^{z_k}) \sum_j t_j - \sum_j t_j z_j",
            r"\frac{\partial p_j}{\partial z_k} = p_j (\delta_{jk} - p_k)",
            r"\log p_j = z_j - \log \sum_k e^{z_k}",
        ),
    ),
    Lesson(
        (r"m = \frac{1}{3} \sum_{i=1}^{3} x_i", r"v = \frac{1}{3} \sum_{i=1}^{3} (x_i - m)^2"),
        {"x": "i"},
        (
            r"v = \frac{1}{3} \sum_{i=1}^{3} x_i^2 - m^2",
            r"m = \frac{x_1 + x_2 + x_3}{3}",
        ),
    ),
    Lesson(
        (
            r"\mu = \frac{1}{n} \sum_{i=1}^{n} x_i",
            r"v = \frac{1}{n} \sum_{i=1}^{n} (x_i - \mu)^2",
        ),
        {"x": "n"},
        (
            r"\frac{\partial \mu}{\partial x_i} = \frac{1}{n}",
            r"\frac{\partial v}{\partial x_i} = \frac{2}{n} (x_i - \mu)",
            r"v = \frac{1}{n} \sum_{i=1}^{n} x_i^2 - \mu^2",
            r"\sum_{i=1}^{n} (x_i - \mu) = 0",
        ),
    ),
    Lesson(
        (r"L = \frac{1}{n} \sum_{i=1}^{n} (w x_i + b - y_i)^2",),
        {"x": "n", "y": "n", "w": "", "b": ""},
        (
            r"\frac{\partial L}{\partial w} = \frac{2}{n} \sum_{i=1}^{n} (w x_i + b - y_i) x_i",
            r"\frac{\partial L}{\partial b} = \frac{2}{n} \sum_{i=1}^{n} (w x_i + b - y_i)",
            r"\frac{\partial^2 L}{\partial w^2} = \frac{2}{n} \sum_{i=1}^{n} x_i^2",
            r"\frac{\partial^2 L}{\partial b^2} = 2",
        ),
    ),
    Lesson(
        (),
        {"x": "n"},
        (
            r"\sum_{i=1}^{n} i = \frac{n (n + 1)}{2}",
            r"\sum_{i=1}^{n} (2 x_i + 1) = 2 \sum_{i=1}^{n} x_i + n",
            r"\sum_{i=1}^{4} i^2 = 30",
            r"\prod_{i=1}^{5} i = 120",
            r"\sum_{i=1}^{n} x_i^2 = \sum_{k=1}^{n} x_k^2",
        ),
        (r"\sum_{i=0}^{n-1} 2^i = 2^n - 1",),
    ),
)

MATRICES = (
    Lesson(
        (),
        {"A": "mn", "B": "nd", "C": "mn", "x": "n", "y": "n", "z": "m"},
        (
            r"(\mathbf{A} \mathbf{B})^\top = \mathbf{B}^\top \mathbf{A}^\top",
            r"(\mathbf{A} \mathbf{x})^\top = \mathbf{x}^\top \mathbf{A}^\top",
            r"(\mathbf{z}^\top \mathbf{A})^\top = \mathbf{A}^\top \mathbf{z}",
            r"\mathbf{x}^\top \mathbf{y} = \mathbf{y}^\top \mathbf{x}",
            r"\mathbf{z}^\top \mathbf{A} \mathbf{x} = \mathbf{x}^\top \mathbf{A}^\top \mathbf{z}",
            r"\|\mathbf{A} \mathbf{x}\|^2 = \mathbf{x}^\top \mathbf{A}^\top \mathbf{A} \mathbf{x}",
            r"\|\mathbf{x} - \mathbf{y}\|^2 = \|\mathbf{x}\|^2 - 2 \mathbf{x}^\top \mathbf{y} + \|\mathbf{y}\|^2",
            r"(\mathbf{A} + \mathbf{C}) \mathbf{x} = \mathbf{A} \mathbf{x} + \mathbf{C} \mathbf{x}",
            r"\mathbf{A} \odot \mathbf{C} = \mathbf{C} \odot \mathbf{A}",
            r"\mathbf{x} \odot \mathbf{y} \odot \mathbf{x} = \mathbf{x} \odot \mathbf{x} \odot \mathbf{y}",
            r"\mathbf{x}^\top (\mathbf{y} \odot \mathbf{x}) = (\mathbf{x} \odot \mathbf{x})^\top \mathbf{y}",
            r"\nabla_{\mathbf{x}} \|\mathbf{A} \mathbf{x} - \mathbf{z}\|^2"
            r" = 2 \mathbf{A}^\top (\mathbf{A} \mathbf{x} - \mathbf{z})",
            r"\nabla_{\mathbf{x}} (\mathbf{x}^\top \mathbf{y}) = \mathbf{y}",
            r"\nabla_{\mathbf{A}} (\mathbf{z}^\top \mathbf{A} \mathbf{x}) = \mathbf{z} \mathbf{x}^\top",
            r"(\mathbf{z} \mathbf{x}^\top) \mathbf{y} = \mathbf{z} (\mathbf{x}^\top \mathbf{y})",
        ),
        bold=True,
    ),
    Lesson(
        (
            r"\mathbf{z} = \mathbf{W} \mathbf{x} + \mathbf{b}",
            r"\mathbf{h} = \tanh(\mathbf{z})",
            r"L = \frac{1}{2} \|\mathbf{h} - \mathbf{t}\|^2",
            r"\mathbf{d} = (\mathbf{h} - \mathbf{t}) \odot (1 - \mathbf{h} \odot \mathbf{h})",
        ),
        {"W": "mn", "x": "n", "b": "m", "t": "m"},
        (
            r"\frac{\partial L}{\partial \mathbf{h}} = \mathbf{h} - \mathbf{t}",
            r"\frac{\partial L}{\partial \mathbf{z}}"
            r" = (\mathbf{h} - \mathbf{t}) \odot (1 - \mathbf{h} \odot \mathbf{h})",
            r"\frac{\partial L}{\partial \mathbf{W}} = \mathbf{d} \mathbf{x}^\top",
            r"\frac{\partial L}{\partial \mathbf{b}} = \mathbf{d}",
            r"\frac{\partial L}{\partial \mathbf{x}} = \mathbf{W}^\top \mathbf{d}",
            r"\frac{\partial \mathbf{z}}{\partial \mathbf{x}} = \mathbf{W}",
            r"\nabla_{\mathbf{W}} L = \mathbf{d} \mathbf{x}^\top",
        ),
        bold=True,
    ),
    Lesson(
        (
            r"\mathbf{h} = \sigma(\mathbf{W} \mathbf{x})",
            r"y = \mathbf{v}^\top \mathbf{h}",
            r"L = (y - t)^2",
        ),
        {"W": "mn", "x": "n", "v": "m", "t": ""},
        (
            r"\frac{\partial L}{\partial y} = 2 (y - t)",
            r"\frac{\partial L}{\partial \mathbf{v}} = 2 (y - t) \mathbf{h}",
            r"\frac{\partial L}{\partial \mathbf{h}} = 2 (y - t) \mathbf{v}",
            r"\frac{\partial L}{\partial \mathbf{W}}"
            r" = 2 (y - t) (\mathbf{v} \odot \mathbf{h} \odot (1 - \mathbf{h})) \mathbf{x}^\top",
        ),
        bold=True,
    ),
    Lesson(
        (r"L = \frac{1}{2} \|\mathbf{X} \mathbf{w} - \mathbf{y}\|^2 + \frac{c}{2} \|\mathbf{w}\|^2",),
        {"X": "nd", "w": "d", "y": "n", "c": ""},
        (
            r"\nabla_{\mathbf{w}} L = \mathbf{X}^\top (\mathbf{X} \mathbf{w} - \mathbf{y}) + c \mathbf{w}",
            r"\nabla_{\mathbf{w}} L"
            r" = \mathbf{X}^\top \mathbf{X} \mathbf{w} - \mathbf{X}^\top \mathbf{y} + c \mathbf{w}",
            r"L = \frac{1}{2} (\mathbf{X} \mathbf{w} - \mathbf{y})^\top (\mathbf{X} \mathbf{w} - \mathbf{y})"
            r" + \frac{c}{2} \mathbf{w}^\top \mathbf{w}",
        ),
        bold=True,
    ),
)

WORKED = (
    Lesson(
        (),
        {},
        (
            r"(12 + 34) \cdot 56 = 2576",
            r"0.5 \cdot 1.25 + 2.125 = 2.75",
            r"\frac{22}{7} \approx 3.14",
            r"\frac{1}{1 + e^{-0.755}} \approx 0.680",
            r"\frac{1}{3} \approx 0.333",
            r"\log 2 \approx 0.693",
            r"(10 - 14)^2 = (-4)^2 = 16",
            r"\frac{1}{4} (1 + 9 + 4 + 16) = \frac{30}{4} = 7.5",
            r"\tanh(0.5) \approx 0.4621",
            r"e^{-1.5} \approx 0.223",
            r"0.15 \cdot 0.05 + 0.2 \cdot 0.1 + 0.35 = 0.3775",
            r"\frac{1}{2} (0.01 - 0.7514)^2 \approx 0.2748",
            r"2^{10} = 1024",
            r"\sqrt{2} \approx 1.4142",
            r"-\log 0.7 \approx 0.357",
        ),
    ),
    Lesson(
        (r"w = 0.5", r"x = 2", r"b = -0.3", r"t = 1", r"s = w x + b", r"L = (s - t)^2"),
        {},
        (
            r"s = 0.5 \cdot 2 - 0.3 = 0.7",
            r"L = (0.7 - 1)^2 = 0.09",
            r"\frac{\partial L}{\partial s} = 2 (s - t) = 2 (0.7 - 1) = -0.6",
            r"\frac{\partial L}{\partial w} = 2 (s - t) x = -1.2",
            r"\frac{\partial L}{\partial b} = 2 (s - t) = -0.6",
            r"w - 0.1 \cdot \frac{\partial L}{\partial w} = 0.62",
            r"w x = 1",
        ),
    ),
)

LESSONS = (*SCALARS, *INEQUALITIES, *INDEXED, *MATRICES, *WORKED)
