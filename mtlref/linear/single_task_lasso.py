"""The lasso of every task by itself (with a ridge term: the elastic net).

(P)  min over W (p, T), b (T,):   L(W, b) + lam ‖W‖_1 + ridge/2 ‖W‖_F²,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − Σ_jt (abs(G_jt) − lam)₊² / (2 ridge),
     G = [X_t' θ_t]_t (p, T); with ridge = 0 the last sum is the constraint max abs(G) <= lam
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   G_jt − ridge W_jt = lam sign(W_jt) where W_jt ≠ 0, else
     abs(G_jt) <= lam

Source: Tibshirani 1996; Zou & Hastie 2005 (ridge term); the gap as a stopping rule: Kim et al. 2007.
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
from mtlref.optim.sparse import Entries
from mtlref.optim.workingset import sparse_fit
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> float:
    """F(W, b)."""
    return fit.total(W, b) + lam * float(np.abs(W).sum()) + ridge / 2 * float(np.vdot(W, W))  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> Certificate:
    """The duality gap at multiples of the θ of (K), one multiple a task."""
    point = fit.dual_point(W)
    # The ridge term counted with the loss: its dual variable is −ridge W, and the norm's polar sees G − ridge W.
    polar = np.abs(point.G - ridge * W).max(axis=0)
    limit = np.divide(lam, polar, out=np.full_like(polar, 1e300), where=polar > 0)
    alpha = point.best_multiple(np.minimum(1.0, limit) if ridge else limit, each=True)  # (F)
    dual = point.value(alpha) - ridge / 2 * float(np.square(alpha) @ np.square(W).sum(axis=0))
    if ridge:
        excess = np.maximum(np.abs(point.G) - lam, 0.0)
        dual = max(dual, point.value() - float(np.vdot(excess, excess)) / (2 * ridge))  # (D)
    primal = objective(fit, W, b, lam=lam, ridge=ridge)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=ridge)


def iterates(problem: Problem, start: Start | None, *, lam: float, ridge: float = 0.0) -> Iterator[Iterate]:
    """ADMM until the zeros are known, then Newton on the rest; working sets where p exceeds the rows."""
    return sparse_fit(problem, start, Entries, lam, ridge)


@register(
    family="linear",
    penalty="lam ‖W‖_1 + ridge/2 ‖W‖_F²",
    sources=("tibshirani1996", "zou2005"),
    properties=("convex", "entry_sparse", "task_separable", "has_lam_max", "permutation_equivariant"),
)
class SingleTaskLasso(LinearModel):
    """The lasso (with ridge > 0: the elastic net) of each task by itself.

    Minimises L(W, b) + lam ‖W‖_1 + ridge/2 ‖W‖_F² over W (p, T) and the unpenalised intercepts b (T,)   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the sum of absolute coefficients; unit: loss per coefficient.
    ridge : float >= 0, default 0.0.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, selected_features_ (p,) bool, task_similarity_ (T, T),
    with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap. lam_max = max abs(G) at W = 0.
    Cost: O(Σ_t n_t p²) once; a Newton step on a active features O(T a³).
    Departs from the source: unpenalised intercepts, row weights. Source: tibshirani1996; zou2005.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> model = mt.SingleTaskLasso(lam=1.0, scaling="sum", fit_intercept=False).fit([np.eye(3)], [[3.0, -2.0, 0.5]])
    >>> model.coef_.round(9) + 0.0
    array([[ 2., -1.,  0.]])
    """

    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)
    sparse_rows = True
    lapack_on_one_design = True

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
        return float(np.abs(G).max())

    @property
    def selected_features_(self) -> NDArray[np.bool_]:
        """(p,): the features that some task uses."""
        self._check_fitted()
        return np.asarray((self.coef_ != 0).any(axis=0))
