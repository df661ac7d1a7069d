"""A law of the balancers, an expression in ``B`` (mtlref.balance) and ``np``; for ../fork_server.py."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special
import scipy.stats


def run(law: str) -> None:
    """Raises where the law is broken."""
    import mtlref.balance

    eval(law, {"B": mtlref.balance, "np": np})


def breaks() -> tuple[type[Exception], ...]:
    """What a broken law raises."""
    from mtlref.errors import LawViolation

    return (LawViolation,)


# Loaded once, before the forks.
assert all((scipy.linalg, scipy.optimize, scipy.special, scipy.stats))
