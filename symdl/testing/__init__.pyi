# See symdl/__init__.pyi for the form.

from .handwritten import assert_gradient as assert_gradient, check_code as check_code
