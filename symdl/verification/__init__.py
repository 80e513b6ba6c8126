"""Verdicts: what is proved, refuted with a witness, or left open.

>>> import sympy
>>> x = sympy.Symbol("x")
>>> equal(sympy.tanh(x), 2 / (1 + sympy.exp(-2 * x)) - 1).require().method
'normal form'
"""

from symdl.verification.claims import check_function, recheck
from symdl.verification.decide import equal
from symdl.verification.properties import Properties, properties
from symdl.verification.verdict import Status, Verdict, Witness

__all__ = ["Properties", "Status", "Verdict", "Witness", "check_function", "equal", "properties", "recheck"]
