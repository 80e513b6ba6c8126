"""Whatever comes in: a tree that comes back as itself, or `UnreadError`, in bounded time; nothing is run."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from symdl.verification.notation import UnreadError, latex, parse, unicode
from symdl.verification.notation.reader import LENGTH


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
#: What goes on without an end.
ENDLESS = apart(r"""
    {  (  \mathbf{  \text{$  x^{  \frac  |  |x  \sum  -  2*-  a/  a,  \log  \nabla  '  x_  \hat  \sqrt[
    \begin{cases}  \left(  \text{if}  \frac{d}{dx}  a=  a\over  \\  9  1e  \stackrel{a}  w1  \,  &  !  ²  \big
    a\quad  \partial_x
""")
#: Every place that takes a text.
PLANTED = apart(r"""
    ①  \text{①}  \mathrm{①}  \operatorname{①}(x)  x_{①}  \frac{①}{2}  \begin{①}x\end{①}  \color{①}x  \hspace{①}  x=①
    \begin{array}{①}x\end{array}  \textcolor{①}{x}  \①  \left①  \sqrt[①]{x}  \text{$①$}  \underbrace{x}_{①}
""")


def read(text: str) -> None:
    """Read a text; what is read is whole, and comes back as itself."""
    try:
        tree = parse(text)
    except UnreadError as error:
        assert 0 <= error.column <= len(text)
        assert error.construct
        return
    assert isinstance(unicode(tree), str)
    written = latex(tree)
    if len(written) <= LENGTH:
        assert parse(written) == tree, written


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join))
def test_random_pieces(text: str) -> None:
    read(text)


@given(st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "replace")))
def test_random_bytes(text: str) -> None:
    read(text)


@given(st.text(alphabet="\\{}()[]|_^'&=+-*/,.;: 12abdxdfi$%~<>!?\n", max_size=40))
def test_random_signs(text: str) -> None:
    read(text)


def formulas() -> st.SearchStrategy[str]:
    """Formulas as people write them, from a grammar of their own."""

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        made = st.tuples(st.sampled_from(FRAMES), inner, inner)
        return made.map(lambda parts: parts[0].replace("①", parts[1]).replace("②", parts[2]))

    return st.recursive(st.sampled_from(NAMES), larger, max_leaves=8)


@settings(max_examples=400)
@given(formulas())
def test_formulas_come_back_as_themselves(text: str) -> None:
    read(text)


@pytest.mark.parametrize("part", ENDLESS)
def test_what_is_endless_costs_a_bounded_time(part: str) -> None:
    begun = time.process_time()
    read((part * (LENGTH // len(part)))[:LENGTH])
    read(part * 150 + "x" + "}" * 150)
    assert time.process_time() - begun < 5


def test_a_text_too_long_is_refused() -> None:
    with pytest.raises(UnreadError, match="characters"):
        parse("x" * (LENGTH + 1))


@pytest.mark.parametrize("frame", PLANTED)
def test_no_text_is_run(frame: str, tmp_path: Path) -> None:
    marker = tmp_path / "run"
    for planted in (f"__import__('os').system('touch {marker}')", f"$(touch {marker})", f"\\write18{{touch {marker}}}"):
        read(frame.replace("①", planted))
    assert not marker.exists()


def test_most_formulas_of_real_documents_are_read(reference: Path) -> None:
    lines = (reference / "equations" / "equations.jsonl").read_text(encoding="utf-8").splitlines()
    spans = [_without_labels(json.loads(line)["latex"]) for line in lines[::4]]
    unread = 0
    for span in spans:
        try:
            tree = parse(span)
        except UnreadError:
            unread += 1
        else:
            assert parse(latex(tree)) == tree, span
    assert unread < 0.02 * len(spans)


def _without_labels(text: str) -> str:
    """Labels and tags are removed with the display that holds them, before its formulas are read."""
    for command in (r"\label", r"\tag"):
        while (start := text.find(command)) >= 0:
            rest = text[start + len(command) :].lstrip(" *")
            text = text[:start] + (rest[rest.index("}") + 1 :] if rest.startswith("{") else rest[1:])
    return text
