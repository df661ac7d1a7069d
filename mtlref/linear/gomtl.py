"""Overlapping groups of tasks: every task is a sparse combination of a few latent tasks.

(P)  min over L (p, k), S (k, T), b (T,):   F = L(L S, b) + mu ‖S‖_1 + lam ‖L‖_F²,   W = L S,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
     Not convex in L and S together; convex in S and b for a given L, and in L and b for a given S.
(D)  With θ_t (n_t,), G = [X_t' θ_t]_t (p, T) and D(θ) = −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)):
     for a given L, max D(θ) + lam ‖L‖_F² over max abs(L' G) <= mu;
     for a given S, max D(θ) − ‖G S'‖_F² / (4 lam) + mu ‖S‖_1
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   G S' = 2 lam L;   l_j' g_t = mu sign(S_jt) where S_jt ≠ 0, else
     abs(l_j' g_t) <= mu
(B)  min F >= min over W of L(W) + κ Σ_t ‖w_t‖,   κ = (3/2)^{3/2} mu (2 lam / U)^{1/2} for any U >= min F
(C)  l_j a and s_j / a leave W as it is, and cost least at a³ = mu ‖s_j‖_1 / (2 lam ‖l_j‖²): then the penalty is
     (3/2) (2 lam mu²)^{1/3} Σ_j (‖l_j‖ ‖s_j‖_1)^{2/3}. So W depends on lam and mu through lam mu² alone

Proof of (B): let γ_j = ‖l_j‖ ‖s_j‖_1 and c = (3/2) (2 lam mu²)^{1/3}. By (C) the penalty is at least c Σ_j γ_j^{2/3},
and at a global minimum it is at most U, the loss being >= 0. So γ_j^{1/3} <= (U/c)^{1/2} there, and the penalty is at
least c Σ_j γ_j / γ_j^{1/3} >= c^{3/2} U^{-1/2} Σ_j γ_j; and Σ_t ‖w_t‖ <= Σ_t Σ_j abs(S_jt) ‖l_j‖ = Σ_j γ_j. The right
side of (B) is convex, and bounded from below by D(θ) for any θ with ‖g_t‖ <= κ.

Source: Kumar & Daumé 2012.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.linear.factored import FactoredModel
from mtlref.optim.factored import centred_rows, descend, single_task_start
from mtlref.optim.factorpair import Factors, balanced, random_start, singular_start
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.registry import register

Array = NDArray[np.float64]

# The ridge of the single-task solutions to start from, relative to the largest curvature of a task.
START_RIDGE = 1e-2


def objective(fit: DataFit, W: Factors, b: Array, *, lam: float, mu: float) -> float:
    """F(L, S, b)."""
    return fit.total(W.L @ W.S, b) + mu * float(np.abs(W.S).sum()) + lam * float(np.vdot(W.L, W.L))  # (P)


def certificate(fit: DataFit, W: Factors, b: Array, *, lam: float, mu: float) -> Certificate:
    """Block optimality: what S and b could gain with L fixed, plus what L and b could gain with S fixed, at most."""
    L, S = W
    point = fit.dual_point(L @ S)
    primal = objective(fit, W, b, lam=lam, mu=mu)
    size, length = lam * float(np.vdot(L, L)), mu * float(np.abs(S).sum())
    polar = np.abs(L.T @ point.G).max(axis=0)
    limit = np.divide(mu, polar, out=np.full_like(polar, 1e300), where=polar > 0)
    codes = point.value(point.best_multiple(limit, each=True)) + size  # (D)
    pull = point.G @ S.T
    basis = point.value() - float(np.vdot(pull, pull)) / (4 * lam) + length  # (D)
    # What is left of the penalty in a block is >= 0, and may be too small for its dual to show.
    codes = size + fit.raised(codes - size, primal - size, L @ S, b)
    basis = length + fit.raised(basis - length, primal - length, L @ S, b)
    rounding = 4 * point.rounding  # θ's goes into the conjugate too, by way of G
    parts = [
        Certificate.from_values(primal, dual, fit.null, rounding, speck=fit.speck) for dual in (codes, basis)
    ]
    gap = parts[0].gap + parts[1].gap
    relative = parts[0].relative_gap + parts[1].relative_gap
    return Certificate("block optimality", primal, primal - gap, gap, relative, fit.null)


def bound(fit: DataFit, W: Factors, b: Array, *, lam: float, mu: float) -> float:
    """(B) at this W's θ: a lower bound of min F over all L, S and b."""
    most = objective(fit, W, b, lam=lam, mu=mu)
    if not most > 0:
        return 0.0
    kappa = 1.5**1.5 * mu * np.sqrt(2 * lam / most)  # (B)
    point = fit.dual_point(W.L @ W.S)
    norms = np.linalg.norm(point.G, axis=0)
    limit = np.divide(kappa, norms, out=np.full_like(norms, 1e300), where=norms > 0)
    return max(0.0, point.value(point.best_multiple(limit, each=True)) - point.rounding)


def iterates(
    problem: Problem, start: tuple[Factors, Array | None], *, lam: float, mu: float
) -> Iterator[Iterate]:
    """Alternating minimisation with exact steps, and Newton's method once it descends further."""
    factors, b = start
    basis: Array | None = None
    means, problem = centred_rows(problem)
    b = None if b is None else b + np.einsum("tj,jt->t", means, factors.W)
    if problem.fewer_rows_than_features:  # L lies in the span of the rows: leaving it changes no prediction
        basis, problem = problem.row_space
        factors = Factors(basis.T @ factors.L, factors.S)
    for point in descend(problem, balanced(factors, lam, mu), b, lam, mu):
        L, S = point.factors
        found: Any = Factors(L if basis is None else basis @ L, S)
        yield found, None if point.b is None else point.b - np.einsum("tj,jt->t", means, found.W)


@register(
    family="linear",
    penalty="mu ‖S‖_1 + lam ‖L‖_F², W = L S",
    sources=("kumar2012",),
    properties=("factored", "rotation_invariant", "permutation_equivariant"),
    certificate="block optimality",
)
class GOMTL(FactoredModel):
    """Grouping and overlap: tasks are sparse combinations of few latent tasks.

    Minimises L(L S, b) + mu ‖S‖_1 + lam ‖L‖_F² over L (p, n_components), S (n_components, T) and the unpenalised
    intercepts b (T,)   (P). Tasks with the same entries in S form a group; groups overlap where they share some.

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the squared entries of L; unit: loss per squared coefficient.
    mu : float > 0, default 0.1. Multiplies the absolute entries of S; unit: loss. W depends on lam mu² alone   (C), so
        that one of the two may stay as it is while the other is tuned.
    n_components : int >= 1, default 4. Latent tasks; those that do not pay stay zero.
    restarts : int >= 0, default 1. Random starts beside the first one, from the singular vectors of the tasks' own
        ridge solutions. The lowest answer is kept.
    random_state : int, Generator or None, default 0. Of the restarts.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when the sum of both blocks' gaps <= tol * F(0, b0).
    max_iter : int >= 1, default 1000. Rounds of each start.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, components_ (n_components, p): L', membership_
    (T, n_components): S', subspace_ (p, rank), task_similarity_ (T, T), descent_ (rounds,): the objective of each
    iterate of the start that was kept, never rising, restart_objectives_ (1 + restarts,), lower_bound_: of the
    objective over all L and S   (B), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: block optimality: neither S (with b) for this L nor L (with b) for this S can lower the objective by
    more than the gap, the sum of both duality gaps. The objective is not convex: a lower one may exist; lower_bound_
    says how much lower at most. W = 0 is block optimal too, and is the answer where no start ends below it.
    Cost: a round O(T p² k), and for large p k some tens of inner steps of O(T p²), else O((p k)³).
    Departs from the source: unpenalised intercepts, row weights, exact steps, Newton's method, restarts. Source:
    kumar2012.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_shared(np.eye(3), [[4.0, 8.0, 0.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]])
    >>> model = mt.GOMTL(lam=0.1, mu=0.1, n_components=2, scaling="sum", fit_intercept=False).fit(data)
    >>> (model.membership_ != 0).astype(int)
    array([[1, 0],
           [1, 0],
           [0, 1]])
    >>> model.result_.certificate.kind
    'block optimality'
    """

    degrees: ClassVar[Mapping[str, int]] = {"lam": 2, "mu": 0}

    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)
    bound = staticmethod(bound)

    def __init__(
        self,
        lam: float = 0.1,
        *,
        mu: float = 0.1,
        n_components: int = 4,
        restarts: int = 1,
        random_state: int | np.random.Generator | None = 0,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 1000,
    ) -> None:
        self.lam: Any = lam
        self.mu = mu
        self.n_components = n_components
        self.restarts = restarts
        self.random_state = random_state
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def _weights(self) -> dict[str, Any]:
        inputs.count(self.n_components, "n_components")
        inputs.count(self.restarts, "restarts", least=0)
        return {"lam": self._check_lam(self.lam), "mu": inputs.positive(self.mu, "mu")}

    def lam_scale(self, data: Any, **forms: Any) -> float:
        """The natural size of lam for this mu: a thousandth of ``lam_zero``, and a tenth of its penalty   (C)."""
        return 1e-3 * self.lam_zero(data, **forms)

    def lam_zero(self, data: Any, **forms: Any) -> float:
        """A lam from which on W = 0 is proven to be the global minimum: 4/27 F(0, b0) max_t ‖g_t‖² / mu² at W = 0.

        There κ >= max_t ‖g_t‖ in (B) with U = F(0, b0). The smallest such lam may be lower.
        """
        ready = self._prepare(data, **forms)
        G = ready.fit.dual_point(np.zeros((ready.data.p, ready.data.T))).G
        steepest = float(np.square(G).sum(axis=0).max()) / float(np.ldexp(self.mu, -2 * ready.ey)) ** 2
        return float(np.ldexp(4 / 27 * ready.fit.null * steepest, 2 * ready.ex))

    def starts(self, problem: Problem, size: float) -> list[Factors]:
        """The singular vectors of the single-task solutions, and ``restarts`` random mixtures of these."""
        own = single_task_start(problem, START_RIDGE * size)
        rng = np.random.default_rng(self.random_state)
        first = singular_start(own, self.n_components)
        return [first, *(random_start(own, self.n_components, rng) for _ in range(self.restarts))]
