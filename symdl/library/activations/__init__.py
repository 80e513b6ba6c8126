"""Activation functions: data. One entry is one definition; everything else follows from it.

>>> import sympy
>>> s = sympy.Symbol("s", real=True)
>>> sigmoid(s).diff(s), relu(s).diff(s).subs(s, 0), leaky_relu(s).diff(s).subs(s, -3)
((1 - sigmoid(s))*sigmoid(s), 0, 1/100)
"""

from symdl.library.activations.gates import gelu as gelu, gelu_tanh as gelu_tanh, silu as silu
from symdl.library.activations.record import Activation as Activation
from symdl.library.activations.rectifiers import identity as identity, leaky_relu as leaky_relu, relu as relu
from symdl.library.activations.registry import ACTIVATIONS as ACTIVATIONS, ENTRIES as ENTRIES, activation as activation
from symdl.library.activations.sigmoids import sigmoid as sigmoid, tanh as tanh
