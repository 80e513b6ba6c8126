"""Hand-written backward code: is it the gradient of a definition? Points never prove it, one refutes it."""

from symdl.testing.handwritten.check import assert_gradient, check_code
from symdl.testing.handwritten.verdict import CodeVerdict, Error, WrongElement

__all__ = ["CodeVerdict", "Error", "WrongElement", "assert_gradient", "check_code"]
