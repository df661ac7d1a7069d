"""Labels −1 and +1: the posterior of f around its mode by a normal density, an approximation, and its evidence.

(P)  p(y | f) = Π_i σ(y_i f_i),   f ~ N(m, C);   f̂ maximises Ψ(f) = log p(y | f) − ½ (f − m)' C⁻¹ (f − m)
(K)  f = m + C a and ρ = a − ∇ log p(y | f) give Ψ(f̂) − Ψ(f) <= ½ ρ' C ρ, for −Ψ curves at least as C⁻¹; f̂ has ρ = 0
(D)  −log q(y) = −log p(y | f̂) + ½ a' (f̂ − m) + ½ log|S|,   S = I + W½ C W½,   W = −∇² log p(y | f̂)
     with R = W½ S⁻¹ W½, s_i = −½ [C − C R C]_ii dW_ii/df_i and u = s − R C s:
     dC: −½ Σ_ij (a a' − R + u a' + a u')_ij dC_ij;   dm: −(a + u)

q is no bound on the evidence: its error is that of a normal density in place of the posterior.

Source: Rasmussen & Williams 2006, algorithms 3.1, 3.2 and 5.1; Bonilla et al. 2008 (the covariance over tasks).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.special import expit

from mtlref.errors import IllConditioned
from mtlref.gp.blocks import Blocks, mirrored
from mtlref.gp.cells import Cells
from mtlref.gp.model import Model
from mtlref.linalg.products import product

Array = NDArray[Any]
# Newton's steps: Ψ is strictly concave, and a few suffice; halvings of one before it counts as the last.
STEPS, HALVINGS = 100, 40
# Nodes of the quadrature of a probability over f.
NODES = 32


class Laplace:
    """The mode and the normal density around it, for labels −1 and +1 in cells.y. The model's noise is not used.

    value : −log q(y). f : (N,) the mode. a : (N,). gap : the bound of (K) on how far f is below the mode, in nats.
    start : f to begin with, (N,), or None.

    Raises IllConditioned where C is not finite.
    """

    def __init__(self, model: Model, cells: Cells, start: Array | None = None) -> None:
        self.model, self.cells = model, cells
        self._blocks = Blocks(model, cells)
        self.C = C = mirrored(self._blocks.covariance())
        if not np.isfinite(C).all():
            raise IllConditioned("the covariance of the cells must be finite")
        self.basis = model.basis(cells.X)[cells.place]
        m = np.einsum("ij,ji->i", self.basis, model.beta[:, cells.task])
        self.f, self.a = _mode(C, m, cells.y, start)
        p = expit(self.f)
        self.W = p * (1 - p)
        self.root = np.sqrt(self.W)
        self._factor = _factor(C, self.root)
        rho = self.a - (cells.y + 1) / 2 + p
        self.gap = 0.5 * float(rho @ product(C, rho))  # (K)
        log_det = 2 * float(np.log(np.diagonal(self._factor)).sum())
        fit = _log_likelihood(cells.y, self.f) - 0.5 * float(self.a @ (self.f - m))
        self.value = -fit + 0.5 * log_det  # (D)

    def gradient(self) -> Array:
        """The gradient of ``value`` in the model's θ; zero in the noise, which is not there."""
        half, info = lapack.dpotri(self._factor, lower=1)
        assert info == 0
        R = self.root[:, None] * mirrored(half.T) * self.root
        CR = product(self.C, R)
        variance = np.diagonal(self.C) - np.einsum("ij,ij->i", CR, self.C)
        s = -0.5 * variance * self.W * (1 - 2 * expit(self.f))
        u = s - product(R, product(self.C, s))
        G = R - np.multiply.outer(self.a + u, self.a) - np.multiply.outer(self.a, u)  # (D)
        by_mean = np.zeros(self.model.beta.shape)
        for t, span in enumerate(self.cells.spans):
            by_mean[:, t] = -self.basis[span].T @ (self.a + u)[span]
        none = np.zeros(len(self.model.noise.theta))
        return np.concatenate([self._blocks.contract(G), none, by_mean.ravel()])

    def latent(self, X: Array) -> tuple[Array, Array]:
        """Mean and variance of every task's f at X (m, p): (m, T) each."""
        model, c = self.model, self.cells
        cross, prior = np.zeros((c.N, c.T, len(X))), np.zeros((len(X), c.T))
        for B, kernel in model.terms:
            b = B.matrix()
            cross += b[c.task][:, :, None] * kernel(c.X, X)[c.place][:, None, :]
            prior += np.multiply.outer(kernel.diag(X), np.diag(b))
        flat = cross.reshape(c.N, -1)
        mean = model.basis(X) @ model.beta + (self.a @ flat).reshape(c.T, -1).T
        half, _ = lapack.dtrtrs(self._factor, self.root[:, None] * flat, lower=1)
        taken = (half**2).sum(axis=0).reshape(c.T, -1).T
        return mean, np.maximum(prior - taken, 0.0)

    def probability(self, X: Array) -> Array:
        """P(y = +1) of every task at X, σ averaged over f by quadrature: (m, T)."""
        mean, variance = self.latent(X)
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        at = mean[..., None] + np.sqrt(variance)[..., None] * nodes
        return np.asarray(expit(at) @ (weights / weights.sum()))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_blocks"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._blocks = Blocks(self.model, self.cells)


def _log_likelihood(y: Array, f: Array) -> float:
    return -float(np.logaddexp(0.0, -y * f).sum())


def _factor(C: Array, root: Array) -> Array:
    """The Cholesky factor of S: its eigenvalues are at least 1, so that it is never near to singular."""
    S = root[:, None] * C * root
    S.flat[:: len(C) + 1] += 1.0
    factor, info = lapack.dpotrf(S.T, lower=1, clean=1, overwrite_a=1)
    if info != 0:
        raise IllConditioned("the covariance of the cells must be positive semidefinite in double precision")
    return np.asarray(factor)


def _mode(C: Array, m: Array, y: Array, start: Array | None) -> tuple[Array, Array]:
    """(f̂, a) of (K): Newton's steps in the form that inverts S alone, halved where Ψ would fall."""
    f, a = m.copy(), np.zeros(len(m))
    if start is not None and len(start) == len(m) and np.isfinite(start).all():
        # Weights a that belong to the start's gradient: a point of the form m + C a.
        guess = (y + 1) / 2 - expit(start)
        moved = product(C, guess)
        if _log_likelihood(y, m + moved) - 0.5 * float(guess @ moved) > _log_likelihood(y, f):
            a, f = guess, m + moved
    best = _log_likelihood(y, f) - 0.5 * float(a @ (f - m))
    for _ in range(STEPS):
        p = expit(f)
        slope, W = (y + 1) / 2 - p, p * (1 - p)
        root = np.sqrt(W)
        factor = _factor(C, root)
        b = W * (f - m) + slope
        inside, _ = lapack.dpotrs(factor, root * product(C, b), lower=1)
        step = b - root * inside - a
        moved, size = product(C, step), 1.0
        for _ in range(HALVINGS):
            there, new = a + size * step, f + size * moved
            value = _log_likelihood(y, new) - 0.5 * float(there @ (new - m))
            if value >= best - 1e-14 * abs(best):
                break
            size /= 2
        done = float(np.abs(size * moved).max()) <= 1e-13 * (1 + float(np.abs(f).max()))
        a, f, best = there, new, max(best, value)
        if done:
            break
    return m + product(C, a), a
