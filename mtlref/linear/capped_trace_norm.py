"""Multi-stage learning with reduced rank: singular values that are large enough cost a constant and are not shrunk.

(P)  min over W (p, T), b (T,):   L(W, b) + lam Σ_i min(σ_i(W), threshold) + ridge/2 ‖W‖_F², not convex;
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(M)  its convex majoriser made at V (p, T): L(W, b) + lam ‖W‖_* − lam <S, W> + lam k threshold + ridge/2 ‖W‖_F²,
     S = U_k V_k' of the k singular values of V that are at or above the threshold: the tangent of the concave part
(D)  its dual: max over θ_t (n_t,): −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) + lam k threshold
     − Σ_i (σ_i(G + lam S) − lam)₊² / (2 ridge), G = [X_t' θ_t]_t (p, T); with ridge = 0: σ_1(G + lam S) <= lam
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  W minimises (M) made at V = W:   θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t), G − ridge W + lam S = lam (U V' + R)
     with W = U Σ V', U'R = 0, R V = 0, σ_1(R) <= 1. Every local minimum of (P) does.

Source: Sun, Xiang & Ye 2013 (difference of convex functions); Han & Zhang 2016.
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
from mtlref.optim.smooth import in_row_space
from mtlref.optim.spectral import PartialTraceTerm, TraceNormTerm, spectral_fit
from mtlref.optim.spectralleap import spectral_leap
from mtlref.registry import register

Array = NDArray[np.float64]
# What rounding may leave of a singular value of G + lam S; as much of ‖W‖_* enters every gap.
ROUNDED = 1e-13
# Leaps before the next stage, while the number of singular values above the threshold changes.
LEAPS = 8


def objective(
    fit: DataFit, W: Array, b: Array, *, lam: float, threshold: float = np.inf, ridge: float = 0.0
) -> float:
    """F(W, b)."""
    sigma = np.linalg.svd(W, compute_uv=False)
    capped = float(np.minimum(sigma, threshold).sum())
    return fit.total(W, b) + lam * capped + ridge / 2 * float(sigma @ sigma)  # (P)


def tangent(V: Array, threshold: float) -> tuple[Array, int]:
    """(S, k) of (M)."""
    U, sigma, Vt = np.linalg.svd(V, full_matrices=False)
    k = int((sigma >= threshold).sum())
    return np.asarray(U[:, :k] @ Vt[:k]), k


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
    S, k = tangent(W if at is None else at, threshold)
    point = fit.dual_point(W)
    # The ridge term counted with the loss: its dual variable is −ridge W.
    held = lam * S - ridge * W
    polar = float(np.linalg.svd(point.G + held, compute_uv=False)[0])
    if k == 0:
        alpha = (
            point.best_multiple(min(1.0, lam / polar) if ridge else lam / polar) if polar > 0 else 1.0
        )  # (F)
        dual = point.value(alpha) - ridge / 2 * float(np.square(alpha)) * float(np.vdot(W, W))
    elif ridge:
        # (1 − τ) (G + held) is feasible; of it (1 − τ) θ bears the loss's part, and the ridge term the rest.
        tau = max(0.0, 1.0 - lam / polar) if polar > 0 else 0.0
        rest = (1 - tau) * held - lam * S
        dual = point.value(1.0 - tau) - float(np.vdot(rest, rest)) / (2 * ridge)
    else:
        dual = _feasible(fit, W, lam, S)
    if ridge:
        excess = np.maximum(np.linalg.svd(point.G + lam * S, compute_uv=False) - lam, 0.0)
        dual = max(dual, point.value() - float(excess @ excess) / (2 * ridge))  # (D)
    constant = lam * k * threshold if k else 0.0
    if at is None:
        primal = objective(fit, W, b, lam=lam, threshold=threshold, ridge=ridge) - constant
    else:
        penalty = lam * (float(np.linalg.svd(W, compute_uv=False).sum()) - float(np.vdot(S, W)))
        primal = fit.total(W, b) + penalty + ridge / 2 * float(np.vdot(W, W))  # (M)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    rounding = point.rounding + ROUNDED * lam * float(np.linalg.svd(W, compute_uv=False).sum())
    return Certificate.from_values(
        primal + constant, dual + constant, fit.null, rounding, speck=fit.speck,
        kind="stationarity" if at is None else "duality gap",
    )  # fmt: skip


def _feasible(fit: DataFit, W: Array, lam: float, S: Array) -> float:
    """The value of a feasible θ near that of (K), ridge = 0.

    As S has singular values of one, scaling G does not make it feasible. Of G + lam S it keeps the share 1 − τ: G turns
    into (1 − τ) G − τ lam S_0, S_0 being S as far as the rows span it, so that σ_1 is at most
    (1 − τ) σ_1(G + lam S) + τ lam σ_1(S − S_0), which for the τ below is lam.
    """
    point = fit.dual_point(W)
    excess = float(np.linalg.svd(point.G + lam * S, compute_uv=False)[0]) - lam
    if excess <= ROUNDED * lam:
        return point.value()
    spanned = point.G - fit.pushed_point(W, lam * S).G
    unseen = float(np.linalg.svd(lam * S - spanned, compute_uv=False)[0])
    if not unseen < lam:
        return -np.inf
    tau = excess / (excess + lam - unseen)
    moved = fit.pushed_point(W, tau / (1 - tau) * lam * S)
    size = float(np.linalg.svd((1 - tau) * moved.G + lam * S, compute_uv=False)[0])
    return moved.value(1 - tau) if size <= lam * (1 + ROUNDED) else -np.inf  # (F)


def iterates(
    problem: Problem,
    start: Start | None,
    *,
    lam: float,
    threshold: float = np.inf,
    ridge: float = 0.0,
    at: Array | None = None,
) -> Iterator[Iterate]:
    """One stage: the trace norm less the linear term made at ``at``; at=None is the trace norm."""
    S, k = (np.zeros((problem.p, problem.T)), 0) if at is None else tangent(at, threshold)
    if k and problem.fewer_rows_than_features:
        S = problem.row_space[0].T @ S
    pull = lam * S.T if k else None
    if k and start is not None:
        yield start  # where (M) is made may be where it is least
    yield from in_row_space(
        problem, start, lambda part, begin: spectral_fit(part, begin, TraceNormTerm(lam), ridge, pull)
    )


def leap(
    problem: Problem, W: Array, b: Array, *, lam: float, threshold: float = np.inf, ridge: float = 0.0
) -> tuple[Start | None, int]:
    """A stationary point near W where as many singular values are free as are above the threshold; it may miss."""
    sigma = np.linalg.svd(W, compute_uv=False)
    free, spent = int((sigma >= threshold).sum()), 0
    if free == 0:
        return None, 0
    for _ in range(LEAPS):
        (W, b), steps = spectral_leap(problem, (W, b), PartialTraceTerm(lam, free), ridge)
        spent += steps
        last, free = free, int((np.linalg.svd(W, compute_uv=False) >= threshold).sum())
        if free in (0, last):
            break
    return (W, b), spent


@register(
    family="linear",
    penalty="lam Σ_i min(σ_i(W), threshold) + ridge/2 ‖W‖_F²",
    sources=("sun2013", "han2016"),
    properties=(
        "staged",
        "low_rank",
        "has_lam_max",
        "rotation_invariant",
        "task_rotation_invariant",
        "permutation_equivariant",
    ),
    certificate="stationarity",
)
class CappedTraceNorm(StagedModel):
    """Reduced rank by a capped trace norm: large singular values are not shrunk.

    Minimises L(W, b) + lam Σ_i min(σ_i(W), threshold) + ridge/2 ‖W‖_F² over W (p, T) and b (T,)   (P)

    by stages, each a trace norm less the tangent of what is capped. The first is TraceNorm.

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the capped singular values; unit: loss per coefficient.
    threshold : float > 0 or infinite, default 1.0. Larger singular values are free; unit: coefficient.
    ridge : float >= 0, default 0.0.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0); a stage when its own is a tenth of that.
    max_iter : int >= 1, default 10000. Iterations of all stages together.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, stages_ (objective and certificate of each stage),
    rank_ (int), singular_values_ (min(p, T),), task_similarity_ (T, T), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged, with the logistic
    loss also where what is free separates the classes: there is no minimum then, unless ridge > 0.

    Certificate: stationarity, the duality gap of the majoriser made at W itself: F cannot be lowered by more than
    that along it. It says nothing of other stationary points. result_.history has one entry a stage; the objective
    falls from stage to stage. At lam >= lam_max = σ_1(G) at W = 0 the answer is zero.
    Cost: stages times that of the trace norm, each started at the last one's answer; where they creep, Newton's steps
    in factors of W of rank m, O(T p² m) each, with some tens of inner steps of O(T p²).
    Departs from the source: unpenalised intercepts, row weights, the ridge term; certified stages until nothing
    changes. Source: sun2013; han2016.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_shared(np.eye(2), [[5.0, 0.0], [0.0, 1.5]])
    >>> model = mt.CappedTraceNorm(lam=1.0, threshold=2.0, scaling="sum", fit_intercept=False).fit(data)
    >>> model.coef_.round(6) + 0.0
    array([[5. , 0. ],
           [0. , 0.5]])
    >>> model.rank_, len(model.stages_)
    (2, 2)
    """

    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)
    leap = staticmethod(leap)

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
        return float(np.linalg.svd(G, compute_uv=False)[0])

    @property
    def singular_values_(self) -> Array:
        """(min(p, T),): singular values of W, largest first."""
        self._check_fitted()
        return np.asarray(np.linalg.svd(self.coef_, compute_uv=False))

    @property
    def rank_(self) -> int:
        """The number of singular values of W that are not zero to rounding."""
        sigma = self.singular_values_
        # The prox sets singular values to zero exactly; forming W brings them back at the size of rounding.
        return int((sigma > sigma[0] * 1e-10).sum()) if sigma[0] > 0 else 0
