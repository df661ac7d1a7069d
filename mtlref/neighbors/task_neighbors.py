"""Nearest neighbours over the rows of all tasks, with learned weights from task to task.

(P)  min over Σ (T, T):   Σ_t c_t Σ_i u_ti l(y_ti, b_t + a_ti' σ_t) + lam/2 ‖Σ‖_F² + lam_sym/4 ‖Σ − Σ'‖_F²
     with abs(σ_tq) <= σ_tt for all t, q (so that σ_tt >= 0), σ_t (T,) the rows of Σ, and votes
     a_tiq = Σ of s_ij (y_j − m_q) over those of the k rows nearest to x_ti that belong to task q; u_ti row weights
(D)  max over θ_t (n_t,), Z (T, T):   −Σ_ti c_t u_ti l*(y_ti, −θ_ti / (c_t u_ti)) − b_t θ_ti − <G + Z, M⁻¹ (G + Z)> / 2,
     G = [A_t' θ_t]_t by rows, M the form of the penalties: lam on the symmetric part of a matrix and
     lam + 2 lam_sym on the antisymmetric one
(F)  Z_tt >= Σ_{q ≠ t} abs(Z_tq) for each task: the rows of Z lie in the dual cone
(K)  θ_ti = −c_t u_ti l'(y_ti, b_t + a_ti' σ_t);   M Σ = G + Z;   <Z_t, σ_t> = 0

Source: Zhang 2013.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError, NotConverged
from mtlref.estimator import Estimator
from mtlref.losses import LOSSES
from mtlref.neighbors.asked import scores
from mtlref.neighbors.votes import Local, Memory, constants
from mtlref.optim.conic import Rows, cone_fit
from mtlref.optim.result import Certificate, Result, Status
from mtlref.optim.run import Iterate, run
from mtlref.registry import register
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)


def objective(local: Local, S: Array, *, lam: float, lam_sym: float) -> float:
    """F(Σ); infinite where a weight exceeds its row's diagonal."""
    if (np.abs(S) > np.diagonal(S)[:, None]).any():
        return np.inf
    value = LOSSES[local.loss].value
    total = sum(float(c @ value(y, z)) for c, y, z in zip(local.c, local.y, local.scores(S), strict=True))
    return total + lam / 2 * float(np.vdot(S, S)) + lam_sym / 4 * float(np.square(S - S.T).sum())  # (P)


def certificate(local: Local, S: Array, *, lam: float, lam_sym: float) -> Certificate:
    """The duality gap at the θ and Z of (K), Z's diagonal raised as far as (F) asks."""
    loss = LOSSES[local.loss]
    G, dual, rounding = np.empty_like(S), 0.0, 0.0
    for t, (z, y, c) in enumerate(zip(local.scores(S), local.y, local.c, strict=True)):
        slope = loss.grad(y, z)
        G[t] = -(c * slope) @ local.A[t]
        # −c l*(y, l') as −θ / c = l', and what the offset takes of <l', z>.
        dual -= float(c @ (loss.conjugate(y, slope) - local.b[t] * slope))
        rounding += EPS * float(c @ (np.abs(slope) * (np.abs(y) + np.abs(z)) + loss.value(y, z)))
    Z = lam * S + lam_sym * (S - S.T) - G
    others = np.abs(Z).sum(axis=1) - np.abs(Z.diagonal())
    np.fill_diagonal(Z, np.maximum(Z.diagonal(), others))  # (F)
    B = G + Z
    even, odd = (B + B.T) / 2, (B - B.T) / 2
    dual -= float(np.vdot(even, even)) / (2 * lam) + float(np.vdot(odd, odd)) / (
        2 * (lam + 2 * lam_sym)
    )  # (D)
    primal = objective(local, S, lam=lam, lam_sym=lam_sym)
    scale = objective(local, np.zeros_like(S), lam=lam, lam_sym=lam_sym)
    return Certificate.from_values(primal, dual, scale, rounding, modulus=lam)


def iterates(local: Local, start: Array | None, *, lam: float, lam_sym: float) -> Iterator[Iterate]:
    """Accelerated projected gradients, a step for each task."""
    tasks = tuple(
        Rows(A, y, float(b), c) for A, y, b, c in zip(local.A, local.y, local.b, local.c, strict=True)
    )
    return cone_fit(tasks, local.loss, lam, lam_sym, start)


@register(
    family="neighbors",
    penalty="lam/2 ‖Σ‖_F² + lam_sym/4 ‖Σ − Σ'‖_F²",
    sources=("zhang2013",),
    properties=("convex", "local"),
)
class TaskNeighbors(Estimator):
    """Nearest neighbours from all tasks: neighbours vote with a weight from their task to yours.

    Minimises Σ_t c_t Σ_i u_ti l(y_ti, b_t + a_ti' σ_t) + lam/2 ‖Σ‖_F² + lam_sym/4 ‖Σ − Σ'‖_F² over Σ (T, T),
    abs(σ_tq) <= σ_tt   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Pulls the weights to zero; unit: loss per squared weight.
    lam_sym : float >= 0, default 0.1. Pulls Σ to a symmetric matrix; the same unit.
    n_neighbors : int >= 1, default 10. Neighbours of a row, over all tasks, the row itself left out.
    bandwidth : float > 0 or None, default None. Of the Gaussian similarity s; None: the mean distance to the last
        neighbour. Unit: that of X, whose columns should have one scale.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True. b_t is the task's best constant and m_q the mean of task q; else both are zero.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0).
    max_iter : int >= 1, default 10000.

    Attributes: task_weights_ (T, T), offsets_ (T,), bandwidth_, tasks_, result_, n_iter_, with the logistic loss
    classes_.

    Raises: DataError for fewer rows than neighbours or parameters out of range, FormError for Moments (``fit``).
    Warns: NotConverged.

    Certificate: duality gap, and from it the distance to the best Σ.
    Cost: O(N² p) for the neighbours, then an iteration O(T³) (logistic: O(N T)).
    Departs from the source: the similarities of a neighbourhood sum to one, for regression too, in place of a quotient
    that is not linear in Σ; targets are centred; the logistic loss in place of the hinge. Source: zhang2013.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> X = np.linspace(0, 1, 20)[:, None]
    >>> model = mt.TaskNeighbors(lam=1e-3, n_neighbors=4).fit([X, X + 0.01], [X[:, 0], -X[:, 0]])
    >>> bool(model.task_weights_[0, 1] < 0 < model.task_weights_[0, 0])
    True
    """

    task_weights_: Array
    offsets_: Array
    bandwidth_: float
    result_: Result
    _memory: Memory
    _learned = "task_weights_"
    degrees: ClassVar[dict[str, int]] = {"lam": 2, "lam_sym": 2}
    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)

    def __init__(
        self,
        lam: float = 0.1,
        *,
        lam_sym: float = 0.1,
        n_neighbors: int = 10,
        bandwidth: float | None = None,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.lam_sym = lam_sym
        self.n_neighbors = n_neighbors
        self.bandwidth = bandwidth
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    # -- what a person calls -----------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> Self:
        """Fit to data in any form of the contract but Moments. Row weights multiply losses, not votes.

        Stops when the certificate's relative gap is at most ``tol``; warns NotConverged where it is not.
        """
        local, learned = self._prepare(X, y, tasks, sample_weight)
        self._solve(local, learned, None)
        return self

    def path(self, data: Any, lams: Sequence[float], **forms: Any) -> tuple[TaskNeighbors, ...]:
        """Fits for each of ``lams``, the neighbours found once and each fit started at the last one's answer."""
        values = [inputs.positive(v, "lam") for v in lams]
        if not values:
            raise DataError("lams must hold at least one value; got none")
        local, learned = self._prepare(data, **forms)
        fitted: list[TaskNeighbors] = []
        for lam in values:
            model = type(self)(**{**self.get_params(), "lam": lam})
            model._solve(local, learned, fitted[-1].task_weights_ if fitted else None)
            fitted.append(model)
        return tuple(fitted)

    def lam_scale(self, data: Any, **forms: Any) -> float:
        """The natural size of lam: the largest eigenvalue of a task's c_t A_t'A_t."""
        local, _ = self._prepare(data, **forms)
        parts = zip(local.A, local.c, strict=True)
        return max(float(np.linalg.norm(np.sqrt(c)[:, None] * A, 2)) ** 2 for A, c in parts)

    def _prepare(
        self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None
    ) -> tuple[Local, dict[str, Any]]:
        inputs.choice(self.loss, "loss", ("squared", "logistic"))
        inputs.choice(self.scaling, "scaling", ("mean", "sum"))
        inputs.flag(self.fit_intercept, "fit_intercept")
        inputs.positive(self.tol, "tol")
        inputs.count(self.max_iter, "max_iter")
        inputs.positive(self.lam, "lam")
        inputs.nonnegative(self.lam_sym, "lam_sym")
        k = inputs.count(self.n_neighbors, "n_neighbors")
        data = self._read(X, y, tasks, sample_weight)
        if not isinstance(data, TaskData):
            raise FormError("TaskNeighbors needs the rows; got Moments")
        if k >= data.N:
            raise DataError(f"n_neighbors must be less than the {data.N} rows of all tasks; got {k}")
        learned = self._remember(data)
        if self.loss == "logistic":
            data, learned["classes_"] = self._encode(data, y)
        elif any(v.dtype.kind != "f" for v in data.y):
            raise FormError('y must hold numbers for loss="squared"; use loss="logistic" for text labels')
        means, offsets = constants(data, self.loss, self.fit_intercept)
        place = np.repeat(np.arange(data.T), data.n)
        memory = Memory(np.vstack(data.X), place, np.concatenate(data.y) - means[place], data.T)
        places, squares = memory.nearest(memory.X, k, itself=True)
        if self.bandwidth is not None:
            width = inputs.positive(self.bandwidth, "bandwidth")
        else:  # one where all rows are the same and any would do
            width = float(np.sqrt(squares.max(axis=1)).mean()) or 1.0
        A = np.split(memory.votes(places, squares, width), np.cumsum(data.n)[:-1])
        weights = data.weights or tuple(np.ones(n) for n in data.n)
        c = tuple(u if self.scaling == "sum" else u / u.sum() for u in weights)
        learned |= {"offsets_": offsets, "bandwidth_": width, "_memory": memory}
        return Local(tuple(A), data.y, offsets, c, self.loss), learned

    def _solve(self, local: Local, learned: dict[str, Any], start: Array | None) -> None:
        weights = {"lam": float(self.lam), "lam_sym": float(self.lam_sym)}

        def certify(S: Array, b: Array | None) -> tuple[Certificate, Array]:
            return certificate(local, S, **weights), np.zeros(len(S))

        outcome = run(iterates(local, start, **weights), certify, certify, self.tol, self.max_iter)
        result = Result(
            self.get_params(), outcome.status, outcome.certificate, outcome.n_iter, outcome.history
        )
        if result.status is not Status.CONVERGED:
            warnings.warn(
                f"TaskNeighbors: {result.status.value} = {self.tol:g}: relative gap "
                f"{result.certificate.relative_gap:.3e} after {result.n_iter} iterations",
                NotConverged,
                stacklevel=3,
            )
        self._adopt({**learned, "task_weights_": outcome.W, "result_": result, "n_iter_": outcome.n_iter})

    @property
    def task_correlation_(self) -> Array:
        """(T, T): (σ_tq + σ_qt) / 2 over the roots of the diagonals; zero where a task's weights are all zero."""
        self._check_fitted()
        S = (self.task_weights_ + self.task_weights_.T) / 2
        root = np.sqrt(S.diagonal())
        out = np.divide(S, np.outer(root, root), out=np.zeros_like(S), where=np.outer(root, root) > 0)
        return np.clip(out, -1.0, 1.0)

    # -- prediction --------------------------------------------------------------------------------------------------

    def _scores(self, X: Any, tasks: Any) -> list[Array] | Array:
        """b_t + a' σ_t in the form that X has: a list over tasks, (m, T), or (m,)."""

        def every(rows: Array) -> Array:
            places, squares = self._memory.nearest(rows, self.result_.params["n_neighbors"], itself=False)
            return self._memory.votes(places, squares, self.bandwidth_) @ self.task_weights_.T + self.offsets_

        return scores(self, X, tasks, every)
