"""Compilation: equations → plan → source → machine code, checked against 50-digit arithmetic before anyone gets it."""

from symdl.compilation.compiled import Compiled as Compiled
from symdl.compilation.pipeline import compile as compile
from symdl.compilation.plan import Plan as Plan, make_plan as make_plan
from symdl.compilation.plan_check import check_plan as check_plan
from symdl.compilation.report import Report as Report
