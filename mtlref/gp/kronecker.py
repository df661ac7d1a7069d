"""The likelihood of a complete table of n places and T tasks, by two eigendecompositions.

(P)  C = B ⊗ K + Σ ⊗ I,   Σ = L L',   L⁻¹ B L⁻' = U diag(λ) U',   K = V diag(s) V',   D_it = 1 / (1 + s_i λ_t)
     C⁻¹ = (W ⊗ V) diag(D) (W ⊗ V)',   W = L⁻' U (T, T);   log|C| = n log|Σ| − Σ_it log D_it
     M = (V (D ∘ (V' R W)) + R₀ W) W' (n, T): C⁻¹ r as a table;   V (n, r), R₀ = R − V V' R where K is 0, and D = 1
(D)  ∂/∂K: ½ (V diag(Σ_t λ_t D_it) V' + Σ_t λ_t (I − V V') − M B M');   ∂/∂B: ½ (W diag(Σ_i s_i D_it) W' − M' K M)
     ∂/∂Σ: ½ (W diag(n − r + Σ_i D_it) W' − M' M);   ∂/∂β = −φ' M

The cost is that of the spectrum of K, O(n³) or O(n² r), and O(n² T + n T² + T³); memory O(n² + n T + T²).

Source: Stegle et al. 2011, section 2; Rakitsch et al. 2013, section 2.1 (whitening).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

from mtlref.errors import DataError, IllConditioned
from mtlref.gp.cells import Cells
from mtlref.gp.coregional import Coregional
from mtlref.gp.exact import MAX_CONDITION, REMEDY
from mtlref.gp.model import Model
from mtlref.gp.spectrum import EPS, Spectrum, spectrum
from mtlref.linalg.products import eigen, gram, product

Array = NDArray[Any]


def whitened(task: Coregional, noise: Coregional) -> tuple[Array, Array, Array, float]:
    """(B, λ, W, log|Σ|). Raises IllConditioned where Σ is not positive definite in double precision."""
    B = task.matrix()
    if noise.rank == 0:
        root = np.exp(0.5 * noise.log_kappa)
        if not (root > 0).all():
            raise IllConditioned("noise variances must be above 0 in double precision")
        lam, U = eigen(B / root / root[:, None])
        return B, np.maximum(lam, 0.0), U / root[:, None], float(noise.log_kappa.sum())
    try:
        L = np.linalg.cholesky(noise.matrix())
    except np.linalg.LinAlgError:
        raise IllConditioned("the noise covariance must be positive definite in double precision") from None
    half, _ = lapack.dtrtrs(L, B, lower=1)
    white, _ = lapack.dtrtrs(L, half.T, lower=1)
    lam, U = eigen((white + white.T) / 2)
    W, _ = lapack.dtrtrs(L, U, lower=1, trans=1)
    return B, np.maximum(lam, 0.0), W, 2 * float(np.log(np.diag(L)).sum())


def shrinkage(s: Array, lam: Array) -> tuple[Array, Array, float]:
    """(s_i λ_t, D, the condition number after whitening). Raises IllConditioned beyond double precision."""
    ratios = np.multiply.outer(s, lam)
    condition = 1.0 + float(ratios.max())
    if not condition <= MAX_CONDITION:
        raise IllConditioned(
            f"signal over noise must be at most {MAX_CONDITION:.0e} in every direction; got "
            f"{condition:.1e}. {REMEDY}"
        )
    return ratios, 1.0 / (1.0 + ratios), condition


def _by_task(s: Array, D: Array, W: Array, a: Array) -> Array:
    """∂/∂B, (T, T), a = V' M."""
    return np.asarray(0.5 * ((W * (s @ D)) @ W.T - product(a.T, s[:, None] * a)))  # (D)


def _by_noise(total: Array, W: Array, M: Array) -> Array:
    """∂/∂Σ, (T, T), from n − r + Σ_i D_it, (T,), and M or the parts of it whose squares are those of M."""
    return np.asarray(0.5 * ((W * total) @ W.T - gram(M)))  # (D)


class Kronecker:
    """The covariance of a complete table, in its eigenbasis; for one term.

    value : −log p(y). alpha : C⁻¹ r, (N,). condition : the condition number after whitening by the noise.
    known : the spectrum of the kernel's matrix, where it is at hand.

    Raises IllConditioned where Σ or the condition number leaves double precision.
    """

    def __init__(self, model: Model, cells: Cells, known: Spectrum | None = None) -> None:
        if len(model.terms) != 1 or not cells.complete:
            raise DataError(
                f"this route needs one term and a complete table; got {len(model.terms)} terms and {cells!r}"
            )
        self.model, self.cells = model, cells
        self.B, self.lam, self.W, log_noise = whitened(model.terms[0][0], model.noise)
        self.spectrum = known if known is not None else spectrum(model.terms[0][1], cells.X)
        self.s, self.V = self.spectrum.s, self.spectrum.V
        ratios, self.D, self.condition = shrinkage(self.s, self.lam)
        self.basis = model.basis(cells.X)
        self.residual = cells.table(cells.y)
        if len(model.beta):
            self.residual = self.residual - self.basis @ model.beta
        turned = product(self.V.T, self.residual)
        self.rotated, self.rest = product(turned, self.W), np.zeros((1, 1))
        if self.spectrum.null:
            self.rest = product(self.spectrum.outside(self.residual, turned), self.W)
        log_det = cells.n * log_noise + float(np.log1p(ratios).sum())
        fit = float((self.rotated**2 * self.D).sum()) + float((self.rest**2).sum())
        self.value = 0.5 * (fit + log_det + cells.N * np.log(2 * np.pi))  # (P)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"spectrum": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.spectrum = Spectrum(self.s, self.V, self.model.terms[0][1].at(self.cells.X)[1])

    @cached_property
    def M(self) -> Array:
        """C⁻¹ r as a table, (n, T)."""
        return product(product(self.V, self.D * self.rotated) + self.rest, self.W.T)  # (P)

    @property
    def alpha(self) -> Array:
        """C⁻¹ r, (N,)."""
        return self.M.T.ravel()

    def gradient(self, *, keep: bool = True) -> Array:
        """The gradient of ``value`` in the model's θ. keep: as of ``Dense``; nothing is used up here."""
        G = self.half_trace(
            product(self.M, self.root)
        )  # (D) for K: entries off the diagonal counted twice, on one side of it
        B, _ = self.model.terms[0]
        a = product(self.D * self.rotated, self.W.T)
        by_task = _by_task(self.s, self.D, self.W, a)
        by_noise = _by_noise(self.D.sum(axis=0) + self.spectrum.null, self.W, self.M)
        by_mean = -product(self.basis.T, self.M)
        return np.concatenate(
            [B.pull(by_task), self.spectrum.pull(G), self.model.noise.pull(by_noise), by_mean.ravel()]
        )

    def half_trace(self, taken: Array) -> Array:
        """The upper triangle of V diag(Σ_t λ_t D_it) V' + Σ_t λ_t (I − V V') − taken taken', the diagonal halved."""
        # λ_t − λ_t D_it = s_i λ_t² D_it, without a difference. It grows with s_i, and counts as 0 where it is less than
        # the rounding of the others.
        weight, total, n = self.s * (self.D @ self.lam**2), float(self.lam.sum()), self.cells.n
        first = int(np.searchsorted(weight, 0.1 * EPS * total, side="right"))
        if first == 0 and self.spectrum.null == 0:
            half = blas.dsyrk(1.0, self.V * np.sqrt(self.D @ self.lam), lower=1)
            half = blas.dsyrk(-1.0, taken, beta=1.0, c=half, lower=1, overwrite_c=1).T
        else:
            columns = np.hstack([self.V[:, first:] * np.sqrt(weight[first:]), taken])
            half = np.zeros((n, n), order="F")
            half.T.reshape(-1)[:: n + 1] = total
            half = blas.dsyrk(-1.0, columns, beta=1.0, c=half, lower=1, overwrite_c=1).T
        half.reshape(-1)[:: n + 1] *= 0.5
        return np.asarray(half)

    @property
    def root(self) -> Array:
        """B = root root', (T, rank + T)."""
        B, _ = self.model.terms[0]
        return np.hstack([B.A, np.diag(np.sqrt(B.kappa))])

    def times_inverse(self, R: Array) -> Array:
        """C⁻¹ applied to tables R (..., n, T)."""
        inside = self.V @ (self.D * (self.V.T @ R @ self.W))
        if self.spectrum.null:
            inside = inside + self.spectrum.outside(R) @ self.W
        return np.asarray(inside @ self.W.T)  # (P)

    def solve(self, R: Array) -> Array:
        """C⁻¹ R for R (N,) or (N, k)."""
        c = self.cells
        tables = np.asarray(R).reshape(c.T, c.n, -1).transpose(2, 1, 0)
        return self.times_inverse(tables).transpose(2, 1, 0).reshape(np.shape(R))

    def inverse_blocks(self, groups: Any) -> Array:
        """The blocks of C⁻¹ of groups (G, g) of cells: (G, g, g)."""
        place, task = self.cells.place[groups], self.cells.task[groups]
        out = np.empty((*np.shape(groups), np.shape(groups)[1]))
        lost = 1.0 if self.spectrum.null else 0.0
        for i in range(out.shape[1]):
            for j in range(out.shape[1]):  # the pairs within a group, few
                pair = self.W[task[:, i]] * self.W[task[:, j]]
                both = self.V[place[:, i]] * self.V[place[:, j]]
                out[:, i, j] = ((both @ (self.D - lost)) * pair).sum(axis=1)  # (P)
                out[:, i, j] += lost * (place[:, i] == place[:, j]) * pair.sum(axis=1)
        return out

    @cached_property
    def backward_error(self) -> float:
        """‖C α − r‖ / (‖C‖ ‖α‖ + ‖r‖): how well α solves its equations, from matrices formed anew."""
        K, Sigma = self.model.terms[0][1](self.cells.X), self.model.noise.matrix()
        image = K @ self.M @ self.B + self.M @ Sigma
        norm = np.linalg.norm(K, 1) * np.linalg.norm(self.B, 1) + np.linalg.norm(Sigma, 1)
        size = float(norm * np.linalg.norm(self.M) + np.linalg.norm(self.residual))
        return float(np.linalg.norm(image - self.residual)) / size if size > 0 else 0.0
