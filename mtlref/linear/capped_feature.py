"""Multi-stage feature selection: rows that are large enough cost a constant, and so are no longer shrunk.

(P)  min over W (p, T), b (T,):   L(W, b) + lam Σ_j min(‖W[j,:]‖_1, threshold) + ridge/2 ‖W‖_F², not convex;
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(M)  its convex majoriser made at V (p, T): L(W, b) + Σ_j [lam_j ‖W[j,:]‖_1 + (lam − lam_j) threshold] + ridge/2 ‖W‖_F²,
     lam_j = lam where ‖V[j,:]‖_1 < threshold, else 0: rows at or above the threshold are free
(D)  its dual: max over θ_t (n_t,): −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) + Σ_j (lam − lam_j) threshold
     − Σ_jt (abs(G_jt) − lam_j)₊² / (2 ridge), G = [X_t' θ_t]_t (p, T); with ridge = 0 the last sum is a constraint:
     abs(G_jt) <= lam_j
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  W minimises (M) made at V = W:   θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t), G_jt − ridge W_jt = lam_j sign(W_jt)
     where W_jt ≠ 0, else abs(G_jt) <= lam_j. Every local minimum of (P) does.

Source: Gong, Ye & Zhang 2013, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit import DataFit
from mtlref.linear.prepared import Start
from mtlref.linear.stages import StagedModel
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.optim.sparse import Entries
from mtlref.optim.workingset import sparse_fit
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(
    fit: DataFit, W: Array, b: Array, *, lam: float, threshold: float = np.inf, ridge: float = 0.0
) -> float:
    """F(W, b)."""
    size = np.minimum(np.abs(W).sum(axis=1), threshold)
    return fit.total(W, b) + lam * float(size.sum()) + ridge / 2 * float(np.vdot(W, W))  # (P)


def certificate(
    fit: DataFit,
    W: Array,
    b: Array,
    *,
    lam: float,
    threshold: float = np.inf,
    ridge: float = 0.0,
    at: Array | None = None,
) -> Certificate:
    """The duality gap of (M) made at ``at``; at=None is W itself, where (M) touches (P): stationarity."""
    V = W if at is None else at
    free = np.abs(V).sum(axis=1) >= threshold
    each = np.where(free, 0.0, lam)
    point = fit.dual_point(W)
    if free.any() and not ridge and not fit.vanishes(np.where(free[:, None], point.G, 0.0)):
        point = fit.pushed_point(W, point.G, free)  # abs(G_jt) <= 0 for the free rows
    # The ridge term of the others counted with the loss: its dual variable is −ridge W, and |.| sees G − ridge W.
    held, own = np.where(free[:, None], 0.0, W), np.where(free[:, None], point.G, 0.0)
    polar = np.abs(np.where(free[:, None], 0.0, point.G) - ridge * held).max(axis=0)
    limit = np.divide(lam, polar, out=np.full_like(polar, 1e300), where=polar > 0)
    # A multiple above one would raise what rounding leaves of G on the free rows as well.
    alpha = point.best_multiple(np.minimum(1.0, limit) if ridge or free.any() else limit, each=True)  # (F)
    square = np.square(np.broadcast_to(alpha, polar.shape))
    dual = point.value(alpha) - ridge / 2 * float(square @ np.square(held).sum(axis=0))
    if ridge:
        dual -= float(square @ np.square(own).sum(axis=0)) / (2 * ridge)
        excess = np.maximum(np.abs(point.G) - each[:, None], 0.0)
        dual = max(dual, point.value() - float(np.vdot(excess, excess)) / (2 * ridge))  # (D)
        own = np.zeros_like(own)
    elif not fit.vanishes(own, 1e-9):
        dual = -np.inf
    constant = lam * threshold * float(free.sum()) if free.any() else 0.0
    if at is None:
        primal = objective(fit, W, b, lam=lam, threshold=threshold, ridge=ridge) - constant
    else:
        primal = (
            fit.total(W, b) + float(each @ np.abs(W).sum(axis=1)) + ridge / 2 * float(np.vdot(W, W))
        )  # (M)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    # What rounding leaves of G on the free rows meets W there.
    rounding = point.rounding + 2 * float(np.vdot(np.abs(own), np.abs(W)))
    return Certificate.from_values(
        primal + constant, dual + constant, fit.null, rounding, speck=fit.speck,
        kind="stationarity" if at is None else "duality gap",
    )  # fmt: skip


def iterates(
    problem: Problem,
    start: Start | None,
    *,
    lam: float,
    threshold: float = np.inf,
    ridge: float = 0.0,
    at: Array | None = None,
) -> Iterator[Iterate]:
    """One stage: the lasso whose rows that are free at ``at`` bear no penalty; at=None is the lasso."""
    share = None
    if at is not None and (np.abs(at).sum(axis=1) >= threshold).any():
        share = np.where(np.abs(at).sum(axis=1) < threshold, 1.0, 0.0)
    return sparse_fit(problem, start, Entries, lam, ridge, share)


@register(
    family="linear",
    penalty="lam Σ_j min(‖W[j,:]‖_1, threshold) + ridge/2 ‖W‖_F²",
    sources=("gong2013",),
    properties=("staged", "entry_sparse", "has_lam_max", "permutation_equivariant"),
    certificate="stationarity",
)
class CappedFeature(StagedModel):
    """Multi-stage multi-task feature learning: a lasso whose large rows are not shrunk.

    Minimises L(W, b) + lam Σ_j min(‖W[j,:]‖_1, threshold) + ridge/2 ‖W‖_F² over W (p, T) and b (T,)   (P)

    by stages, each a lasso without the rows that the last answer has above the threshold. The first is the lasso.

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the capped row sums; unit: loss per coefficient.
    threshold : float > 0 or infinite, default 1.0. Rows with a larger absolute sum are free; unit: coefficient.
    ridge : float >= 0, default 0.0.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0); a stage when its own is a tenth of that.
    max_iter : int >= 1, default 10000. Iterations of all stages together.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, stages_ (objective and certificate of each stage),
    selected_features_ (p,) bool, free_features_ (p,) bool, task_similarity_ (T, T), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: stationarity, the duality gap of the majoriser made at W itself: F cannot be lowered by more than
    that along it. It says nothing of other stationary points. result_.history has one entry a stage; the objective
    falls from stage to stage. At lam >= lam_max = max abs(G_jt) at W = 0 the answer is zero.
    Cost: stages times that of the lasso, each started at the last one's answer; often three to six stages.
    Departs from the source: unpenalised intercepts, row weights, the ridge term; stages until nothing changes instead
    of a given number. Source: gong2013.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_shared(np.eye(3), [[3.0, 4.0], [1.5, 0.4], [0.2, 0.0]])
    >>> model = mt.CappedFeature(lam=1.0, threshold=2.0, scaling="sum", fit_intercept=False).fit(data)
    >>> model.coef_.round(9) + 0.0
    array([[3. , 0.5, 0. ],
           [4. , 0. , 0. ]])
    >>> [round(stage.objective, 9) for stage in model.stages_]
    [4.1, 3.1]
    """

    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    sparse_rows = True
    iterates = staticmethod(iterates)

    def __init__(
        self,
        lam: float = 0.1,
        *,
        threshold: float = 1.0,
        ridge: float = 0.0,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.threshold: Any = threshold
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
        """(p,): the features whose row of W is not zero."""
        self._check_fitted()
        return np.asarray((self.coef_ != 0).any(axis=0))

    @property
    def free_features_(self) -> NDArray[np.bool_]:
        """(p,): the features whose row of W is at or above the threshold, and so not shrunk."""
        self._check_fitted()
        return np.asarray(np.abs(self.coef_).sum(axis=0) >= self.threshold)
