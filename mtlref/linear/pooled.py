"""One model for all tasks, as if they were one: the other baseline that sharing has to beat.

(P)  min over w (p,), b (one number for all tasks):   L(w 1', b 1) + lam/2 ‖w‖²,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − ‖g‖² / (2 lam),   g = Σ_t X_t' θ_t (p,)
(F)  Σ_t 1' θ_t = 0 where an intercept is fitted; with lam = 0, least squares, g = 0
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w + b),   lam w = g

Source: Hoerl & Kennard 1970, on the rows of all tasks together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.errors import DataError
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Start
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.ridge import ridge
from mtlref.optim.run import Iterate
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(fit: DataFit, W: Array, b: Array, *, lam: float) -> float:
    """F(W, b) at W = w 1'. Raises DataError where the columns of W, or the entries of b, differ."""
    if (W[:, :1] != W).any() or (b != b[0]).any():
        raise DataError(
            "Pooled has one w and one intercept for all tasks: the columns of W and the entries of b must be equal"
        )
    return fit.total(W, b) + lam / 2 * float(W[:, 0] @ W[:, 0])  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float) -> Certificate:
    """The duality gap at the θ of (K)."""
    primal = objective(fit, W, b, lam=lam)
    point = fit.dual_point(W) if lam else fit.free_point(W)
    g = point.G.sum(axis=1)
    if lam:
        dual = point.value() - float(g @ g) / (2 * lam)  # (D)
    else:
        dual = point.value() - fit.free_charge(point.G, W, np.zeros(W.shape[1], dtype=np.intp))  # (F)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(
        primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=lam / W.shape[1]
    )


def iterates(problem: Problem, start: Start | None, *, lam: float) -> Iterator[Iterate]:
    """The single-task solve on the rows of all tasks together."""
    T = problem.T
    one = None if start is None else (start[0][:, :1], start[1][:1])
    for iterate in ridge(problem.pooled, one, lam=lam, whose="all tasks together"):
        if iterate is None:
            yield None
        else:
            W, b = iterate
            yield np.repeat(W, T, axis=1), (None if b is None else np.full(T, b[0]))


@register(
    family="linear",
    penalty="one w and one intercept for all tasks, lam/2 ‖w‖²",
    sources=("hoerl1970",),
    properties=("convex", "strongly_convex", "pooled", "rotation_invariant", "permutation_equivariant"),
)
class Pooled(LinearModel):
    """One ridge regression or logistic ridge classification on the rows of all tasks together.

    Minimises L(w 1', b 1) + lam/2 ‖w‖² over w (p,) and one unpenalised intercept b   (P)

    Parameters
    ----------
    lam : float > 0, default 1.0. Multiplies ‖w‖²/2; unit: loss per squared coefficient. With the squared loss 0 is
        least squares.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum" (every row counts alike).
    fit_intercept : bool, default True: one intercept for all tasks.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 1000.

    Attributes: coef_ (T, p), T times the same row; intercept_ (T,), T times the same number; tasks_, result_,
    task_similarity_ (T, T), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range, DataError where lam = 0 and columns are linearly
    dependent (``fit``). Warns: NotConverged.

    Certificate: duality gap. Cost: O(N p² + p³) once, O(p²) for each further lam of a path.
    Departs from the source: an unpenalised intercept, row and task weights. Source: hoerl1970.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> model = mt.Pooled(lam=2.0, scaling="sum", fit_intercept=False)
    >>> model.fit([np.eye(2), np.eye(2)], [[2.0, 4.0], [4.0, 0.0]]).coef_
    array([[1.5, 1. ],
           [1.5, 1. ]])
    """

    degrees = {"lam": 2}
    pooled_intercept = True
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
