"""Joint feature selection by row maxima: a feature costs what its largest coefficient over the tasks costs.

(P)  min over W (p, T), b (T,):   L(W, b) + lam Σ_j max_t abs(W[j,t]) + ridge/2 ‖W‖_F²,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − Σ_j dist(G[j,:], lam B)² / (2 ridge),
     G = [X_t' θ_t]_t (p, T), B = {u : ‖u‖_1 <= 1}; with ridge = 0 the last sum is a constraint: ‖G[j,:]‖_1 <= lam
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   with Q = G − ridge W: ‖Q[j,:]‖_1 <= lam, and where W[j,:] ≠ 0
     ‖Q[j,:]‖_1 = lam, Q_jt W_jt >= 0, Q_jt = 0 unless abs(W_jt) = max_s abs(W[j,s])

Source: Turlach, Venables & Wright 2005; Quattoni, Carreras, Collins & Darrell 2009.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit import DataFit
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Start
from mtlref.optim.peaks import Peaks
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.optim.workingset import sparse_fit
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> float:
    """F(W, b)."""
    return (
        fit.total(W, b) + lam * float(np.abs(W).max(axis=1).sum()) + ridge / 2 * float(np.vdot(W, W))
    )  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> Certificate:
    """The duality gap at multiples of the θ of (K): the largest of the dual values that they give."""
    point = fit.dual_point(W)
    # The ridge term counted with the loss: its dual variable is −ridge W, and the norm's polar sees G − ridge W.
    polar = float(np.abs(point.G - ridge * W).sum(axis=1).max())
    alpha = point.best_multiple(min(1.0, lam / polar) if ridge else lam / polar) if polar > 0 else 1.0  # (F)
    dual = point.value(alpha) - ridge / 2 * float(np.square(alpha)) * float(np.vdot(W, W))
    if ridge:
        apart = np.minimum(np.abs(point.G), _level(point.G, lam)[:, None])
        dual = max(dual, point.value() - float(np.vdot(apart, apart)) / (2 * ridge))  # (D)
    primal = objective(fit, W, b, lam=lam, ridge=ridge)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=ridge)


def _level(G: Array, lam: float) -> Array:
    """(p,): the level m_j >= 0 at which what sticks out of G[j,:], Σ_t (abs(G_jt) − m_j)₊, is lam, or zero.

    min(abs(G), m) is the distance of each entry from the projection of G[j,:] onto lam B.
    """
    falling = np.sort(np.abs(G), axis=1)[:, ::-1]
    each = (falling.cumsum(axis=1) - lam) / (1.0 + np.arange(G.shape[1]))
    return np.asarray(np.maximum(each.max(axis=1), 0.0))


def iterates(problem: Problem, start: Start | None, *, lam: float, ridge: float = 0.0) -> Iterator[Iterate]:
    """ADMM until it is known which tasks hold each row's maximum, then Newton; working sets for many features."""
    return sparse_fit(problem, start, Peaks, lam, ridge)


@register(
    family="linear",
    penalty="lam Σ_j max_t abs(W[j,t]) + ridge/2 ‖W‖_F²",
    sources=("turlach2005", "quattoni2009"),
    properties=("convex", "row_sparse", "has_lam_max", "permutation_equivariant"),
)
class JointFeatureLinf(LinearModel):
    """Joint feature selection by the L∞,1 norm: tasks share a feature's largest coefficient at no further cost.

    Minimises L(W, b) + lam Σ_j max_t abs(W[j,t]) + ridge/2 ‖W‖_F² over W (p, T) and unpenalised intercepts b (T,)   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the sum of row maxima; unit: loss per coefficient.
    ridge : float >= 0, default 0.0.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, selected_features_ (p,) bool, tied_ (T, p) bool,
    task_similarity_ (T, T),
    with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap. lam_max = max_j ‖G[j,:]‖_1 at W = 0.
    Cost: O(Σ_t n_t p²) once; a Newton step on a active rows O(T a³).
    Departs from the source: unpenalised intercepts, row weights, the ridge term. Source: turlach2005; quattoni2009.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_shared(np.eye(3), [[3.0, 4.0], [0.3, 0.4], [5.0, 1.0]])
    >>> model = mt.JointFeatureLinf(lam=1.0, scaling="sum", fit_intercept=False).fit(data)
    >>> model.coef_.round(9) + 0.0
    array([[3., 0., 4.],
           [3., 0., 1.]])
    >>> model.tied_
    array([[ True, False,  True],
           [ True, False, False]])
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
        return float(np.abs(G).sum(axis=1).max())

    @property
    def selected_features_(self) -> NDArray[np.bool_]:
        """(p,): the features whose row of W is not zero."""
        self._check_fitted()
        return np.asarray((self.coef_ != 0).any(axis=0))

    @property
    def tied_(self) -> NDArray[np.bool_]:
        """(T, p): which tasks hold the largest size of a feature that is not zero (to 1e-9 of it)."""
        self._check_fitted()
        size = np.abs(self.coef_)
        top = size.max(axis=0)
        return np.asarray((top > 0) & (size >= top * (1 - 1e-9)))
