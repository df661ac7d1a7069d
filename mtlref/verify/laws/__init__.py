"""The laws: what declared properties mean, as plain functions that raise LawViolation with the numbers.

A law has two sides that share no code. ``laws_of(case)`` gives those that apply to a problem.
"""

from mtlref.verify.laws.check import LawViolation
from mtlref.verify.laws.estimators import ESTIMATOR_LAWS, Law, laws_of
from mtlref.verify.laws.losses import LOSS_LAWS
from mtlref.verify.laws.penalties import PENALTY_LAWS, penalty_laws_of

__all__ = [
    "ESTIMATOR_LAWS",
    "LOSS_LAWS",
    "PENALTY_LAWS",
    "Law",
    "LawViolation",
    "laws_of",
    "penalty_laws_of",
]
