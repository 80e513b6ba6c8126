r"""Texts that a checker may be given: bytes, signs, pieces of formulas, and formulas made from a grammar.

Everything is drawn from a `random.Random`, so that a text is found again by its seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable


def apart(text: str) -> list[str]:
    """The parts of a table, between two spaces or on lines of their own."""
    return [part.strip() for line in text.splitlines() for part in line.split("  ") if part.strip()]


#: Pieces that meet in formulas, and pieces that break them.
PIECES = apart(r"""
    \frac  \sqrt  \sum  \prod  \max  \log  \sin  \exp  \nabla  \partial  \hat  \mathbf  \mathrm  \text
    \operatorname  \left  \right  \big  \begin{cases}  \end{cases}  \begin{pmatrix}  \end{pmatrix}  \underbrace
    \quad  \cdot  \odot  \times  \le  \in  \to  \implies  \mid  \|  \{  \}  \langle  \rangle  \theta  \alpha  \infty
    \ldots  \top  \prime  \\  \,  \;  \not  \over  \bf  \overset  \binom  \mathbb  \%  {  }  (  )  [  ]  |  _  ^  '
    !  &  =  <  >  +  -  *  /  ,  ;  :  .  0  1  23  4.5  a  b  x  y  d  f  in  word  ∂  ∑  ²  ₁  α  中  \text{if}
    \text{and}  $  %  \frac{d}{dx}  x_1  \sum_i  (x)
""")
#: Names, and formulas with places for others.
NAMES = apart(r"x  w_0  \theta  \mathbf{W}^{(l)}  \hat{y}_i  z'  \mathrm{loss}  A^T  2  0.5  n_{\text{in}}")
FRAMES = apart(r"""
    (①)  \sqrt{①}  \log ①  \sigma(①)  \|①\|  |①|  -①  \sum_{i=1}^n ①  \max(0, ①)  \frac{d}{dx} ①  \nabla_w ①  e^{①}
    \mathbf{①}  \left[①\right]  \underbrace{①}_{a}  \frac{\partial ①}{\partial w_{jk}}  \mathbb{E}\left[①\right]
    \hat{①}  \text{if } ①  ① + ②  ① - ②  ① ②  ① \cdot ②  \frac{①}{②}  ① / ②  ① = ②  ① \le ②  f(①, ②)  p(① \mid ②)
    ① \odot ②  ①, ②  \begin{cases} ① & x > 0 \\ ② & \text{otherwise} \end{cases}
    \begin{pmatrix} ① & ② \\ 0 & 1 \end{pmatrix}  ① \quad ②  ① \text{ and } ②  \left. ① \right|_{②}  ① \implies ②
    \max_{①} ②  ①^{②}  {①}_{②}  ① \\ ②
""")
SIGNS = "\\{}()[]|_^'&=+-*/,.;: 12abdxdfi$%~<>!?\n"

#: What claims are made of: names that mean something to the judge, and what is done with them.
ATOMS = apart(r"""
    x  y  w  x_i  w_{ij}  w_{ji}  y_j  x_1  x_0  x_{i+1}  n  m  i  \mathbf{x}  \mathbf{W}  \mathbf{y}^\top  f(x)
    g(y)  f'(x)  \theta
    0  1  2  3  10  0.5  1.25  0  -1  e  \pi  12345678901234567890  0.333  \eta  \hat{y}  \delta_{ij}  L  h  h_j
""")
MAKERS = apart(r"""
    (①)  \sqrt{①}  \log ①  \log(①)  \sigma(①)  \tanh(①)  \sin ①  \|①\|^2  \|①\|_1  |①|  -①  \sum_{i=1}^n ①
    \sum_i ①  \sum_j ①
    \prod_{i=1}^{3} ①  \max(0, ①)  \max(①, ②)  \min(①, ②)  \max_i ①  \frac{d}{dx} ①  \frac{\partial}{\partial y} ①
    \frac{\partial L}{\partial x_i}  \frac{\partial f}{\partial x}  \frac{d^2}{dx^2} ①  \nabla_{\mathbf{x}} ①
    \nabla_w ①  e^{①}
    ① + ②  ① - ②  ① ②  ① \cdot ②  \frac{①}{②}  ① / ②  ① \odot ②  ①^{②}  ①^2  (①)^3  ①^{-1}  \exp(①)  ①^\top  ①^T ②
    ①!  \binom{①}{②}
    \begin{cases} ① & x > 0 \\ ② & \text{otherwise} \end{cases}  \begin{pmatrix} ① & ② \\ 0 & 1 \end{pmatrix}
    (①, ②)
    \left. ① \right|_{x = ②}  \left(\frac{d①}{dx}\right)(②)  f(①)  f(①, ②)  \sum_{i=0}^{n-1} ①  \sum_{i=1}^{10} ①
    ①\%  \lfloor ① \rfloor
    \operatorname{softmax}(①)  \operatorname{ReLU}(①)  \mathbb{1}[① > ②]  1 + ① + \cdots + ②  \operatorname{tr}(①)
    \log_2 ①  \tanh^2 ①
""")
RELATIONS = apart(r"=  =  =  =  =  =  \approx  <  \le  >  \geq  \neq  :=  \leftarrow  \in  \equiv  \propto")
HEADS = apart(r"""
    x  y  w_{ij}  x_i  f(x)  g(x)  h  h_j  L  \mathbf{W}  \mathbf{x}  \theta  \hat{y}  \frac{dL}{dx}
    \frac{\partial L}{\partial w_{ij}}
    f'(x)  n  \nabla_{\mathbf{x}} L  \mathbf{h}  f(x, y)  (x, y)  x_1
""")


def noise(draw: random.Random) -> str:
    """Random bytes, as text."""
    return draw.randbytes(draw.randint(0, 40)).decode("utf-8", "replace")


def signs(draw: random.Random) -> str:
    """Random signs of formulas."""
    return "".join(draw.choices(SIGNS, k=draw.randint(1, 40)))


def pieces(draw: random.Random) -> str:
    """Pieces of formulas in any order."""
    return " ".join(draw.choices(PIECES, k=draw.randint(1, 14)))


def framed(draw: random.Random) -> str:
    """A formula with all that is written in documents, whatever it may mean."""
    return _grown(draw, NAMES, FRAMES, draw.randint(1, 6))


def claimed(draw: random.Random) -> str:
    """A statement: a name or a formula, a relation, a formula; sometimes a chain."""
    sides = [draw.choice(HEADS) if draw.random() < 0.5 else _grown(draw, ATOMS, MAKERS, draw.randint(1, 5))]
    for _ in range(2 if draw.random() < 0.15 else 1):
        sides += [draw.choice(RELATIONS), _grown(draw, ATOMS, MAKERS, draw.randint(1, 6))]
    return " ".join(sides)


def _grown(draw: random.Random, atoms: list[str], makers: list[str], leaves: int) -> str:
    if leaves <= 1 and draw.random() < 0.6:
        return draw.choice(atoms)
    maker = draw.choice(makers)
    first = draw.randint(1, max(1, leaves - 1))
    if "②" in maker:
        maker = maker.replace("②", _grown(draw, atoms, makers, leaves - first))
    if "①" in maker:
        maker = maker.replace("①", _grown(draw, atoms, makers, first if leaves > 1 else 0))
    return maker


#: What documents are made of, beside formulas.
MARKUP = apart(r"""
    $  $$  \(  \)  \[  \]  \begin{align}  \end{align}  \begin{equation}  \end{equation}  \newcommand{\a}[1]{#1 ①}
    \def\b{\b \b}
    \a{x}  \b  #  ##  ```  ```math  `  |  | x | 2 |  |---|---|  <!-- symdl: assume x > 0 -->
    <!-- symdl: let a = ① -->  -->  % symdl: shape W: m × n
    \section{①}  \input{①}  %  \\\\  &  \label{①}  {"cells": [{"cell_type": "markdown", "source": ["①"]}]}  "
    where $x$ is ①
    With $w = 2$ and $x = 3$  the learning rate of 0.5  L = (10 − 14)² = 16  x₁w₁ + x₂  \verb|①|  ---  title: ①
    \usepackage{①}  \begin{verbatim}
    \let\c\d  \DeclareMathOperator{\op}{①}  \def\x#1#2{①#2}  [①](①)  <b>①</b>  \\tag{1}  \end{document}
    \begin{document}
""")


def file_of(draw: random.Random) -> str:
    """The text of a whole document, right or broken."""
    lines = []
    for _ in range(draw.randint(1, 12)):
        line = [draw.choice(MARKUP) if draw.random() < 0.6 else claimed(draw) for _ in range(draw.randint(1, 5))]
        if draw.random() < 0.4:
            line = ["$", claimed(draw), "$", *line]
        lines.append(" ".join(line).replace("①", claimed(draw) if draw.random() < 0.5 else noise(draw)))
    return "\n".join(lines)


#: Kinds of text, and how many of a hundred are of each.
KINDS: dict[str, tuple[Callable[[random.Random], str], int]] = {
    "bytes": (noise, 38),
    "signs": (signs, 20),
    "pieces": (pieces, 20),
    "frames": (framed, 12),
    "claims": (claimed, 10),
}
