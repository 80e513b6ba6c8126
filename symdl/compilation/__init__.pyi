# See symdl/__init__.pyi for the form.

from . import building as building, cublas as cublas, cuda_build as cuda_build, machine as machine, rowmeans as rowmeans
from .compiled import Compiled as Compiled
from .pipeline import compile as compile
from .plan import Plan as Plan, make_plan as make_plan
from .plan_check import check_plan as check_plan
from .report import Report as Report
