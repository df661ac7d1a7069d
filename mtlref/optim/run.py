"""The one loop that decides when a solver stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.result import Certificate, Status

Array = NDArray[np.float64]
# W (p, T), an array, or FewRows from solvers that give them.
Coefficients = Any
# An iterate (W, b) to be certified (b None: the best intercepts), or None for an iteration that is not worth it.
Iterate = tuple[Coefficients, Array | None] | None
Certify = Callable[[Coefficients, Array | None], tuple[Certificate, Array]]

# After so many certified iterates without a smaller gap, the rounding floor has been reached.
PATIENCE = 12


@dataclass(frozen=True)
class Outcome:
    """The best iterate and what is known of it."""

    W: Coefficients
    b: Array
    status: Status
    certificate: Certificate
    n_iter: int
    history: tuple[tuple[int, float], ...]


def run(iterates: Iterator[Iterate], quick: Certify, certify: Certify, tol: float, max_iter: int) -> Outcome:
    """Draw iterates until the certificate closes: stops when relative_gap <= tol.

    quick : certifies from whatever statistics the solver works on; certify : from the data, or the same where those
    are the data. An iterate is final only when both agree. The iterate with the smallest gap is returned where none
    closes.
    """
    history: list[tuple[int, float]] = []
    best: tuple[float, Coefficients, Array | None] | None = None
    status, n_iter, stale = Status.MAX_ITER, 0, 0
    for iterate in iterates:
        n_iter += 1
        if iterate is not None:
            W, b = iterate
            certificate, b = quick(W, b)
            gap = certificate.relative_gap
            history.append((n_iter, gap))
            if best is None or gap < best[0]:
                stale = 0 if best is None or gap < 0.9 * best[0] else stale + 1
                best = (gap, W, b)
            else:
                stale += 1
            if gap <= tol:
                final, b = (certificate, b) if certify is quick else certify(W, b)
                if final.relative_gap <= tol:
                    return Outcome(W, b, Status.CONVERGED, final, n_iter, tuple(history))
            if stale >= PATIENCE and best[0] <= 1e-7:
                status = Status.FLOOR
                break
        # A solver that certifies every tenth iterate, say, is let on to the first of them: there must be an answer.
        if n_iter >= max_iter and best is not None:
            break
    else:  # the solver itself sees nothing left to do
        status = Status.FLOOR
    if best is None:
        raise AssertionError("a solver ended without an iterate to certify")
    final, b = certify(best[1], best[2])
    if final.relative_gap <= tol:
        status = Status.CONVERGED
    return Outcome(best[1], b, status, final, n_iter, tuple(history))
