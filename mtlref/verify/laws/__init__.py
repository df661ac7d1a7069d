"""The laws: what declared properties mean, as plain functions that raise LawViolation with the numbers.

A law has two sides that share no code. Batteries run on other people's objects: ``run_penalty``, ``run_kernel``,
``run_layer``, ``run_iteration``, ``balancers.check``. ``laws_of(method)`` gives those that apply to a
method. The module is callable: ``@mtlref.verify.laws("JointFeature")`` turns a function that returns a solver into one
pytest test a law.
"""

from __future__ import annotations

from typing import Any

from mtlref.verify.laws import balancers
from mtlref.verify.laws.check import LawViolation
from mtlref.verify.laws.estimators import ESTIMATOR_LAWS, Law, laws_of
from mtlref.verify.laws.iterations import ITERATION_LAWS
from mtlref.verify.laws.kernels import KERNEL_LAWS
from mtlref.verify.laws.layers import LAYER_LAWS, Layer
from mtlref.verify.laws.losses import LOSS_LAWS
from mtlref.verify.laws.objects import (
    Outcome,
    Penalty,
    run_iteration,
    run_kernel,
    run_layer,
    run_penalty,
)
from mtlref.verify.laws.penalties import PENALTY_LAWS, penalty_laws_of
from mtlref.verify.modules import make_callable

__all__ = [
    "ESTIMATOR_LAWS",
    "ITERATION_LAWS",
    "KERNEL_LAWS",
    "LAYER_LAWS",
    "LOSS_LAWS",
    "PENALTY_LAWS",
    "Law",
    "LawViolation",
    "Layer",
    "Outcome",
    "Penalty",
    "balancers",
    "laws_of",
    "penalty_laws_of",
    "run_iteration",
    "run_kernel",
    "run_layer",
    "run_penalty",
]


def called(method: str, **options: Any) -> Any:
    """``mtlref.verify.checking.law_tests(method, **options)``."""
    from mtlref.verify.checking.face import law_tests

    return law_tests(method, **options)


make_callable(__name__)
