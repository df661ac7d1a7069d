"""Trace norm regularisation: the tasks' coefficients lie in few dimensions.

(P)  min over W (p, T), b (T,):   L(W, b) + lam ‖W‖_* + ridge/2 ‖W‖_F²,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t),   ‖W‖_* = Σ_i σ_i(W)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − Σ_i (σ_i(G) − lam)₊² / (2 ridge),
     G = [X_t' θ_t]_t (p, T); with ridge = 0 the last sum is the constraint σ_1(G) <= lam
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   G − ridge W = lam (U V' + R) with W = U Σ V', U'R = 0,
     R V = 0, σ_1(R) <= 1

Source: Pong, Tseng, Ji & Ye 2010; Argyriou, Evgeniou & Pontil 2008.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit import DataFit
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Start
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.optim.spectral import TraceNormTerm, spectral_in_row_space
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> float:
    """F(W, b)."""
    sigma = np.linalg.svd(W, compute_uv=False)
    return fit.total(W, b) + lam * float(sigma.sum()) + ridge / 2 * float(sigma @ sigma)  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> Certificate:
    """The duality gap at multiples of the θ of (K): the largest of the dual values that they give."""
    point = fit.dual_point(W)
    # The ridge term counted with the loss: its dual variable is −ridge W, and the norm's polar sees G − ridge W.
    polar = float(np.linalg.svd(point.G - ridge * W, compute_uv=False)[0])
    alpha = point.best_multiple(min(1.0, lam / polar) if ridge else lam / polar) if polar > 0 else 1.0  # (F)
    dual = point.value(alpha) - ridge / 2 * float(np.square(alpha)) * float(np.vdot(W, W))
    if ridge:
        excess = np.maximum(np.linalg.svd(point.G, compute_uv=False) - lam, 0.0)
        dual = max(dual, point.value() - float(excess @ excess) / (2 * ridge))  # (D)
    primal = objective(fit, W, b, lam=lam, ridge=ridge)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=ridge)


def iterates(problem: Problem, start: Start | None, *, lam: float, ridge: float = 0.0) -> Iterator[Iterate]:
    """ADMM; one design in its eigenvectors, ended by Newton's method in factors; prox-Newton for the logistic loss."""
    c, problem = problem.at_unit_scale
    return spectral_in_row_space(problem, start, TraceNormTerm(lam / c), ridge / c)


@register(
    family="linear",
    penalty="lam ‖W‖_* + ridge/2 ‖W‖_F²",
    sources=("pong2010", "argyriou2008"),
    properties=(
        "convex",
        "low_rank",
        "has_lam_max",
        "rotation_invariant",
        "task_rotation_invariant",
        "permutation_equivariant",
    ),
)
class TraceNorm(LinearModel):
    """Trace norm regularisation: a low-rank coefficient matrix.

    Minimises L(W, b) + lam ‖W‖_* + ridge/2 ‖W‖_F² over W (p, T) and the unpenalised intercepts b (T,)   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the sum of singular values; unit: loss per coefficient.
    ridge : float >= 0, default 0.0.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, rank_ (int), singular_values_ (min(p, T),),
    task_similarity_ (T, T), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap. lam_max = σ_1(G) at W = 0.
    Cost: O(Σ_t n_t p² + T p³) once; an iteration O(T p² + p T min(p, T)).
    Departs from the source: unpenalised intercepts, row weights, the ridge term. Source: pong2010.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_shared(np.eye(2), [[3.0, 0.0], [0.0, 1.0]])
    >>> model = mt.TraceNorm(lam=2.0, scaling="sum", fit_intercept=False, tol=1e-12).fit(data)
    >>> model.coef_.round(6) + 0.0
    array([[1., 0.],
           [0., 0.]])
    >>> model.rank_
    1
    """

    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)
    sparse_rows = True

    def __init__(
        self,
        lam: float = 0.1,
        *,
        ridge: float = 0.0,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.ridge = ridge
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def _lam_max(self, G: Array) -> float:
        return float(np.linalg.svd(G, compute_uv=False)[0])

    @property
    def singular_values_(self) -> Array:
        """(min(p, T),): singular values of W, largest first."""
        self._check_fitted()
        return np.asarray(np.linalg.svd(self.coef_, compute_uv=False))

    @property
    def rank_(self) -> int:
        """The number of singular values of W that are not zero to rounding."""
        sigma = self.singular_values_
        # The prox sets singular values to zero exactly; forming W brings them back at the size of rounding.
        return int((sigma > sigma[0] * 1e-10).sum()) if sigma[0] > 0 else 0
