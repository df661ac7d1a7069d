"""Alternating structure optimisation: the tasks' coefficients lie near a shared subspace, which the fit finds.

(P)  min over W (p, T), b (T,), Θ (p, dim) with Θ'Θ = I:   L(W, b) + lam Σ_t ‖w_t − Θ Θ' w_t‖² + lam eta ‖W‖_F²
     = L(W, b) + lam (1 + eta) ‖W‖_F² − lam Σ_{i <= dim} σ_i(W)² at the best Θ,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  for one Θ, max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti))
     − (‖G − Θ Θ'G‖_F² / (1 + eta) + ‖Θ'G‖_F² / eta) / (4 lam),   G = [X_t' θ_t]_t (p, T)
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   G = 2 lam ((1 + eta) I − Θ Θ') W;   Θ spans the left singular vectors
     of W's dim largest singular values

The problem is not convex. What is certified is block optimality: Θ is the best for W, and W and b for this Θ gain no
more than the gap. ConvexASO is the relaxation: its dual value is ``bound`` <= min F.

Source: Ando & Zhang 2005, section 3, with w_t = Θ v_t + what lies outside; the ridge: Chen, Tang, Liu & Ye 2009.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.linear import convex_aso
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Prepared, Start
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate, Outcome, run
from mtlref.optim.smooth import in_row_space
from mtlref.optim.structured import around, leading, lowest, settled, subspace_rounds
from mtlref.registry import register

Array = NDArray[np.float64]
# Of the starts the best is chosen once a round gains no more than this share of F(0, b0).
ROUGH = 1e-5


def objective(
    fit: DataFit, W: Array, b: Array, *, lam: float, eta: float, dim: int, bound: float = 0.0
) -> float:
    """F(W, b) at the best Θ."""
    outside = np.linalg.svd(W, compute_uv=False)[dim:]
    return fit.total(W, b) + lam * (float(outside @ outside) + eta * float(np.vdot(W, W)))  # (P)


def certificate(
    fit: DataFit, W: Array, b: Array, *, lam: float, eta: float, dim: int, bound: float = 0.0
) -> Certificate:
    """Block optimality, and the relaxation's bound where it is above the one given."""
    primal = objective(fit, W, b, lam=lam, eta=eta, dim=dim)
    point = fit.dual_point(W)
    theta = np.linalg.svd(W, full_matrices=False)[0][:, :dim]  # (K)
    inside = theta.T @ point.G
    apart = point.G - theta @ inside
    energy = float(np.vdot(apart, apart)) / (1 + eta) + float(np.vdot(inside, inside)) / eta
    dual = fit.raised(point.value() - energy / (4 * lam), primal, W, b)  # (D)
    here = Certificate.from_values(
        primal, dual, fit.null, point.rounding, speck=fit.speck, kind="block optimality"
    )
    relaxed = convex_aso.certificate(fit, W, b, lam=lam, eta=eta, dim=dim)
    return replace(here, bound=min(max(bound, relaxed.dual, 0.0), primal))


def iterates(
    problem: Problem, start: Start | None, *, lam: float, eta: float, dim: int, bound: float = 0.0
) -> Iterator[Iterate]:
    """Rounds of linear solves (Newton's method for logistic) for Θ fixed, and Θ by a singular value decomposition."""
    begin = (np.zeros((problem.p, problem.T)), np.zeros(problem.T)) if start is None else start

    def rounds(part: Problem, inside: Start | None) -> Iterator[Iterate]:
        assert inside is not None
        return subspace_rounds(part, inside, dim, 2 * lam * (1 + eta), 2 * lam * eta)

    return in_row_space(problem, begin, rounds)


@register(
    family="linear",
    penalty="lam Σ_t ‖w_t − Θ Θ' w_t‖² + lam eta ‖W‖_F², Θ (p, dim), Θ'Θ = I",
    sources=("ando2005", "chen2009"),
    properties=("rotation_invariant", "task_rotation_invariant", "permutation_equivariant", "relaxed"),
    certificate="block optimality, lower bound",
)
class ASO(LinearModel):
    """Alternating structure optimisation: tasks near a shared subspace, by alternation.

    Minimises L(W, b) + lam Σ_t ‖w_t − Θ Θ' w_t‖² + lam eta ‖W‖_F² over W (p, T), the unpenalised intercepts b (T,)
    and Θ (p, dim) with orthonormal columns   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the squared distance from the subspace; unit: loss per squared coefficient.
    eta : float > 0, default 0.5. Weight of the size of W beside that distance; no unit.
    dim : int >= 1, default 2. The dimension of the subspace.
    n_restarts : int >= 1, default 4. Random subspaces to start at, besides that of the relaxation.
    random_state : int, Generator or None, default 0. Where the random subspaces come from.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when no block gains more than tol * F(0, b0).
    max_iter : int >= 1, default 10000. Of the rounds from the best start.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, subspace_ (p, min(dim, p)) = Θ, descent_ F after each
    half of a round from the start that won, restart_objectives_ F from every start, lower_bound_ <= min F,
    task_similarity_ (T, T), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: block optimality; ``bound``, the dual value of ConvexASO, lies below the global minimum.
    Cost: a fit of ConvexASO, and for each start some tens of rounds of O(T p² + T p dim²).
    Departs from the source: the ridge lam eta ‖W‖², unpenalised intercepts, row weights. Source: ando2005, chen2009.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> Y = [[4.0, 4.2, -3.0], [2.0, 2.1, -1.5]]  # all along (2, 1)
    >>> model = mt.ASO(lam=0.5, eta=0.1, dim=1, scaling="sum", fit_intercept=False, random_state=0).fit(np.eye(2), Y)
    >>> abs(model.subspace_[:, 0] @ [2, 1] / np.sqrt(5)).round(6)
    np.float64(1.0)
    """

    degrees: ClassVar[dict[str, int]] = {"lam": 2}
    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)

    def __init__(
        self,
        lam: float = 0.1,
        *,
        eta: float = 0.5,
        dim: int = 2,
        n_restarts: int = 4,
        random_state: Any = 0,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.eta = eta
        self.dim = dim
        self.n_restarts = n_restarts
        self.random_state = random_state
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def _weights(self) -> dict[str, Any]:
        inputs.count(self.n_restarts, "n_restarts")
        shape = {
            "eta": inputs.positive(self.eta, "eta"),
            "dim": inputs.count(self.dim, "dim"),
        }
        return {**super()._weights(), **shape}

    def _starts(self, relaxed: Array, start: Start | None) -> list[Array]:
        p, T = relaxed.shape
        rng = np.random.default_rng(self.random_state)
        known = [leading(W, self.dim) for W in (relaxed, *(() if start is None else (start[0],)))]
        size = (p, min(self.dim, p, T))
        return known + [np.linalg.qr(rng.standard_normal(size))[0] for _ in range(self.n_restarts)]

    def _run(
        self, ready: Prepared, here: dict[str, Any], start: Start | None
    ) -> tuple[Outcome, dict[str, Any]]:
        relaxation = convex_aso.iterates(ready.problem, start, **here)
        certifiers = ready.certifiers(convex_aso.ConvexASO(), here)
        relaxed = run(relaxation, *certifiers, self.tol, self.max_iter)
        # In the span of the rows where that is smaller: a subspace beyond it is of no use.
        small = ready.problem.fewer_rows_than_features
        basis, problem = ready.problem.row_space if small else (None, ready.problem)
        weight = 2 * here["lam"]

        def out(W: Array) -> Array:
            return W if basis is None else np.asarray(basis @ W)

        def solve(begin: Start | None, B: Array, share: float) -> Start:
            steps = around(problem, begin, B, weight * (1 + self.eta), weight * self.eta)
            W, b = settled(steps, share, begin)
            return W, ready.quick.best_intercept(out(W)) if b is None else b

        def within(W: Array) -> Array:
            return W if basis is None else np.asarray(basis.T @ W)

        inside = None if start is None else (within(start[0]), start[1])
        (_, W, b, _, descent), values = lowest(
            self._starts(within(relaxed.W), inside),
            (within(relaxed.W), relaxed.b),
            solve,
            lambda W, B: leading(W, self.dim),
            lambda W, b, B: self._value(ready.quick, out(W), b, B if basis is None else basis @ B, here),
            max(self.tol, ROUGH) * ready.quick.null,
            self.loss != "squared",
        )
        here = {**here, "bound": relaxed.certificate.dual}
        quick, exact = ready.certifiers(self, here)
        outcome = run(iterates(ready.problem, (out(W), b), **here), quick, exact, self.tol, self.max_iter)
        learned = {
            "descent_": np.ldexp([*descent, outcome.certificate.primal], 2 * ready.ey),
            "restart_objectives_": np.ldexp(values, 2 * ready.ey),
        }
        return outcome, learned

    @staticmethod
    def _value(fit: DataFit, W: Array, b: Array, B: Array, here: dict[str, Any]) -> float:
        """F for the subspace B, which need not be the best for W."""
        apart = W - B @ (B.T @ W)
        size = float(np.vdot(apart, apart)) + here["eta"] * float(np.vdot(W, W))
        return fit.total(W, b) + here["lam"] * size

    @property
    def lower_bound_(self) -> float:
        """A lower bound of min F: the dual value of ConvexASO."""
        self._check_fitted()
        return float(self.result_.certificate.bound or 0.0)

    @property
    def subspace_(self) -> Array:
        """(p, min(dim, p)): Θ, orthonormal columns in the order of W's singular values."""
        self._check_fitted()
        return np.asarray(np.linalg.svd(self.coef_.T)[0][:, : self.dim])
