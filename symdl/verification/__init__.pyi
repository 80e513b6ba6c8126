# See symdl/__init__.pyi for the form.

from . import coq as coq
from .claims import check_function as check_function, recheck as recheck
from .decide import equal as equal
from .verdict import Status as Status, Verdict as Verdict, Witness as Witness
