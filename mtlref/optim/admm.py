"""ADMM on a quadratic plus a penalty with a prox: the globaliser, and for spectral penalties the solver.

Boyd et al. 2011, Distributed optimization and statistical learning via ADMM, section 3 (scaled form), with the
over-relaxation of 3.4.3 and a penalty parameter that balances the residuals (3.4.1). As a fixed-point iteration
v → v⁺ on v = Z + U it is sped up by Anderson's method (Walker & Ni 2011, type II), held back where it does not help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.diagonal import Diagonal
from mtlref.optim.quadratic import Quadratic

Array = NDArray[np.float64]
RELAXATION = 1.6
MEMORY = 8
# An accelerated point whose residual is larger than this multiple of the smallest one is taken back.
TOLERATED = 2.0
# A leap beyond so many times the size of the point itself is not taken.
FARTHEST = 3.0


def admm(
    q: Quadratic | Diagonal, prox: Callable[[Array, float], Array], V: Array, rho: float, adapt_every: int = 5
) -> Iterator[tuple[Array, float, float]]:
    """Yields (Z, rho, residual): Z the prox point, residual how far it was moved, relative to the sizes of V and the
    gradient. These two are looked at, and rho is balanced, every ``adapt_every`` iterations.

    prox(V, step) = argmin_Z penalty(Z) + ‖Z − V‖² / (2 step). Started at V with the dual variable that V implies.
    """
    # Best is a rho between the smallest and the largest curvature: beyond that balancing may run away for good.
    lowest, _, largest = q.curvatures
    low, high = (lowest / 10, largest * 10) if largest > 0 else (rho, rho)
    rho = float(np.clip(rho, low, high))
    solve = q.shifted(rho)
    # A point of the iteration itself, so that the first step is one of those that Anderson's method compares.
    v = V + (q.r - q.times(V)) / rho if V.any() else q.r / rho
    Z = prox(v, 1.0 / rho)
    U = v - Z
    past = Anderson()
    iteration, scale = 0, 0.0
    while True:
        iteration += 1
        X = solve(q.r + rho * (Z - U))
        v = past.propose(v, RELAXATION * (X - Z))
        old, Z = Z, prox(v, 1.0 / rho)
        U = v - Z
        look = iteration % adapt_every == 0  # norms cost a third of an iteration
        if look or iteration == 1:
            size, pull = max(float(np.linalg.norm(X)), float(np.linalg.norm(Z))), float(np.linalg.norm(U))
            scale = min(size, pull) or size
        yield Z, rho, past.length / (RELAXATION * scale) if scale > 0 else 0.0
        if not look:
            continue
        rp = float(np.linalg.norm(X - Z)) / size if size > 0 else 0.0
        rd = float(np.linalg.norm(Z - old)) / pull if pull > 0 else 0.0
        # Residuals of the size of rounding say nothing of their balance: following them would drive rho away.
        if iteration <= 200 and min(rp, rd) > 0 and max(rp, rd) > 1e-12:
            ratio = np.sqrt(rp / rd)
            if ratio > 2.0 or ratio < 0.5:
                factor = float(np.clip(rho * np.clip(ratio, 0.1, 10.0), low, high)) / rho
                rho *= factor
                U = U / factor
                v = Z + U
                solve = q.shifted(rho)
                past = Anderson()


class Anderson:
    """The last few steps of a fixed-point iteration and where they point together; ``length`` of the last of them."""

    def __init__(self) -> None:
        self.count = 0
        self.last: tuple[Array, Array] | None = None
        self.fallback: Array | None = None
        self.residual = self.length = np.inf

    def _remember(self, step: Array, end: Array) -> Array:
        """(known,): products of ``step`` with the differences of steps, of which one more is known now.

        Differences from one iteration to the next: of the steps, and of the points that the steps lead to. The products
        with the newest one are those with ``step`` less those with the step before, so that one pass is enough.
        """
        assert self.last is not None
        if self.count == 0:
            self.bends, self.moves = np.empty((MEMORY, step.size)), np.empty((MEMORY, step.size))
            self.gram, self.along = np.empty((MEMORY, MEMORY)), np.zeros(MEMORY)
        slot = self.count % MEMORY
        bend = np.subtract(step, self.last[0], out=self.bends[slot])
        np.subtract(end, self.last[1], out=self.moves[slot])
        self.along[slot] = bend @ self.last[0]
        self.count += 1
        known = min(self.count, MEMORY)
        along = self.bends[:known] @ step
        self.gram[slot, :known] = self.gram[:known, slot] = along - self.along[:known]
        self.along[:known] = along
        return along

    def propose(self, v: Array, plain: Array) -> Array:
        """The next point after ``v``, which the iteration takes to ``v + plain``."""
        step, mapped = plain.ravel(), v + plain
        self.length = float(np.sqrt(step @ step))
        if self.fallback is not None and not self.length <= TOLERATED * self.residual:
            # The last proposal was worse than the plain step would have been.
            back, self.fallback = self.fallback, None
            self.count, self.last = 0, None
            return back
        self.residual = min(self.residual, self.length)
        end = mapped.ravel()
        along = self._remember(step, end) if self.last is not None else None
        self.last = step, end
        self.fallback = None
        if self.count < 2 or along is None:
            return mapped
        known = len(along)
        gram = self.gram[:known, :known].copy()
        gram.flat[:: known + 1] *= 1 + 1e-10
        try:
            weight = np.linalg.solve(gram, along)
        except np.linalg.LinAlgError:
            self.count, self.last = 0, None
            return mapped
        leap = weight @ self.moves[:known]
        if not float(leap @ leap) <= FARTHEST**2 * float(end @ end):
            # Steps that do not change, as along directions that no row bends, say only where to go, not how far.
            return mapped
        self.fallback = mapped
        return np.asarray(mapped - leap.reshape(v.shape))
