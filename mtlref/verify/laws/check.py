"""How a law says that it is broken."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from mtlref.errors import LawViolation


def require(holds: Any, message: str) -> None:
    """Raise LawViolation unless ``holds``; NaN does not hold."""
    if not bool(holds):
        raise LawViolation(message)


def agree(one: Any, other: Any, tolerance: float, what: str) -> None:
    """Raise LawViolation unless |one − other| <= tolerance everywhere; NaN agrees with nothing."""
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    require(a.shape == b.shape, f"{what}: shapes {a.shape} and {b.shape} differ")
    apart = float(np.abs(a - b).max(initial=0.0))
    require(
        apart <= tolerance, f"{what}: {a.tolist()} and {b.tolist()} differ by {apart:.3e} > {tolerance:.3e}"
    )


def aim(value: float, label: str) -> None:
    """Have Hypothesis, where it runs the test, look for problems that make ``value`` >= 0 large, by its logarithm."""
    hypothesis = sys.modules.get("hypothesis")
    if hypothesis is not None and hypothesis.currently_in_test_context() and 0 < value < math.inf:
        hypothesis.target(math.log10(value), label=label)
