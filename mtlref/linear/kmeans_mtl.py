"""Clustered multi-task learning as stated before it is relaxed: k-means on the task vectors inside the fit.

(P)  min over W (p, T), b (T,) and partitions of the tasks into n_clusters:
     L(W, b) + lam Σ_t ‖w_t − mean of t's cluster‖² + lam eta ‖W‖_F² = L(W, b) + lam tr(W ((1 + eta) I − F F') W'),
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t),   F (T, n_clusters) the orthonormal indicator of the clusters
(D)  for one partition, max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti))
     − (‖G − G F F'‖_F² / (1 + eta) + ‖G F F'‖_F² / eta) / (4 lam),   G = [X_t' θ_t]_t (p, T)
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   G = 2 lam W ((1 + eta) I − F F'), and no move of one task to another
     cluster lowers Σ_t ‖w_t − mean‖²

The problem is not convex. What is certified is block optimality: neither W and b for these clusters, nor the move of
one task for this W, gains more than the gap. ClusteredMTL is the relaxation: its dual value is ``bound`` <= min F.

Source: Zhou, Chen & Ye 2011.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.linear import clustered_mtl
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Prepared, Start
from mtlref.optim.kmeans import improve, k_means, partitions
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate, Outcome, run
from mtlref.optim.structured import clustered, lowest, settled
from mtlref.registry import register

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
# Up to so many tasks all partitions are tried.
EXHAUSTIVE = 6


def best_clusters(W: Array, n_clusters: int) -> Labels:
    """The best clusters of the columns: of all partitions for few tasks, else those of k-means."""
    T = W.shape[1]
    if T > EXHAUSTIVE:
        return k_means(W.T, n_clusters)
    return min(partitions(T, n_clusters), key=lambda labels: float(np.square(W - means(W, labels)).sum()))


def means(W: Array, labels: Labels) -> Array:
    """(p, T): W F F', each column its cluster's mean."""
    members = np.equal.outer(np.arange(labels.max() + 1), labels).astype(float)
    members = members[members.any(axis=1)]
    return np.asarray((W @ members.T / members.sum(axis=1)) @ members)


def objective(
    fit: DataFit, W: Array, b: Array, *, lam: float, eta: float, n_clusters: int, labels: Labels | None = None
) -> float:
    """F(W, b) for the clusters given, or the best ones for W."""
    labels = best_clusters(W, n_clusters) if labels is None else labels
    apart = W - means(W, labels)
    return fit.total(W, b) + lam * (float(np.vdot(apart, apart)) + eta * float(np.vdot(W, W)))  # (P)


def certificate(
    fit: DataFit,
    W: Array,
    b: Array,
    *,
    lam: float,
    eta: float,
    n_clusters: int,
    labels: Labels | None = None,
    bound: float = 0.0,
) -> Certificate:
    """Block optimality, and the relaxation's bound where it is above the one given."""
    labels = best_clusters(W, n_clusters) if labels is None else labels
    primal = objective(fit, W, b, lam=lam, eta=eta, n_clusters=n_clusters, labels=labels)
    point = fit.dual_point(W)
    mean = means(point.G, labels)
    apart = point.G - mean
    energy = float(np.vdot(apart, apart)) / (1 + eta) + float(np.vdot(mean, mean)) / eta
    dual = fit.raised(point.value() - energy / (4 * lam), primal, W, b)  # (D)
    gain = lam * best_move(W, labels, n_clusters)  # (K)
    dual = min(dual, primal - gain)
    here = Certificate.from_values(
        primal, dual, fit.null, point.rounding, speck=fit.speck, kind="block optimality"
    )
    relaxed = clustered_mtl.certificate(fit, W, b, lam=lam, eta=eta, n_clusters=n_clusters)
    return replace(here, bound=min(max(bound, relaxed.dual, 0.0), primal))


def best_move(W: Array, labels: Labels, n_clusters: int) -> float:
    """By how much Σ_t ‖w_t − mean‖² falls at most where one task goes to another cluster; 0 where it never does."""
    members = np.equal.outer(np.arange(max(n_clusters, labels.max() + 1)), labels).astype(float)
    size = members.sum(axis=1)
    centres = W @ members.T / np.maximum(size, 1.0)
    far = np.square(W[:, :, None] - centres[:, None, :]).sum(axis=0)  # (T, clusters)
    own = far[np.arange(len(labels)), labels]
    leaving = size[labels] / np.maximum(size[labels] - 1.0, 1.0) * own
    joining = size / (size + 1.0) * far
    joining[np.arange(len(labels)), labels] = np.inf
    gain = float((leaving - joining.min(axis=1)).max())
    return gain if gain > 1e-14 * float(np.vdot(W, W)) else 0.0


def iterates(
    problem: Problem,
    start: Start | None,
    *,
    lam: float,
    eta: float,
    n_clusters: int,
    labels: Labels,
    bound: float = 0.0,
) -> Iterator[Iterate]:
    """For the clusters given: a linear solve around each mean with refinement; Newton's method for logistic."""
    return clustered(problem, start, labels, 2 * lam * (1 + eta), 2 * lam * eta)


@register(
    family="linear",
    penalty="lam Σ_t ‖w_t − mean of its cluster‖² + lam eta ‖W‖_F²",
    sources=("zhou2011clustered",),
    properties=("rotation_invariant", "permutation_equivariant", "relaxed"),
    certificate="block optimality, lower bound",
)
class KMeansMTL(LinearModel):
    """Clustered multi-task learning by alternation: k-means on the task vectors inside the fit.

    Minimises L(W, b) + lam Σ_t ‖w_t − mean of t's cluster‖² + lam eta ‖W‖_F² over W (p, T), the unpenalised
    intercepts b (T,) and partitions of the tasks into n_clusters   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the spread within clusters; unit: loss per squared coefficient.
    eta : float > 0, default 0.5. Weight of the size of W beside that spread; no unit.
    n_clusters : int >= 1, default 2.
    n_restarts : int >= 1, default 10. Random partitions to start at, besides those of the relaxation; for 6 tasks or
        fewer all partitions are tried instead and the answer is the global minimum.
    random_state : int, Generator or None, default 0. Where the random partitions come from.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when no block gains more than tol * F(0, b0).
    max_iter : int >= 1, default 10000. Of the last solve for W.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, labels_ (T,) the clusters, membership_ (T, T) = F F',
    descent_ F after each half of a round from the start that won, restart_objectives_ F from every start,
    lower_bound_ <= min F, task_similarity_ (T, T), with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: block optimality; ``bound``, the dual value of ClusteredMTL, lies below the global minimum.
    ``audit`` takes the best clusters for W. Cost: a fit of ClusteredMTL, and for each start some rounds of O(T p²).
    Departs from the source: unpenalised intercepts, row weights; clusters by exact moves. Source: zhou2011clustered.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> Y = [[4.0, 4.2, 0.0, 0.1], [0.0, 0.1, 4.0, 4.2]]
    >>> model = mt.KMeansMTL(lam=0.5, eta=0.1, scaling="sum", fit_intercept=False).fit(np.eye(2), Y)
    >>> model.labels_
    array([0, 0, 1, 1])
    """

    degrees: ClassVar[dict[str, int]] = {"lam": 2}
    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)

    labels_: Labels

    def __init__(
        self,
        lam: float = 0.1,
        *,
        eta: float = 0.5,
        n_clusters: int = 2,
        n_restarts: int = 10,
        random_state: Any = 0,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.eta = eta
        self.n_clusters = n_clusters
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
            "n_clusters": inputs.count(self.n_clusters, "n_clusters"),
        }
        return {**super()._weights(), **shape}

    def _starts(self, relaxed: Array, start: Start | None) -> list[Labels]:
        T, k = relaxed.shape[1], min(self.n_clusters, relaxed.shape[1])
        if T <= EXHAUSTIVE:  # a finer partition never costs more
            return [labels for labels in partitions(T, k) if labels.max() + 1 == k]
        rng = np.random.default_rng(self.random_state)
        known = [k_means(W.T, k) for W in (relaxed, *(() if start is None else (start[0],)))]
        return known + [rng.permutation(np.arange(T) % k) for _ in range(self.n_restarts)]

    def _run(
        self, ready: Prepared, here: dict[str, Any], start: Start | None
    ) -> tuple[Outcome, dict[str, Any]]:
        relaxation = clustered_mtl.iterates(ready.problem, start, **here)
        certifiers = ready.certifiers(clustered_mtl.ClusteredMTL(), here)
        relaxed = run(relaxation, *certifiers, self.tol, self.max_iter)
        exhaustive = relaxed.W.shape[1] <= EXHAUSTIVE  # all partitions are tried, without moving on from any

        def solve(begin: Start | None, labels: Labels, share: float) -> Start:
            W, b = settled(iterates(ready.problem, begin, **here, labels=labels), share, begin)
            return W, ready.quick.best_intercept(W) if b is None else b

        (_, W, b, labels, descent), values = lowest(
            self._starts(relaxed.W, start),
            (relaxed.W, relaxed.b),
            solve,
            lambda W, old: old if exhaustive else improve(W.T, old, self.n_clusters),
            lambda W, b, at: objective(ready.quick, W, b, **here, labels=at),
            0.0,
            self.loss != "squared" and not exhaustive,
        )
        here = {**here, "labels": labels, "bound": relaxed.certificate.dual}
        quick, exact = ready.certifiers(self, here)
        outcome = run(iterates(ready.problem, (W, b), **here), quick, exact, self.tol, self.max_iter)
        return outcome, {
            "labels_": labels,
            "descent_": np.ldexp(descent, 2 * ready.ey),
            "restart_objectives_": np.ldexp(values, 2 * ready.ey),
        }

    @property
    def lower_bound_(self) -> float:
        """A lower bound of min F: the dual value of ClusteredMTL."""
        self._check_fitted()
        return float(self.result_.certificate.bound or 0.0)

    @property
    def membership_(self) -> Array:
        """(T, T): F F', 1 / (size of the cluster) for two tasks of one cluster."""
        self._check_fitted()
        same = np.equal.outer(self.labels_, self.labels_)
        return np.asarray(same / same.sum(axis=1))
