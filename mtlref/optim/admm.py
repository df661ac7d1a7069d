"""ADMM on a quadratic plus a penalty with a prox: the globaliser, and for spectral penalties the solver.

Boyd et al. 2011, Distributed optimization and statistical learning via ADMM, section 3 (scaled form), with the
over-relaxation of 3.4.3 and a penalty parameter that balances the residuals (3.4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.quadratic import Quadratic

Array = NDArray[np.float64]
RELAXATION = 1.6


def admm(
    q: Quadratic, prox: Callable[[Array, float], Array], V: Array, rho: float, adapt_every: int = 5
) -> Iterator[tuple[Array, float, float]]:
    """Yields (Z, rho, residual): Z the prox point, residual relative to the sizes of V and the gradient.

    prox(V, step) = argmin_Z penalty(Z) + ‖Z − V‖² / (2 step). Started at V with the dual variable that V implies.
    """
    Z = V
    U = (q.r - q.times(V)) / rho
    iteration = 0
    while True:
        iteration += 1
        X = q.solve_shifted(q.r + rho * (Z - U), rho)
        relaxed = RELAXATION * X + (1 - RELAXATION) * Z
        old = Z
        Z = prox(relaxed + U, 1.0 / rho)
        U = U + relaxed - Z
        primal, dual = float(np.linalg.norm(X - Z)), float(rho * np.linalg.norm(Z - old))
        size = max(float(np.linalg.norm(X)), float(np.linalg.norm(Z)))
        pull = float(rho * np.linalg.norm(U))
        rp = primal / size if size > 0 else 0.0
        rd = dual / pull if pull > 0 else 0.0
        yield Z, rho, max(rp, rd)
        if iteration % adapt_every == 0 and iteration <= 200 and rp > 0 and rd > 0:
            ratio = np.sqrt(rp / rd)
            if ratio > 2.0 or ratio < 0.5:
                factor = float(np.clip(ratio, 0.1, 10.0))
                rho *= factor
                U = U / factor
