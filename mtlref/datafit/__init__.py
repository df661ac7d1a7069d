"""The loss term of every linear method as its objective and certificate see it.

``DataFit`` sums a loss over the rows of the tasks,

    L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t),    c_t = 1 / Σ_i s_ti ("mean") or 1 ("sum"),

and gives the dual point that belongs to W: θ_ti = −c_t s_ti l'(y_ti, z_ti) at the best intercepts, G_t = X_t' θ_t.
By weak duality L(W, b) ≥ Σ_t <G_t, w_t> − Σ_ti c_t s_ti l*(y_ti, −α θ_ti / (c_t s_ti)) for α = 1, and any α for which
the conjugate is finite gives a dual point too. Certificates use nothing else; solvers do not use it.
"""

from __future__ import annotations

import numpy as np

from mtlref.datafit.dual import DualPoint
from mtlref.datafit.held import HeldFit
from mtlref.datafit.intercept import logistic_intercept, logistic_intercepts
from mtlref.datafit.moments import MomentFit
from mtlref.datafit.rows import RowFit
from mtlref.datafit.shared import SharedRowFit
from mtlref.datafit.term import EPS, DataFit, Times
from mtlref.moments import Moments
from mtlref.tasks import TaskData

__all__ = [
    "EPS",
    "DataFit",
    "DualPoint",
    "HeldFit",
    "MomentFit",
    "RowFit",
    "SharedRowFit",
    "data_fit",
    "logistic_intercept",
    "logistic_intercepts",
]


def data_fit(
    data: TaskData | Moments,
    loss: str = "squared",
    scaling: str = "mean",
    fit_intercept: bool = True,
    pooled_intercept: bool = False,
    times: Times = np.matmul,
) -> DataFit:
    """The loss term over rows or, for the squared loss, over Moments."""
    settings = (loss, scaling, fit_intercept, pooled_intercept)
    if isinstance(data, Moments):
        return MomentFit(*settings, data, times)
    if data.sparse:
        from mtlref.datafit.sparse_rows import SparseRowFit

        return SparseRowFit(*settings, data, times)
    return (SharedRowFit if data.shared else RowFit)(*settings, data, times)
