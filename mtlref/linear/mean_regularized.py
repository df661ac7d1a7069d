"""Mean-regularised multi-task learning: every task's coefficients are pulled towards their mean.

(P)  min over W (p, T), b (T,):   L(W, b) + lam/2 Σ_t ‖w_t − w̄‖² + ridge/2 ‖W‖_F²,   w̄ = Σ_t w_t / T,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − Σ_t ‖g_t − ḡ‖² / (2 (lam + ridge))
     − T ‖ḡ‖² / (2 ridge),   g_t = X_t' θ_t (p,), ḡ their mean; with ridge = 0 the last term is the constraint ḡ = 0
(F)  1' θ_t = 0 for each task where an intercept is fitted; ḡ = 0 with ridge = 0
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   lam (w_t − w̄) + ridge w_t = g_t

Source: Evgeniou & Pontil 2004, section 2 (there in the form w_t = w_0 + v_t).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit import DataFit
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Start
from mtlref.optim.coupled import around_mean
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space, quadratic_penalty
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> float:
    """F(W, b)."""
    apart = W - W[:, :1]  # exactly zero for equal columns, whatever lam multiplies it with
    spread = apart - apart.mean(axis=1, keepdims=True)
    return (
        fit.total(W, b) + lam / 2 * float(np.vdot(spread, spread)) + ridge / 2 * float(np.vdot(W, W))
    )  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> Certificate:
    """The duality gap at the θ of (K); with ridge = 0 at one near it with ḡ = 0."""
    primal = objective(fit, W, b, lam=lam, ridge=ridge)
    together = np.zeros(W.shape[1], dtype=np.intp)
    point = fit.dual_point(W) if ridge else fit.balanced_point(W, together)
    mean = point.G.mean(axis=1)
    spread = point.G - mean[:, None]
    dual = point.value() - float(np.vdot(spread, spread)) / (2 * (lam + ridge))  # (D)
    if ridge:
        dual -= W.shape[1] * float(mean @ mean) / (2 * ridge)  # (D)
    else:
        dual -= fit.free_charge(point.G, W, together)  # (F)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=ridge)


def iterates(problem: Problem, start: Start | None, *, lam: float, ridge: float = 0.0) -> Iterator[Iterate]:
    """In closed form from one eigendecomposition a task and one p × p system; Newton's method for logistic."""

    def times(V: Array) -> Array:
        apart = V - V[:1]
        return np.asarray(lam * (apart - apart.mean(axis=0)) + ridge * V)

    return in_row_space(
        problem,
        start,
        lambda part, begin: quadratic_penalty(
            part, begin, times=times, factor=lambda q: around_mean(q, lam + ridge, ridge)
        ),
    )


@register(
    family="linear",
    penalty="lam/2 Σ_t ‖w_t − w̄‖² + ridge/2 ‖W‖_F²",
    sources=("evgeniou2004",),
    properties=("convex", "free_mean", "rotation_invariant", "permutation_equivariant"),
)
class MeanRegularized(LinearModel):
    """Mean-regularised multi-task learning: tasks are pulled towards their mean.

    Minimises L(W, b) + lam/2 Σ_t ‖w_t − w̄‖² + ridge/2 ‖W‖_F² over W (p, T) and the unpenalised intercepts b (T,)   (P)

    Parameters
    ----------
    lam : float > 0, default 1.0. Multiplies the squared distances to the mean; unit: loss per squared coefficient.
    ridge : float >= 0, default 0.0. With 0 the mean itself is not penalised.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 1000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, mean_coef_ (p,), task_similarity_ (T, T), with the
    logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap. Cost: O(Σ_t n_t p² + T p³) once, O(T p² + p³) for each further lam of a path.
    Departs from the source: unpenalised intercepts, row weights, w̄ eliminated. Source: evgeniou2004.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> model = mt.MeanRegularized(lam=1.0, scaling="sum", fit_intercept=False)
    >>> model.fit([np.eye(2), np.eye(2)], [[2.0, 4.0], [4.0, 0.0]]).coef_
    array([[2.5, 3. ],
           [3.5, 1. ]])
    """

    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)
    sparse_rows = True

    def __init__(
        self,
        lam: float = 1.0,
        *,
        ridge: float = 0.0,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 1000,
    ) -> None:
        self.lam: Any = lam
        self.ridge = ridge
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    degrees = {"lam": 2, "ridge": 2}

    @property
    def mean_coef_(self) -> Array:
        """(p,): the mean of the tasks' coefficients."""
        self._check_fitted()
        return np.asarray(self.coef_.mean(axis=0))
