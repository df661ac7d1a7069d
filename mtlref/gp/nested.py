"""The nested fit of a complete table: one eigendecomposition for each setting of the kernel, the rest inside.

(P)  min over ψ of g(ψ) = min over φ of −log p(y; ψ, φ) / N,   ψ the kernel's parameters, φ = (B, Σ, β)
(D)  in the eigenbasis of K = V diag(s) V', with Y~ = V' Y and φ~ = V' φ(X), two derivatives in φ take O(r T³);
     of what lies outside V, R from (I − V V') (Y, φ) = Q R stands for it: only squares of it matter
(K)  ∇g(ψ) = ∂/∂ψ −log p at the inner optimum: that φ moves with ψ does not matter there (envelope)

Source: Stegle et al. 2011, section 2 (the eigenbasis); Danskin 1967 (the envelope).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mtlref.errors import IllConditioned
from mtlref.gp import trust
from mtlref.gp.cells import Cells
from mtlref.gp.inner import Inner
from mtlref.gp.kronecker import Kronecker
from mtlref.gp.model import Model
from mtlref.gp.spectrum import Spectrum, spectrum
from mtlref.linalg.products import product

Array = NDArray[Any]
REFUSED = 1e10
# The first move of the kernel's log parameters, and inner iterations for one setting of them.
STEP, INNER = 0.5, 50
# The gradient inside per cell that will do for the first setting of them; for each further one a tenth of the last's.
LOOSE = 1e-3
# Variables inside, beyond which their second derivatives cost more than joint descent.
MANY = 200


def kernel_slice(model: Model) -> slice:
    """Where the one kernel's parameters are in θ."""
    B, kernel = model.terms[0]
    return slice(len(B.theta), len(B.theta) + len(kernel.theta))


def fits_inside(model: Model) -> bool:
    """Whether second derivatives of all that is inside are cheap."""
    return len(model.theta) - len(model.terms[0][1].theta) <= MANY


def shortened(known: Spectrum, Y: Array, basis: Array) -> tuple[Array, Array, Array]:
    """(s, Y~, φ~) of (D), rows of zeros in s for what lies outside V."""
    turned = product(known.V.T, np.hstack([Y, basis]))
    s, T = known.s, Y.shape[1]
    if known.null:
        R = np.linalg.qr(known.outside(np.hstack([Y, basis])), mode="r")  # (D)
        turned, s = np.vstack([turned, R]), np.concatenate([s, np.zeros(len(R))])
    return s, turned[:, :T], turned[:, T:]


def approach(
    start: Model, cells: Cells, low: Array, high: Array, tol: float, max_iter: int
) -> tuple[Array, int, int, Spectrum | None]:
    """(θ near a local optimum, outer iterations, points refused, the spectrum there), from the start's θ in bounds."""
    where = kernel_slice(start)
    inner = np.ones(len(start.theta), dtype=bool)
    inner[where] = False
    # kappa of B, which is itself a variable inside; θ has its logarithm.
    own = np.array([name.startswith("B") and ".kappa[" in name for name in start.names])[inner]

    def inwards(theta: Array) -> Array:
        phi = theta[inner]
        phi[own] = np.exp(0.5 * phi[own])
        return phi

    best, least, refused, inside = np.clip(start.theta, low, high), np.inf, 0, LOOSE
    there: Spectrum | None = None
    phi, phi_low, phi_high = inwards(best), inwards(low), inwards(high)
    Y, basis = cells.table(cells.y), start.basis(cells.X)

    def outer(psi: Array) -> tuple[float, Array]:
        nonlocal phi, best, least, refused, inside, there
        theta = best.copy()
        theta[where] = psi
        try:
            known = spectrum(start.terms[0][1].with_theta(psi), cells.X)
            table = Inner(*shortened(known, Y, basis), cells.n, start)
            found = trust.minimise(table.at, phi, phi_low, phi_high, max(inside, 0.1 * tol), INNER)
        except IllConditioned:
            refused += 1
            return REFUSED, np.zeros(len(psi))
        refused, inside = refused + found.refused, 0.1 * inside
        theta[inner] = found.x
        theta[np.flatnonzero(inner)[own]] = 2 * np.log(found.x[own])
        value = cells.N * found.point.value
        if value < least:
            best, least, phi, there = theta.copy(), value, found.x, known
        return value, Kronecker(start.with_theta(theta), cells, known).gradient()[where]  # (K)

    # L-BFGS-B's first move is the gradient: this makes it STEP long.
    begin = np.clip(start.theta, low, high)[where]
    first = outer(begin)
    weight = STEP / max(float(np.linalg.norm(first[1])), tol * cells.N)

    def weighed(psi: Array) -> tuple[float, Array]:
        value, gradient = first if (psi == begin).all() else outer(psi)
        return weight * value, weight * gradient

    end = minimize(
        weighed,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low[where], high[where], strict=True)),
        options={"maxiter": max_iter, "ftol": 1e-12, "gtol": 0.5 * tol * cells.N * weight},
    )
    return best, int(end.nit), refused, there
