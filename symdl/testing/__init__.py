"""Helpers for tests, of the library and of one's own functions: how accurate compiled functions are, and whether
hand-written backward code is the gradient of a definition (`assert_gradient`)."""

from symdl.testing.handwritten import assert_gradient, check_code

__all__ = ["assert_gradient", "check_code"]
