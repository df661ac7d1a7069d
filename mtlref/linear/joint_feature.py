"""Joint feature selection: one set of features for all tasks, by the sum of the norms of the rows of W.

(P)  min over W (p, T), b (T,):   L(W, b) + lam Σ_j ‖W[j,:]‖_2 + ridge/2 ‖W‖_F²,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − Σ_j (‖G[j,:]‖ − lam)₊² / (2 ridge),
     G = [X_t' θ_t]_t (p, T); with ridge = 0 the last sum is the constraint max_j ‖G[j,:]‖ <= lam
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   G[j,:] − ridge W[j,:] = lam W[j,:] / ‖W[j,:]‖ where W[j,:] ≠ 0,
     ‖G[j,:]‖ <= lam where W[j,:] = 0

Source: Obozinski, Taskar & Jordan 2010; Liu, Ji & Ye 2009; Lounici et al. 2009. The gap as a stopping rule:
Ndiaye et al. 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit import DataFit
from mtlref.linalg.fewrows import rows_in_use
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Start
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.rowfit import row_fit
from mtlref.optim.run import Iterate
from mtlref.registry import register

Array = NDArray[np.float64]
Rows = NDArray[np.intp] | slice


def objective(
    fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0, rows: Rows = slice(None)
) -> float:
    """F(W, b); rows : those of W that may not be zero."""
    norms = _row_norms(W[rows])
    return fit.total(W, b) + lam * float(norms.sum()) + ridge / 2 * float(norms @ norms)  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0) -> Certificate:
    """The duality gap at multiples of the θ of (K): the largest of the dual values that they give.

    W : (p, T), or as FewRows where the fit takes them.
    """
    rows, point = fit.long_rows_point(W, lam)  # the other rows of G have no part in what follows
    # The ridge term counted with the loss: its dual variable is −ridge W, and the norm's polar sees G − ridge W.
    polar = float(_row_norms(point.G - ridge * W[rows] if ridge else point.G).max()) + point.slip
    alpha = point.best_multiple(min(1.0, lam / polar) if ridge else lam / polar) if polar > 0 else 1.0  # (F)
    dual = point.value(alpha)
    used = rows_in_use(W)
    if ridge:
        dual -= ridge / 2 * float(np.square(alpha)) * float(np.square(_row_norms(W[used])).sum())
        excess = np.maximum(_row_norms(point.G) + point.slip - lam, 0.0)
        dual = max(dual, point.value() - float(excess @ excess) / (2 * ridge))  # (D)
    primal = objective(fit, W, b, lam=lam, ridge=ridge, rows=used)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=ridge)


def _row_norms(W: Array) -> Array:
    """(p,): ‖W[j,:]‖."""
    return np.asarray(np.sqrt(np.einsum("jt,jt->j", W, W)))


def iterates(problem: Problem, start: Start | None, *, lam: float, ridge: float = 0.0) -> Iterator[Iterate]:
    """Accelerated gradients, then Newton on the rows that are not zero; working sets; models of the logistic loss."""
    return row_fit(problem, start, lam, ridge)


@register(
    family="linear",
    penalty="lam Σ_j ‖W[j,:]‖_2 + ridge/2 ‖W‖_F²",
    sources=("obozinski2010", "liu2009", "lounici2009"),
    properties=("convex", "row_sparse", "has_lam_max", "permutation_equivariant", "task_rotation_invariant"),
)
class JointFeature(LinearModel):
    """Joint feature selection by the L2,1 norm: a feature is used by all tasks or by none.

    Minimises L(W, b) + lam Σ_j ‖W[j,:]‖_2 + ridge/2 ‖W‖_F² over W (p, T) and the unpenalised intercepts b (T,)   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the sum of row norms; unit: loss per coefficient.
    ridge : float >= 0, default 0.0.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, selected_features_ (p,) bool, task_similarity_ (T, T),
    with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap. lam_max = max_j ‖G[j,:]‖ at W = 0.
    Cost: O(Σ_t n_t p²) once, for one design with n < p/2 rows O(n p T) a few times; a Newton step on a active rows
    O(T a³), O(a³ + a² T) for one design.
    Departs from the source: unpenalised intercepts, row weights, the ridge term. Source: obozinski2010; liu2009.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_shared(np.eye(3), [[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    >>> model = mt.JointFeature(lam=1.0, scaling="sum", fit_intercept=False).fit(data)
    >>> model.coef_.round(9) + 0.0
    array([[2.4, 0. , 0. ],
           [3.2, 0. , 0. ]])
    >>> model.selected_features_
    array([ True, False, False])
    """

    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)
    sparse_rows = True
    counts_slip = True
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
        return float(np.linalg.norm(G, axis=1).max())

    @property
    def selected_features_(self) -> NDArray[np.bool_]:
        """(p,): the features whose row of W is not zero."""
        self._check_fitted()
        return np.asarray((self.coef_ != 0).any(axis=0))
