"""What each LaTeX command and character stands for: tables, no code.

The common letter of each Greek pair goes to the common command (`\\epsilon` is ε, `\\varepsilon` ϵ; `\\phi` is φ,
`\\varphi` ϕ), so that ε typed in plain text and `\\epsilon` are one name.
"""

from __future__ import annotations


def _table(text: str) -> dict[str, str]:
    parts = text.split()
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GREEK = _table(
    """
    alpha α  beta β  gamma γ  delta δ  epsilon ε  varepsilon ϵ  zeta ζ  eta η  theta θ  vartheta ϑ  iota ι  kappa κ
    lambda λ  mu μ  nu ν  xi ξ  omicron ο  pi π  varpi ϖ  rho ρ  varrho ϱ  sigma σ  varsigma ς  tau τ  upsilon υ
    phi φ  varphi ϕ  chi χ  psi ψ  omega ω  Gamma Γ  Delta Δ  Theta Θ  Lambda Λ  Xi Ξ  Pi Π  Sigma Σ  Upsilon Υ
    Phi Φ  Psi Ψ  Omega Ω
    """
)

#: Other commands that are one name.
NAMES = _table(
    """
    infty ∞  partial ∂  ell ℓ  hbar ℏ  Re ℜ  Im ℑ  aleph ℵ  emptyset ∅  varnothing ∅  top ⊤  bot ⊥  intercal ⊤
    dagger †  ddagger ‡  star ⋆  ast *  circ ∘  bullet •  degree °  imath ı  jmath ȷ  angle ∠  square □  Box □
    flat ♭  sharp ♯  natural ♮  clubsuit ♣  heartsuit ♥  diamondsuit ♦  spadesuit ♠  checkmark ✓  blacksquare ■
    qedsymbol ■  forall ∀  exists ∃  neg ¬  lnot ¬  $ $  # #  & &  S §
    """
)

#: Signs that are a name where nothing else stands: x^+, x^*, A^†.
LONE = _table("+ +  - -  ± ±  * *  · ·  ∘ ∘  × ×  < <  > >  ≤ ≤  ≥ ≥  ⊗ ⊗  ⊙ ⊙  ↑ ↑  ↓ ↓  ← ←  → →")

SIGNS = _table("+ +  - -  − -  – -  ± ±  ∓ ∓")
SIGN_COMMANDS = _table("pm ±  mp ∓")

OPERATORS = _table("* *  · ·  ⋅ ·  × ×  ⊙ ⊙  ∘ ∘  ⊗ ⊗  ÷ ÷  / /  ∗ *  ⊕ ⊕  ∪ ∪  ∩ ∩  ∧ ∧  ∨ ∨")
OPERATOR_COMMANDS = _table(
    """
    cdot ·  times ×  ast *  odot ⊙  circ ∘  otimes ⊗  div ÷  oplus ⊕  star ⋆  bullet •  cup ∪  cap ∩  setminus ∖
    backslash ∖  wedge ∧  land ∧  vee ∨  lor ∨  ominus ⊖  bmod mod  mod mod  bigodot ⊙  slash /
    """
)

RELATIONS = _table(
    """
    = =  < <  > >  ≈ ≈  ≤ ≤  ≥ ≥  ≠ ≠  ← ←  → →  ∈ ∈  ∉ ∉  ∼ ∼  ≡ ≡  ∝ ∝  ⊂ ⊂  ⊆ ⊆  ⇒ ⇒  ⟺ ⟺  ⇔ ⟺  ≪ ≪  ≫ ≫  ≔ :=
    ~ ∼  ↦ ↦  ≅ ≅  ≃ ≃  ⟹ ⇒  ↔ ↔
    """
)
#: Longest first.
RELATION_RUNS = _table(
    """
    <=> ⟺  <-> ↔  += +=  -= -=  == =  <= ≤  >= ≥  != ≠  := :=  =: =:  -> →  <- ←  => ⇒  << ≪  >> ≫
    """
)
RELATION_COMMANDS = _table(
    """
    approx ≈  le ≤  leq ≤  leqslant ≤  leqq ≤  ge ≥  geq ≥  geqslant ≥  geqq ≥  lt <  gt >  ne ≠  neq ≠  leftarrow ←
    gets ←  longleftarrow ←  rightarrow →  to →  longrightarrow →  in ∈  notin ∉  ni ∋  sim ∼  equiv ≡  propto ∝
    subset ⊂  subseteq ⊆  supset ⊃  supseteq ⊇  Rightarrow ⇒  Longrightarrow ⇒  implies ⇒  impliedby ⇐  Leftarrow ⇐
    iff ⟺  Leftrightarrow ⟺  Longleftrightarrow ⟺  leftrightarrow ↔  coloneqq :=  coloneq :=  triangleq ≜  doteq ≐
    simeq ≃  cong ≅  ll ≪  gg ≫  mapsto ↦  perp ⊥  prec ≺  succ ≻  preceq ≼  succeq ≽  lesssim ≲
    gtrsim ≳  hookrightarrow ↪  leadsto ⇝  rightsquigarrow ⇝  longmapsto ↦  Vdash ⊩  vdash ⊢  models ⊨  asymp ≍
    rightleftharpoons ⇌  lessapprox ⪅  gtrapprox ⪆
    """
)
NEGATED = _table("= ≠  ∈ ∉  < ≮  > ≯  ≤ ≰  ≥ ≱  ≡ ≢  ≈ ≉  ∼ ≁  ⊂ ⊄  ⊆ ⊈")

#: Named operators, applied to what follows them.
FUNCTIONS = _words(
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom ker lg ln log Pr sec sin sinh tan tanh"
)
#: Operators that take limits: with a script below, or above, they range over something.
BIG = _words("bigcap bigcup bigoplus bigotimes bigvee bigwedge coprod iiint iint int oint prod sum")
#: Operators that take limits, and are functions without them.
LIMITED = _words("argmax argmin inf lim liminf limsup max min sup")
BIG_CHARACTERS = _table("∑ sum  ∏ prod  ∫ int")

#: Names of functions that people type without a command: exp(−z), ReLU(x). A product of letters they never are.
WORDS = (
    FUNCTIONS
    | LIMITED
    | _words(
        """
    abs acos Adam asin atan Attention BatchNorm BN CE CNN Concat concat conv cost Cov cov csch diag Dropout dropout
    ELU elu erf erfc Exp GELU gelu GRU KL LayerNorm LeakyReLU leakyrelu LN Log logistic logsoftmax Loss loss LSTM
    maxout mean Mish mish MLP MSE mse MultiHead PReLU pReLU prod rank RELU ReLU ReLu Relu relu RNN rot score sech
    SELU SGD sgn Sigmoid sigmoid Sign sign SiLU silu sinc SoftMax Softmax softmax Softmin Softplus softplus softsign
    sqrt std Swish swish Tanh Tr tr trace Var var vec
    """
    )
)
#: Names that people type without a command, too short to be told from a product of letters by their length.
SHORT_NAMES = _words(
    """
    TP TN FP FN PE pos neg seq emb src tgt net out err lr tmp val
    num acc avg inp pre act reg new old tot MAE RMSE BCE NLL FFN MHA AUC SNR
    """
)
#: Words that stand below or above a name, though short.
SCRIPT_WORDS = _words(
    "avg bot eff err est in inf max min nd new next obs old opt out prev rd ref st std sum sup th top tot val"
)

ACCENTS = _table(
    """
    hat hat  widehat hat  bar bar  overline bar  tilde tilde  widetilde tilde  vec vec  overrightarrow vec  dot dot
    ddot ddot  check check  breve breve  acute acute  grave grave  mathring ring  underline underline  dddot dddot
    """
)

#: "op": the name of an operator; "text": prose, or a name of one word.
FACES = _table(
    """
    mathbf bf  boldsymbol bf  bm bf  bold bf  pmb bf  mathrm rm  mathit it  mathcal cal  mathscr scr  mathbb bb
    Bbb bb  mathsf sf  mathtt tt  mathfrak frak  mathbbm bb  mathds bb  operatorname op  operatorname* op  text text
    textrm text  textit text  textbf text  mbox text  hbox text  textsf text  texttt text  textnormal text
    textsc text  bf bf  rm rm  it it  cal cal  sf sf  tt tt  emph text  symbf bf  symup rm  symcal cal  symbb bb
    mathop op
    """
) | {"mathnormal": ""}
#: Faces that hold until the brace closes: {\rm in}.
SWITCHES = frozenset({"bf", "rm", "it", "cal", "sf", "tt"})

#: Commas of all scripts, and the colon.
SEPARATORS = {",": ",", ";": ";", "，": ",", "、": ",", "；": ";", ":": ":", "：": ":"}

FRACTIONS = _words("frac dfrac tfrac cfrac nicefrac sfrac")

DOTS = _words("cdots ddots dots dotsb dotsc dotsi dotsm dotso hdots ldots vdots")

#: Space that says nothing, and commands that only lay out.
SPACES = frozenset(
    {"mathbin", "mathrel", "mathord", "mathopen", "mathclose", "mathinner", "mathpunct", "ensuremath", "displaylimits",
        " ", "!", ",", "/", ":", ";", ">", "LARGE", "Large", "allowbreak", "bigl", "bigr", "centering",
        "displaystyle", "enspace", "footnotesize", "hfill", "hline", "huge", "ignorespaces", "large", "left.",
        "limits", "mathstrut", "medspace", "negmedspace", "negthickspace", "negthinspace", "nobreak", "noindent",
        "nolimits", "nonumber", "normalsize", "notag", "null", "par", "relax", "scriptscriptstyle", "scriptsize",
        "scriptstyle", "small", "strut", "textstyle", "thickspace", "thinspace", "tiny", "unskip",
    }
)  # fmt: skip
#: Space that parts statements.
QUADS = _words("hskip hspace hspace* kern mkern mskip qquad quad")

OPENING = {
    "(": "(", "[": "[", "\\{": "{", "\\lbrace": "{", "\\langle": "⟨", "⟨": "⟨", "\\lfloor": "⌊", "⌊": "⌊",
    "\\lceil": "⌈", "⌈": "⌈", "\\lvert": "|", "\\lVert": "‖", "\\lbrack": "[", "\\lparen": "(",
}  # fmt: skip
CLOSING = {
    ")": ")", "]": "]", "\\}": "}", "\\rbrace": "}", "\\rangle": "⟩", "⟩": "⟩", "\\rfloor": "⌋", "⌋": "⌋",
    "\\rceil": "⌉", "⌉": "⌉", "\\rvert": "|", "\\rVert": "‖", "\\rbrack": "]", "\\rparen": ")",
}  # fmt: skip
BARS = {
    "|": "|", "\\vert": "|", "\\|": "‖", "\\Vert": "‖", "‖": "‖", "∣": "|", "||": "‖",
}  # fmt: skip

MATRICES = _words(
    "array Bmatrix bmatrix bmatrix* bsmallmatrix matrix pmatrix pmatrix* psmallmatrix smallmatrix Vmatrix vmatrix"
)
CASES = _words("cases cases* dcases dcases* rcases")
#: Environments that only lay out what is in them: one row in them is that row.
LAYOUTS = _words(
    """
    align align* alignat alignat* aligned alignedat displaymath eqnarray eqnarray* equation equation* gather gather*
    gathered math multline multline* split
    """
)

NOTES = _table(
    """
    underbrace underbrace  overbrace overbrace  boxed boxed  fbox boxed  abs abs  norm norm  cancel cancel
    bcancel cancel  xcancel cancel
    """
)

#: Words between claims.
CONNECTIVES = frozenset(
    {
        "and", "are", "as", "at", "be", "because", "but", "by", "else", "for", "for all", "for any", "for each",
        "for every", "from", "given", "hence", "i.e.", "if", "if and only if", "iff", "in", "is", "let", "of", "on",
        "or", "otherwise", "proof", "s.t.", "since", "so", "so that", "subject to", "such that", "that is", "then",
        "therefore", "thus", "to", "unless", "we have", "when", "whenever", "where", "which is", "while", "with",
    }
)  # fmt: skip
#: Of these, the ones that are a name as often, unless space stands around them: x_{\\text{in}}.
PREPOSITIONS = _words("in at on to of by be as is so let from are")
#: The ones that are no name in roman either: \\mathrm{if}.
CLAUSES = _words("if otherwise and or where when with else then since for")
OTHERWISE = frozenset(
    {
        "else", "else.", "elsewhere", "in all other cases", "o.w.", "otherwise", "otherwise.", "其他", "其它",
        "否则", "或",
    }
)  # fmt: skip

SUPERSCRIPTS = _table(
    """
    ⁰ 0  ¹ 1  ² 2  ³ 3  ⁴ 4  ⁵ 5  ⁶ 6  ⁷ 7  ⁸ 8  ⁹ 9  ⁺ +  ⁻ -  ⁼ =  ⁽ (  ⁾ )  ᵀ T  ⁿ n  ⁱ i  ʲ j  ᵏ k  ˡ l  ᵐ m  ᵗ t
    ˣ x  ᵃ a  ᵇ b  ᶜ c  ᵈ d  ᵉ e  ʰ h  ᵖ p  ʳ r  ˢ s  ᵘ u  ᵛ v  ʷ w  ʸ y  ᶻ z  ᴸ L  ᴺ N
    """
)
SUBSCRIPTS = _table(
    """
    ₀ 0  ₁ 1  ₂ 2  ₃ 3  ₄ 4  ₅ 5  ₆ 6  ₇ 7  ₈ 8  ₉ 9  ₊ +  ₋ -  ₌ =  ₍ (  ₎ )  ᵢ i  ⱼ j  ₖ k  ₗ l  ₘ m  ₙ n  ₒ o  ₚ p
    ᵣ r  ₛ s  ₜ t  ᵤ u  ᵥ v  ₐ a  ₑ e  ₕ h  ₓ x  ᵦ β  ᵧ γ  ᵨ ρ  ᵩ φ  ᵪ χ
    """
)
