"""Multi-task relationship learning: the tasks' coefficients and the covariance between the tasks, together.

(P)  min over W (p, T), b (T,), Ω (T, T):   L(W, b) + lam/2 tr(W Ω⁻¹ W') + ridge/2 ‖W‖_F²,   Ω ⪰ 0, tr Ω = 1
                                          = L(W, b) + lam/2 ‖W‖_*² + ridge/2 ‖W‖_F²   for the best Ω,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t),   ‖W‖_* = Σ_i σ_i(W)
(D)  max over θ_t (n_t,), m >= 0:   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − m² / (2 lam)
     − Σ_i (σ_i(G) − m)₊² / (2 ridge),   G = [X_t' θ_t]_t (p, T); with ridge = 0 m = σ_1(G);
     for a given Ω − tr(G (lam Ω⁻¹ + ridge I)⁻¹ G') / 2 in place of the terms in m
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   Ω = (W'W)^{1/2} / tr (W'W)^{1/2};   W = G Ω (ridge Ω + lam I)⁻¹;
     the best m is lam ‖W‖_*, and solves m = lam Σ_i (σ_i(G) − m)₊ / ridge

Source: Zhang & Yeung 2010.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.errors import DataError
from mtlref.linear.kernelized import KernelModel
from mtlref.linear.newtask import NewTask, new_task
from mtlref.linear.prepared import Prepared, Start
from mtlref.optim.alternation import alternation
from mtlref.optim.coupled import over_graph
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space, quadratic_penalty
from mtlref.optim.squaredtrace import squared_trace_norm_fit
from mtlref.registry import register

Array = NDArray[np.float64]


def objective(
    fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0, omega: Array | None = None
) -> float:
    """F(W, b), at the best Ω or at ``omega``."""
    sigma = np.linalg.svd(W, compute_uv=False)
    if omega is None:
        relation = float(sigma.sum()) ** 2
    else:
        relation = float(np.vdot(W, np.linalg.solve(omega, W.T).T))
    return fit.total(W, b) + lam / 2 * relation + ridge / 2 * float(sigma @ sigma)  # (P)


def certificate(
    fit: DataFit, W: Array, b: Array, *, lam: float, ridge: float = 0.0, omega: Array | None = None
) -> Certificate:
    """The duality gap at the θ of (K)."""
    primal = objective(fit, W, b, lam=lam, ridge=ridge, omega=omega)
    point = fit.dual_point(W)
    modulus = ridge
    if omega is None:
        g = np.linalg.svd(point.G, compute_uv=False)
        k = np.arange(1, len(g) + 1)
        # m solves (K): for the right number of values above it, which is where it is largest. Any m >= 0 is a bound.
        m = float((lam * np.cumsum(g) / (ridge + lam * k)).max()) if ridge else float(g[0])
        conjugate = m**2 / (2 * lam)  # (D)
        if ridge:
            excess = np.maximum(g - m, 0.0)
            conjugate += float(excess @ excess) / (2 * ridge)  # (D)
    else:
        level, Q = np.linalg.eigh(omega)
        apart = point.G @ Q
        conjugate = float(np.square(apart).sum(axis=0) @ (level / (lam + ridge * level))) / 2  # (D)
        modulus = ridge + lam / float(level[-1])
    dual = fit.raised(
        point.value() - conjugate, primal, W, b
    )  # the penalty may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=modulus)


def iterates(
    problem: Problem, start: Start | None, *, lam: float, ridge: float = 0.0, omega: Array | None = None
) -> Iterator[Iterate]:
    """ADMM on the eliminated problem, prox-Newton around it for the logistic loss; for a given Ω a linear system."""
    if omega is None:
        return in_row_space(problem, start, lambda q, begin: squared_trace_norm_fit(q, begin, lam, ridge))
    level, Q = np.linalg.eigh(omega)
    M = (Q * (lam / level)) @ Q.T + ridge * np.eye(len(Q))
    return in_row_space(
        problem,
        start,
        lambda q, begin: quadratic_penalty(q, begin, lambda V: M @ V, lambda q: over_graph(q, M)),
    )


def task_covariance(W: Array) -> Array:
    """Ω = (W'W)^{1/2} / tr (W'W)^{1/2} (T, T); I / T for W = 0, where every Ω is as good."""
    _, sigma, Vt = np.linalg.svd(W, full_matrices=False)
    if not sigma[0] > 0:
        return np.eye(W.shape[1]) / W.shape[1]
    return np.asarray((Vt.T * (sigma / sigma.sum())) @ Vt)  # (K)


@register(
    family="linear",
    penalty="lam/2 tr(W Ω⁻¹ W') + ridge/2 ‖W‖_F², Ω ⪰ 0, tr Ω = 1",
    sources=("zhang2010", "argyriou2008"),
    properties=("convex", "rotation_invariant", "task_rotation_invariant", "permutation_equivariant"),
)
class MTRL(KernelModel):
    """Multi-task relationship learning: coefficients and the covariance between tasks, together.

    Minimises L(W, b) + lam/2 tr(W Ω⁻¹ W') + ridge/2 ‖W‖_F² over W (p, T), the unpenalised intercepts b (T,) and
    Ω (T, T) with Ω ⪰ 0, tr Ω = 1   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies tr(W Ω⁻¹ W')/2; unit: loss per squared coefficient.
    ridge : float >= 0, default 0.0.
    omega : None (default: Ω is learned), or Ω, an array (T, T), symmetric and positive definite, in the order of the
        tasks of the data.
    kernel : None (default), or a callable k(X, Z) -> (n, m), symmetric and positive semidefinite: W then are
        coefficients in the span of the rows, whose coordinates ``features`` gives.
    solver : "direct" (default): the problem with Ω eliminated. "alternating": the paper's alternation between W and Ω.
        It stalls where the best Ω has lost rank, at relative gaps of 1e-6 to 1e-3, and with more tasks than features
        far from the optimum, after one round: Ω then has rank p, and keeps its first range. The certificate
        says how far.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, task_covariance_ (T, T), task_correlation_ (T, T),
    task_similarity_ (T, T), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap. No finite lam makes W = 0 optimal: there is no lam_max.
    Cost: O(Σ_t n_t p² + T p³) once; some ten iterations of O(T p² + p T min(p, T)) and, while rank · p <= 450, some ten
    Newton steps of O(T rank (rank p)²); else some tens or hundreds of iterations.
    Departs from the source: Ω eliminated, so that it may be singular; unpenalised intercepts, row weights, logistic
    loss. Source: zhang2010.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> model = mt.MTRL(lam=1.0, scaling="sum", fit_intercept=False)
    >>> model.fit([np.eye(2), np.eye(2)], [[2.0, 4.0], [-2.0, -4.0]]).coef_.round(6)
    array([[ 1.,  2.],
           [-1., -2.]])
    >>> model.task_correlation_.round(6)
    array([[ 1., -1.],
           [-1.,  1.]])
    """

    degrees = {"lam": 2, "ridge": 2}
    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    sparse_rows = True

    def __init__(
        self,
        lam: float = 0.1,
        *,
        ridge: float = 0.0,
        omega: Any = None,
        kernel: Any = None,
        solver: str = "direct",
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.ridge = ridge
        self.omega = omega
        self.kernel = kernel
        self.solver = solver
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def iterates(self, problem: Problem, start: Start | None, **weights: Any) -> Iterator[Iterate]:
        """The iterates of the solver that was asked for."""
        if self.solver == "direct" or weights.get("omega") is not None:
            return iterates(problem, start, **weights)
        lam, ridge = weights["lam"], weights["ridge"]
        return in_row_space(problem, start, lambda q, begin: alternation(q, begin, lam, ridge))

    def _weights(self) -> dict[str, Any]:
        inputs.choice(self.solver, "solver", ("direct", "alternating"))
        omega = None if self.omega is None else _check_omega(self.omega)
        return {**super()._weights(), "omega": omega}

    def _prepare(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> Prepared:
        ready = super()._prepare(X, y, tasks, sample_weight)
        T = ready.data.T
        if self.omega is not None and np.shape(self.omega) != (T, T):
            raise DataError(f"omega must have shape ({T}, {T}), a row a task; got {np.shape(self.omega)}")
        return ready

    @property
    def task_covariance_(self) -> Array:
        """(T, T): Ω, of trace 1 where it is learned; I / T where all coefficients are zero."""
        self._check_fitted()
        return task_covariance(self.coef_.T) if self.omega is None else _check_omega(self.omega)

    @property
    def task_correlation_(self) -> Array:
        """(T, T): Ω_st / √(Ω_ss Ω_tt), with ones on the diagonal; 0 beside a task whose coefficients are all zero."""
        omega = self.task_covariance_
        size = np.sqrt(np.diag(omega))
        unit = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
        out = np.clip(unit[:, None] * omega * unit, -1.0, 1.0)
        np.fill_diagonal(out, 1.0)
        return out

    def add_task(self, X: Any, y: Any, sample_weight: Any = None) -> NewTask:
        """Learn one more task and its covariance with the fitted ones, which stay as they are.

        X (n, p), y (n,): rows of the new task. Returns NewTask: coef (p,), intercept, task_covariance (T + 1, T + 1),
        task_correlation, certificate. Raises NotFitted, and FormError with a given omega or a kernel.
        """
        self._check_fitted()
        return new_task(self, X, y, sample_weight)


def _check_omega(omega: Any) -> Array:
    A = inputs.as_float(omega, "omega", 2)
    inputs.check_finite(A, "omega")
    if A.shape[0] != A.shape[1]:
        raise DataError(f"omega must be square, (T, T); got shape {A.shape}")
    if (A != A.T).any():
        raise DataError("omega must be symmetric; got omega[s, t] != omega[t, s]")
    level = np.linalg.eigvalsh(A)
    if not level[0] > 1e-14 * level[-1]:
        raise DataError(
            f"omega must be positive definite; got eigenvalues from {level[0]:.3e} to {level[-1]:.3e}"
        )
    return A
