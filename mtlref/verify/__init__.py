"""Verification: audits and diagnoses of answers, checks of solvers, laws, oracles, and slow twins of fast paths."""

from mtlref.verify import derivative, laws, naive, oracle, strategies
from mtlref.verify.audit import audit
from mtlref.verify.checking import Program, check
from mtlref.verify.diagnosis import diagnose

__all__ = ["Program", "audit", "check", "derivative", "diagnose", "laws", "naive", "oracle", "strategies"]
