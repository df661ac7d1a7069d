"""Certify an answer that somebody else computed, without running a solver."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtlref import inputs
from mtlref.errors import DataError, FormError
from mtlref.gp.multi_task_gp import MultiTaskGP
from mtlref.linear.factored import FactoredModel
from mtlref.linear.model import LinearModel
from mtlref.moments import Moments
from mtlref.optim.result import Certificate
from mtlref.tasks import TaskData
from mtlref.verify.processes import audit_process
from mtlref.verify.rigorous import certify


def audit(
    estimator: Any, data: TaskData | Moments, W: Any, b: Any = None, *, rigorous: bool = False
) -> Certificate:
    """How far (W, b) is from optimal for the estimator's problem on the data, at most.

    Parameters
    ----------
    estimator : an unfitted or fitted estimator whose parameters state the problem, e.g. ``JointFeature(lam=0.1)``.
    data : TaskData or Moments.
    W : (p, T), a column a task, in the order of ``data.names``. (``coef_`` is its transpose.) For a method whose
        objective is a function of factors the pair (L, S): L (p, k), S (k, T), transposes of ``components_`` and
        ``membership_``. For a ``MultiTaskGP`` a ``mtlref.gp.Model``, in the targets' units as ``model_`` is.
    b : (T,) intercepts. None: the best intercepts for W, where the estimator fits intercepts; else zeros.
    rigorous : bool. True: the bounds hold as theorems, rounding included: exact and outward-rounded numbers in place of
        floats (``mtlref.verify.rigorous``), at the cost of seconds.

    Returns
    -------
    Certificate : primal is F(W, b), gap >= F(W, b) − min F, relative_gap = gap / F(0, b0), distance >= ‖W − W*‖_F
    where the penalty is strongly convex. Where F is not convex, ``kind`` says what the gap bounds. With rigorous=True
    primal >= F(W, b) and dual <= min F, rounding included.

    Raises
    ------
    DataError : W or b of a wrong shape, or not finite; a b that is not zero with fit_intercept=False.
    FormError : something that is not an estimator of the registry or not TaskData or Moments; with rigorous=True
        Moments, or a method without rigorous bounds.
    CertificateError : with rigorous=True, where no dual point could be made feasible exactly.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_list([np.eye(2)], [[2.0, 4.0]])
    >>> model = mt.SingleTaskRidge(lam=1.0, scaling="sum", fit_intercept=False)
    >>> mt.audit(model, data, W=[[1.0], [2.0]]).gap
    0.0
    >>> mt.audit(model, data, W=[[1.0], [1.0]]).gap  # it is 1.0 above the optimum: the gap bounds that
    2.0
    >>> mt.audit(model, data, W=[[1.0], [1.0]], rigorous=True).gap
    2.0
    """
    inputs.flag(rigorous, "rigorous")
    if isinstance(estimator, MultiTaskGP):
        certificate = audit_process(estimator, data, W)
        if b is not None or rigorous:
            raise FormError(
                "a Gaussian process is audited at a model alone, without b and without rigorous=True"
            )
        return certificate
    if not isinstance(estimator, LinearModel):
        raise FormError(
            f"estimator must be one of mtlref's linear methods or a MultiTaskGP; got a {type(estimator).__name__}"
        )
    if not isinstance(data, (TaskData, Moments)):
        raise FormError(
            f"data must be a TaskData or Moments; got a {type(data).__name__}: see TaskData.from_list"
        )
    ready = estimator._prepare(data)
    p, T = data.p, data.T
    coefficients: Any
    if isinstance(estimator, FactoredModel):
        coefficients = estimator.factors(W, p, T)
        columns = coefficients.W
    else:
        coefficients = columns = inputs.as_float(W, "W", 2)
        if coefficients.shape != (p, T):
            hint = ". Pass coef_.T: a column of W is a task" if coefficients.shape == (T, p) else ""
            raise DataError(f"W must have shape (p, T) = ({p}, {T}); got {coefficients.shape}{hint}")
        inputs.check_finite(coefficients, "W")
    if b is None:
        intercepts = np.ldexp(ready.fit.best_intercept(np.ldexp(columns, ready.ex - ready.ey)), ready.ey)
    else:
        intercepts = inputs.vector(b, "b", T, of="the tasks")
        if not estimator.fit_intercept and intercepts.any():
            raise DataError("b must be zero with fit_intercept=False; got an intercept that is not")
    if rigorous:
        return certify(estimator, data, ready, coefficients, intercepts)
    return ready.certify(estimator, coefficients, intercepts, estimator._weights())
