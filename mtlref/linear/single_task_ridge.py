"""Ridge regression or classification of every task by itself: the baseline that sharing has to beat.

(P)  min over W (p, T), b (T,):   L(W, b) + lam/2 ‖W‖_F²,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − ‖G‖_F² / (2 lam),   G = [X_t' θ_t]_t (p, T)
(F)  1' θ_t = 0 for each task where an intercept is fitted; with lam = 0, least squares, G = 0
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t),   lam W = G

Source: Hoerl & Kennard 1970 (ridge); Saunders, Gammerman & Vovk 1998 (its dual).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Start
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.ridge import ridge
from mtlref.optim.run import Iterate
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(fit: DataFit, W: Array, b: Array, *, lam: float) -> float:
    """F(W, b)."""
    return fit.total(W, b) + lam / 2 * float(np.vdot(W, W))  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float) -> Certificate:
    """The duality gap at the θ of (K)."""
    point = fit.dual_point(W) if lam else fit.free_point(W)
    G = point.G
    if lam:
        dual = point.value() - float(np.vdot(G, G)) / (2 * lam)  # (D)
    else:
        dual = point.value() - fit.free_charge(G, W, np.arange(W.shape[1]))  # (F)
    primal = objective(fit, W, b, lam=lam)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=lam)


def iterates(problem: Problem, start: Start | None, *, lam: float) -> Iterator[Iterate]:
    """Per-task solves from Gram statistics, or from the rows where those lose digits; logistic: Newton's method."""
    return ridge(problem, start, lam=lam)


@register(
    family="linear",
    penalty="lam/2 ‖W‖_F²",
    sources=("hoerl1970", "saunders1998"),
    properties=(
        "convex",
        "strongly_convex",
        "task_separable",
        "rotation_invariant",
        "permutation_equivariant",
    ),
)
class SingleTaskRidge(LinearModel):
    """Ridge regression or logistic ridge classification of each task by itself.

    Minimises L(W, b) + lam/2 ‖W‖_F² over W (p, T) and the unpenalised intercepts b (T,)   (P)

    Parameters
    ----------
    lam : float > 0, default 1.0. Multiplies ‖W‖²/2; unit: loss per squared coefficient. With the squared loss 0 is
        least squares.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 1000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, task_similarity_ (T, T), with the logistic loss
    classes_.

    Raises: DataError, FormError for data or parameters out of range, DataError where lam = 0 and columns are linearly
    dependent (``fit``). Warns: NotConverged.

    Certificate: duality gap; by strong convexity ‖W − W*‖_F <= sqrt(2 gap / lam).
    Cost: O(Σ_t n_t p² + T p³) once, O(T p²) for each further lam of a path.
    Departs from the source: unpenalised intercepts, row weights. Source: hoerl1970; saunders1998.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> model = mt.SingleTaskRidge(lam=1.0, scaling="sum", fit_intercept=False).fit([np.eye(2)], [[2.0, 4.0]])
    >>> model.coef_
    array([[1., 2.]])
    >>> model.result_.certificate.gap
    0.0
    """

    degrees = {"lam": 2}
    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)
    sparse_rows = True

    def __init__(
        self,
        lam: float = 1.0,
        *,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 1000,
    ) -> None:
        self.lam: Any = lam
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def _check_lam(self, value: Any) -> float:
        """Zero is least squares, which the columns must determine; the logistic loss may have no minimum there."""
        return (inputs.nonnegative if self.loss == "squared" else inputs.positive)(value, "lam")
