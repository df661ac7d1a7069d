"""The likelihood of any set of cells, by one Cholesky factorisation of their covariance C (N, N).

(P)  −log p(y) = ½ r' C⁻¹ r + ½ log|C| + N/2 log 2π,   r = y − φ β
(D)  ∂/∂θ = ½ Σ_ij (C⁻¹ − α α')_ij ∂C_ij/∂θ,   α = C⁻¹ r;   ∂/∂β_t = −Σ_{cells of t} φ α

C⁻¹ takes the place of C in memory, and (D) contracts it with each kernel's pullback: no array of N × N × parameters.
Only one triangle is formed, of kernels too: with one kernel, and cells at places of their own, value and gradient hold
at most two matrices of N × N, and one more for each further kernel.

Source: Rasmussen & Williams 2006, algorithm 2.1 and eq. 5.9; Bonilla et al. 2008.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from mtlref.errors import DataError, IllConditioned
from mtlref.gp.blocks import Blocks, mirrored
from mtlref.gp.cells import Cells
from mtlref.gp.model import Model

Array = NDArray[Any]
# Beyond this condition number a double holds no digit of the smallest variances.
MAX_CONDITION = 1e14
# The pivots bound it from below; from here on it is estimated, which takes some solves.
DOUBTFUL = 1e4
REMEDY = "A larger noise or a shorter length scale mends it; nothing is added in silence."


class Dense:
    """The covariance of the cells, factorised; the route for every form of data.

    value : −log p(y). alpha : C⁻¹ r, (N,). condition : an estimate of the condition number of C.

    Raises IllConditioned where C is not positive definite in double precision, or has a condition number above 1e14.
    """

    def __init__(self, model: Model, cells: Cells) -> None:
        self.model, self.cells = model, cells
        if model.noise.rank > 0 and not cells.once:
            raise DataError("structured noise needs each task observed at most once a place; got repeats")
        self._blocks = Blocks(model, cells)
        C = self._covariance(self._blocks)
        trace = float(np.trace(C))
        factor, info = lapack.dpotrf(C.T, lower=1, clean=0, overwrite_a=1)  # clean=1 takes longer than C
        if info != 0:
            raise IllConditioned(
                f"the covariance of the {cells.N} cells must be positive definite in double precision; its leading "
                f"minor of order {info} is not. {REMEDY}"
            )
        pivots = np.diagonal(factor)
        self.condition = float((pivots.max() / pivots.min()) ** 2)
        if self.condition > DOUBTFUL:
            # The trace is at least the largest eigenvalue.
            reciprocal, _ = lapack.dpocon(factor, trace, uplo="L")
            self.condition = float(1 / reciprocal) if reciprocal > 0 else np.inf
        if not self.condition <= MAX_CONDITION:
            raise IllConditioned(
                f"the covariance of the {cells.N} cells must have a condition number of at most "
                f"{MAX_CONDITION:.0e}; got {self.condition:.1e}. {REMEDY}"
            )
        self._factor = factor
        self.basis = model.basis(cells.X)[cells.place]
        self.residual = cells.y - np.einsum("ij,ji->i", self.basis, model.beta[:, cells.task])
        self.alpha = self.solve(self.residual)
        log_det = 2 * float(np.log(np.diagonal(factor)).sum())
        fit = float(self.residual @ self.alpha)
        self.value = 0.5 * (fit + log_det + cells.N * np.log(2 * np.pi))  # (P)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_blocks"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._blocks = Blocks(self.model, self.cells)

    def _covariance(self, blocks: Blocks) -> Array:
        """C, its entries on and above the diagonal."""
        C = blocks.covariance()
        i, j = self._together
        C[i, j] += self.model.noise.matrix()[self.cells.task[i], self.cells.task[j]]
        return C

    @cached_property
    def _together(self) -> tuple[Array, Array]:
        """Pairs of cells i <= j that share noise."""
        if self.model.noise.rank == 0:
            everything = np.arange(self.cells.N)
            return everything, everything
        place = self.cells.place
        i, j = np.nonzero(place[:, None] == place)
        return i[i <= j], j[i <= j]

    def solve(self, R: Array) -> Array:
        """C⁻¹ R for R (N,) or (N, k)."""
        if len(R) == 0 or R.size == 0:
            return np.zeros(R.shape)
        return np.asarray(lapack.dpotrs(self._factor, R, lower=1)[0])

    @cached_property
    def inverse(self) -> Array:
        """C⁻¹, (N, N)."""
        return mirrored(self._upper_inverse(keep=True))

    def _upper_inverse(self, keep: bool) -> Array:
        """C⁻¹, its entries on and above the diagonal."""
        half, info = lapack.dpotri(self._factor, lower=1, overwrite_c=not keep)
        assert info == 0
        # Row by row in memory, what was the lower triangle is the upper one.
        return np.asarray(half.T)

    def gradient(self, *, keep: bool = True) -> Array:
        """The gradient of ``value`` in the model's θ. keep=False: C⁻¹ takes the factor's memory, which ends its use."""
        by_mean = np.zeros(self.model.beta.shape)
        for t, span in enumerate(self.cells.spans):
            by_mean[:, t] = -self.basis[span].T @ self.alpha[span]
        return np.concatenate([self.contract(self._upper_inverse(keep), self.alpha), by_mean.ravel()])  # (D)

    def contract(self, G: Array, a: Array | None = None) -> Array:
        """½ Σ_ij (G − a a')_ij ∂C_ij/∂θ for the covariances' parameters; G (N, N) is read on and above its diagonal."""
        c = self.cells
        i, j = self._together
        shared = G[i, j] if a is None else G[i, j] - a[i] * a[j]
        by_noise = np.zeros((c.T, c.T))
        np.add.at(by_noise, (c.task[i], c.task[j]), np.where(i == j, 0.5, 1.0) * shared)
        return np.concatenate([self._blocks.contract(G, a), self.model.noise.pull(by_noise)])

    def inverse_blocks(self, groups: Any) -> Array:
        """The blocks of C⁻¹ of groups (G, g) of cells: (G, g, g)."""
        return np.asarray(self.inverse[groups[:, :, None], groups[:, None, :]])

    @cached_property
    def backward_error(self) -> float:
        """‖C α − r‖ / (‖C‖ ‖α‖ + ‖r‖): how well α solves its equations, from a covariance formed anew."""
        C = mirrored(self._covariance(Blocks(self.model, self.cells)))
        size = float(np.linalg.norm(C, 1) * np.linalg.norm(self.alpha) + np.linalg.norm(self.residual))
        return float(np.linalg.norm(C @ self.alpha - self.residual)) / size if size > 0 else 0.0
