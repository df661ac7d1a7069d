"""The nested fit of a complete table: one eigendecomposition for each setting of the kernel, the rest inside.

(P)  min over ψ of g(ψ) = min over φ of −log p(y; ψ, φ) / N,   ψ the kernel's parameters, φ = (B, Σ, β)
(D)  in the eigenbasis of K = V diag(s) V', with Y~ = V' Y and φ~ = V' φ(X), a value and gradient in φ take O(r T²);
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
from mtlref.gp.cells import Cells
from mtlref.gp.kronecker import Kronecker, rotated_value
from mtlref.gp.model import Model
from mtlref.gp.spectrum import Spectrum, spectrum

Array = NDArray[Any]
REFUSED = 1e10


def kernel_slice(model: Model) -> slice:
    """Where the one kernel's parameters are in θ."""
    B, kernel = model.terms[0]
    return slice(len(B.theta), len(B.theta) + len(kernel.theta))


def shortened(known: Spectrum, Y: Array, basis: Array) -> tuple[Array, Array, Array]:
    """(s, Y~, φ~) of (D), rows of zeros in s for what lies outside V."""
    turned = known.V.T @ np.hstack([Y, basis])
    s, T = known.s, Y.shape[1]
    if known.null:
        R = np.linalg.qr(known.outside(np.hstack([Y, basis])), mode="r")  # (D)
        turned, s = np.vstack([turned, R]), np.concatenate([s, np.zeros(len(R))])
    return s, turned[:, :T], turned[:, T:]


def approach(
    start: Model, cells: Cells, low: Array, high: Array, tol: float, max_iter: int
) -> tuple[Array, int]:
    """(θ near a local optimum, outer iterations), from the start's θ within the bounds."""
    where = kernel_slice(start)
    inner = np.ones(len(start.theta), dtype=bool)
    inner[where] = False
    best, least = np.clip(start.theta, low, high), np.inf
    phi = best[inner]
    Y, basis = cells.table(cells.y), start.basis(cells.X)

    def outer(psi: Array) -> tuple[float, Array]:
        nonlocal phi, best, least
        theta = best.copy()
        theta[where] = psi
        known = spectrum(start.with_theta(theta).terms[0][1], cells.X)
        s, turned, turned_basis = shortened(known, Y, basis)

        def loss(part: Array) -> tuple[float, Array]:
            theta[inner] = part
            try:
                value, gradient = rotated_value(start.with_theta(theta), s, turned, turned_basis, cells.n)
            except IllConditioned:
                return REFUSED, np.zeros(len(part))
            return value / cells.N, gradient / cells.N

        end = minimize(
            loss,
            phi,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low[inner], high[inner], strict=True)),
            options={"maxiter": 500, "maxfun": 1000, "ftol": 1e-15, "gtol": 0.03 * tol, "maxcor": 20},
        )
        if not end.fun < REFUSED:
            return REFUSED, np.zeros(len(psi))
        theta[inner] = end.x
        if end.fun < least:
            best, least, phi = theta.copy(), float(end.fun), end.x
        made = Kronecker(start.with_theta(theta), cells, known)
        return float(end.fun), made.gradient()[where] / cells.N  # (K)

    end = minimize(
        outer,
        best[where],
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low[where], high[where], strict=True)),
        options={"maxiter": max_iter, "ftol": 1e-12, "gtol": 0.5 * tol},
    )
    return best, int(end.nit)
