# See symdl/__init__.pyi for the form.

from .entries import Proof as Proof, prove as prove
from .library import proof_file as proof_file, provable as provable
from .runner import version as version
from .verdicts import derivative_by_coq as derivative_by_coq, proved_by_coq as proved_by_coq
