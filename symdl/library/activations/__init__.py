"""Activation functions: data. One entry is one definition; everything else follows from it.

>>> import sympy
>>> s = sympy.Symbol("s", real=True)
>>> sigmoid(s).diff(s), relu(s).diff(s).subs(s, 0), leaky_relu(s).diff(s).subs(s, -3)
((1 - sigmoid(s))*sigmoid(s), 0, 1/100)
"""

from symdl.library.activations.clipped import (
    hard_sigmoid as hard_sigmoid,
    hard_swish as hard_swish,
    hard_tanh as hard_tanh,
    hardshrink as hardshrink,
    softshrink as softshrink,
)
from symdl.library.activations.gated import (
    geglu as geglu,
    glu as glu,
    swiglu as swiglu,
)
from symdl.library.activations.gates import (
    gelu as gelu,
    gelu_tanh as gelu_tanh,
    mish as mish,
    silu as silu,
    swish as swish,
)
from symdl.library.activations.record import (
    Activation as Activation,
)
from symdl.library.activations.rectifiers import (
    binary_step as binary_step,
    identity as identity,
    leaky_relu as leaky_relu,
    prelu as prelu,
    relu as relu,
    relu6 as relu6,
    rrelu as rrelu,
    threshold as threshold,
)
from symdl.library.activations.registry import (
    ACTIVATIONS as ACTIVATIONS,
    ENTRIES as ENTRIES,
    activation as activation,
)
from symdl.library.activations.sigmoids import (
    log_sigmoid as log_sigmoid,
    sigmoid as sigmoid,
    softsign as softsign,
    tanh as tanh,
    tanhshrink as tanhshrink,
)
from symdl.library.activations.units import (
    celu as celu,
    elu as elu,
    selu as selu,
    softplus as softplus,
    squareplus as squareplus,
)
from symdl.library.activations.vectors import (
    ACROSS as ACROSS,
    Across as Across,
    log_softmax as log_softmax,
    maxout as maxout,
    softmax as softmax,
    softmin as softmin,
)
from symdl.library.activations.waves import (
    gaussian as gaussian,
    sine as sine,
    snake as snake,
)
