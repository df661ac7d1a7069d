"""Multi-task feature learning: tasks share a few features, which are learned as combinations of the given ones.

(P)  min over W (p, T), b (T,), D (p, p):   L(W, b) + lam/2 Σ_t w_t' D⁻¹ w_t,   D ⪰ 0, tr D <= 1
                                          = L(W, b) + lam/2 ‖W‖_*²   for the best D,
                                            L(W, b) + lam/2 (Σ_j ‖W[j,:]‖)²   for the best diagonal D,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t),   ‖W‖_* = Σ_i σ_i(W)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − σ_1(G)² / (2 lam),   G = [X_t' θ_t]_t (p, T);
     D diagonal: max_j ‖G[j,:]‖ in place of σ_1(G)
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   D = (WW')^{1/2} / tr (WW')^{1/2},   D diagonal:
     D_jj = ‖W[j,:]‖ / Σ_i ‖W[i,:]‖;   lam W = D G

Source: Argyriou, Evgeniou & Pontil 2008, sections 3 (learned features), 4 (weights of features alone) and 5 (kernels).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.linear.kernelized import KernelModel
from mtlref.linear.prepared import Start
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space
from mtlref.optim.squaredtrace import squared_row_norm_fit, squared_trace_norm_fit
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(fit: DataFit, W: Array, b: Array, *, lam: float, diagonal: bool = False) -> float:
    """F(W, b) at the best D."""
    sizes = np.linalg.norm(W, axis=1) if diagonal else np.linalg.svd(W, compute_uv=False)
    return fit.total(W, b) + lam / 2 * float(sizes.sum()) ** 2  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float, diagonal: bool = False) -> Certificate:
    """The duality gap at the θ of (K)."""
    primal = objective(fit, W, b, lam=lam, diagonal=diagonal)
    point = fit.dual_point(W)
    polar = np.linalg.norm(point.G, axis=1) if diagonal else np.linalg.svd(point.G, compute_uv=False)
    dual = point.value() - float(polar.max()) ** 2 / (2 * lam)  # (D)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck)


def iterates(
    problem: Problem, start: Start | None, *, lam: float, diagonal: bool = False
) -> Iterator[Iterate]:
    """ADMM on the problem with D eliminated; prox-Newton around it for the logistic loss."""
    if diagonal:
        return squared_row_norm_fit(problem, start, lam)
    return in_row_space(problem, start, lambda part, begin: squared_trace_norm_fit(part, begin, lam, 0.0))


@register(
    family="linear",
    penalty="lam/2 Σ_t w_t' D⁻¹ w_t, D ⪰ 0, tr D <= 1",
    sources=("argyriou2008",),
    properties=("convex", "rotation_invariant", "task_rotation_invariant", "permutation_equivariant"),
)
class MTFL(KernelModel):
    """Multi-task feature learning: tasks share a few learned features.

    Minimises L(W, b) + lam/2 Σ_t w_t' D⁻¹ w_t over W (p, T), the unpenalised intercepts b (T,) and D (p, p) with D ⪰ 0,
    tr D <= 1   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies Σ_t w_t' D⁻¹ w_t / 2; unit: loss per squared coefficient.
    diagonal : bool, default False. With True D is diagonal: features are weighted, not combined, and some are left out.
    kernel : None (default), or a callable k(X, Z) -> (n, m), symmetric and positive semidefinite: W then are
        coefficients in the span of the rows, whose coordinates ``features`` gives.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, feature_covariance_ (p, p), components_ (rank, p),
    task_similarity_ (T, T), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap. No finite lam makes W = 0 optimal: there is no lam_max.
    Cost: O(Σ_t n_t p² + T p³) once; some ten iterations of O(T p² + p T min(p, T)) and, while rank · p <= 450, some ten
    Newton steps of O(T rank (rank p)²); else some tens or hundreds of iterations.
    Departs from the source: D eliminated, so that it may be singular (there: perturbed by epsilon); unpenalised
    intercepts, row weights. The source's gamma multiplies what lam/2 does here. Source: argyriou2008.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> model = mt.MTFL(lam=1.0, scaling="sum", fit_intercept=False)
    >>> model.fit([np.eye(2), np.eye(2)], [[2.0, 4.0], [-2.0, -4.0]]).coef_.round(6)
    array([[ 1.,  2.],
           [-1., -2.]])
    >>> model.feature_covariance_.round(6)
    array([[0.2, 0.4],
           [0.4, 0.8]])
    """

    degrees = {"lam": 2}
    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    sparse_rows = True
    iterates = staticmethod(iterates)

    def __init__(
        self,
        lam: float = 0.1,
        *,
        diagonal: bool = False,
        kernel: Any = None,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.diagonal = diagonal
        self.kernel = kernel
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def _weights(self) -> dict[str, Any]:
        return {**super()._weights(), "diagonal": inputs.flag(self.diagonal, "diagonal")}

    @property
    def feature_covariance_(self) -> Array:
        """(p, p): D, of trace 1; I / p where all coefficients are zero."""
        self._check_fitted()
        W = self.coef_.T
        if not W.any():
            return np.eye(len(W)) / len(W)
        if self.diagonal:
            norms = np.linalg.norm(W, axis=1)
            return np.diag(norms / norms.sum())  # (K)
        U, sigma, _ = np.linalg.svd(W, full_matrices=False)
        return np.asarray((U * (sigma / sigma.sum())) @ U.T)  # (K)

    @property
    def components_(self) -> Array:
        """(rank, p): the learned features, orthonormal, the one with the largest weight in D first; signs are free."""
        level, U = np.linalg.eigh(self.feature_covariance_)
        kept = level > 1e-10 * level[-1]
        return np.ascontiguousarray(U[:, kept].T[::-1]) if self.coef_.any() else np.zeros((0, len(level)))
