"""Proofs that Coq's kernel checks: statements from SymPy's trees as text for Coq, and `coqc` as the judge."""

from symdl.verification.coq.entries import Proof, prove
from symdl.verification.coq.library import proof_file, provable
from symdl.verification.coq.verdicts import derivative_by_coq, proved_by_coq

__all__ = ["Proof", "derivative_by_coq", "proof_file", "provable", "prove", "proved_by_coq"]
