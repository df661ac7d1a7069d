"""Every method as a cvxpy program: an interior-point solver that shares nothing with ours but the statement of (P).

Compare values, not coefficients: such solvers know the value to 1e-8 and W to half the digits.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.linear.taskgraph import dense_graph
from mtlref.tasks import TaskData
from mtlref.verify.audit import audit
from mtlref.verify.modules import make_callable
from mtlref.verify.naive import factors, signs, weights_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OracleAnswer:
    """value : the minimum of (P).  W (p, T), b (T,).  residual : relative gap of W and b by our certificate."""

    value: float
    W: Array
    b: Array
    residual: float = math.nan


def program(estimator: Any, data: TaskData) -> tuple[Any, Any, Any]:
    """(problem, W, b): the cvxpy program of an unfitted estimator's (P) on data."""
    import cvxpy as cp

    name, parameters = type(estimator).__name__, estimator.get_params()
    T, p = data.T, data.p
    W = cp.Variable((p, T))
    b = cp.Variable(T)
    constraints = [] if estimator.fit_intercept else [b == 0]
    if estimator.loss == "logistic":
        data = signs(data)
    total: Any = 0
    for t, c in enumerate(factors(data, estimator.scaling)):
        z = data.X[t] @ W[:, t] + b[t]
        s = np.array(weights_of(data, t))
        if estimator.loss == "squared":
            total += c / 2 * cp.sum_squares(cp.multiply(np.sqrt(s), z - data.y[t]))
        else:
            total += c * cp.sum(cp.multiply(s, cp.logistic(-cp.multiply(data.y[t], z))))
    lam, ridge = parameters["lam"], parameters.get("ridge", 0.0)
    if name == "SingleTaskRidge":
        total += lam / 2 * cp.sum_squares(W)
    elif name == "Pooled":
        constraints += [W[:, t] == W[:, 0] for t in range(1, T)] + [b[t] == b[0] for t in range(1, T)]
        total += lam / 2 * cp.sum_squares(W[:, 0])
    elif name == "SingleTaskLasso":
        total += lam * cp.sum(cp.abs(W))
    elif name == "JointFeature":
        total += lam * cp.sum(cp.norm(W, 2, axis=1))
    elif name == "JointFeatureLinf":
        total += lam * cp.sum(cp.max(cp.abs(W), axis=1))
    elif name == "TraceNorm":
        total += lam * cp.normNuc(W)
    elif name == "MTFL" and parameters["diagonal"]:
        total += lam / 2 * cp.square(cp.sum(cp.norm(W, 2, axis=1)))
    elif name in ("MTRL", "MTFL"):
        # As printed, with Ω (T, T) or D (p, p): tr(W Ω⁻¹ W') is the least tr B with [B W; W' Ω] ⪰ 0.
        A = W if name == "MTRL" else W.T
        learned, bound = cp.Variable(A.shape[1:] * 2, PSD=True), cp.Variable(A.shape[:1] * 2, PSD=True)
        constraints += [cp.trace(learned) == 1, cp.bmat([[bound, A], [A.T, learned]]) >> 0]
        total += lam / 2 * cp.trace(bound)
    elif name == "MeanRegularized":
        mean = cp.sum(W, axis=1) / T
        total += lam / 2 * sum(cp.sum_squares(W[:, t] - mean) for t in range(T))
    elif name == "GraphRegularized":
        A = dense_graph(parameters["graph"], T)
        total += (
            lam / 2 * sum(A[s, t] * cp.sum_squares(W[:, s] - W[:, t]) for t in range(T) for s in range(t))
        )
        total += parameters["lam_sparse"] * cp.sum(cp.abs(W))
    elif name in ("ClusteredMTL", "ConvexASO"):
        V, k = (W.T, parameters["n_clusters"]) if name == "ClusteredMTL" else (W, parameters["dim"])
        eta, size = parameters["eta"], V.shape[0]
        M = cp.Variable((size, size), PSD=True)
        constraints += [np.eye(size) - M >> 0, cp.trace(M) <= k]
        total += lam * eta * (1 + eta) * cp.matrix_frac(V, eta * np.eye(size) + M)
    else:
        raise DataError(f"no cvxpy program for {name}")
    if ridge:
        total += ridge / 2 * cp.sum_squares(W)
    return cp.Problem(cp.Minimize(total), constraints), W, b


# Clarabel at its tightest; SCS, a first-order method, knows fewer digits.
SETTINGS: dict[str, dict[str, Any]] = {
    "CLARABEL": {
        "tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11, "reduced_tol_gap_rel": 1e-8, "max_iter": 200,
    },
    "SCS": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 50_000},
}  # fmt: skip


def solve(estimator: Any, data: TaskData, solver: str = "CLARABEL") -> OracleAnswer:
    """The minimum of the estimator's (P) on data, by one of the solvers in SETTINGS."""
    problem, W, b = program(estimator, data)
    with warnings.catch_warnings():
        # A status short of the tightest tolerance is accepted below: the residual says what the answer is worth.
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        problem.solve(solver=solver, **SETTINGS[solver])
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise DataError(f"the oracle ended with status {problem.status!r}")
    found, at = np.asarray(W.value), np.asarray(b.value)
    if estimator.pooled_intercept:  # equal to the solver's last digit alone
        found, at = np.repeat(found.mean(axis=1, keepdims=True), data.T, axis=1), np.full(data.T, at.mean())
    return OracleAnswer(float(problem.value), found, at)


def oracle(estimator: Any, data: TaskData) -> dict[str, OracleAnswer]:
    """The minimum of (P) by two solvers that share nothing with ours, nor with each other.

    Parameters
    ----------
    estimator : an unfitted estimator of a convex method.
    data : TaskData.

    Returns
    -------
    {"CLARABEL": ..., "SCS": ...} : each with value, W (p, T), b (T,) and residual, the relative gap that ``audit``
    gives its W and b: how far each is to be trusted.

    Raises: DataError where there is no program for the method, or a solver fails. Needs cvxpy.
    """
    answers = {}
    for name in SETTINGS:
        found = solve(estimator, data, name)
        # A solver's zeros are not zeros to the last digit.
        b = found.b if estimator.fit_intercept else None
        answers[name] = replace(found, residual=audit(estimator, data, found.W, b).relative_gap)
    return answers


called = oracle
make_callable(__name__)
