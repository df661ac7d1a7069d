"""Clustered multi-task learning, relaxed: tasks lie near the means of a few clusters, which the fit finds.

(P)  min over W (p, T), b (T,), M (T, T):   L(W, b) + lam eta (1 + eta) tr(W (eta I + M)⁻¹ W'),
     0 ⪯ M ⪯ I, tr M <= n_clusters,   L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti))
                            − (eta ‖G‖_F² + Σ_{i <= n_clusters} σ_i(G)²) / (4 lam eta (1 + eta)),
     G = [X_t' θ_t]_t (p, T)
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   G = 2 lam eta (1 + eta) W (eta I + M)⁻¹ with W = U Σ V',
     M = V diag(m) V', m_i = clip(τ σ_i − eta, 0, 1), Σ_i m_i = n_clusters

With M = F F' for the orthonormal indicator F of a partition, the penalty is lam Σ_t ‖w_t − mean of its cluster‖² +
lam eta ‖W‖²: the page KMeansMTL. As more of M never costs more, tr M <= n_clusters is the source's equality wherever
n_clusters <= T.

Source: Jacob, Bach & Vert 2008; Zhou, Chen & Ye 2011; the elimination of M: McDonald, Pontil & Stamos 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Start
from mtlref.optim.boxfit import box_in_row_space
from mtlref.optim.boxnorm import BoxNormTerm
from mtlref.optim.kmeans import spectral_labels
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.registry import register

Array = NDArray[np.float64]


def relaxed_indicator(sigma: Array, eta: float, n_clusters: int) -> Array:
    """The eigenvalues m of the best M for singular values sigma, of which the smallest may get none."""
    live = sigma > 1e-150 * sigma.max()
    if live.sum() <= n_clusters:
        return live.astype(float)
    s = sigma[live] / sigma.max()
    tau = np.sort(np.concatenate([eta / s, (1 + eta) / s]))
    trace = np.clip(np.multiply.outer(tau, s) - eta, 0.0, 1.0).sum(axis=1)  # linear between these τ
    m = np.zeros_like(sigma)
    m[live] = np.clip(np.interp(n_clusters, np.maximum.accumulate(trace), tau) * s - eta, 0.0, 1.0)  # (K)
    return m


def objective(fit: DataFit, W: Array, b: Array, *, lam: float, eta: float, n_clusters: int) -> float:
    """F(W, b) at the best M."""
    sigma = np.asarray(np.linalg.svd(W, compute_uv=False))
    m = relaxed_indicator(sigma, eta, n_clusters)
    return fit.total(W, b) + lam * float(sigma @ (sigma * (eta * (1 + eta) / (eta + m))))  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float, eta: float, n_clusters: int) -> Certificate:
    """The duality gap at the θ of (K)."""
    point = fit.dual_point(W)
    energy = np.square(np.linalg.svd(point.G, compute_uv=False))
    conjugate = (eta * float(energy.sum()) + float(energy[:n_clusters].sum())) / (4 * lam * eta * (1 + eta))
    dual = point.value() - conjugate  # (D)
    primal = objective(fit, W, b, lam=lam, eta=eta, n_clusters=n_clusters)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck)


def iterates(
    problem: Problem, start: Start | None, *, lam: float, eta: float, n_clusters: int
) -> Iterator[Iterate]:
    """ADMM, and an interior-point method for M where that creeps; prox-Newton around them for the logistic loss."""
    penalty = BoxNormTerm(lam * eta * (1 + eta), eta, n_clusters)
    return box_in_row_space(problem, start, penalty)


@register(
    family="linear",
    penalty="lam eta (1 + eta) tr(W (eta I + M)⁻¹ W'), 0 ⪯ M ⪯ I, tr M <= n_clusters",
    sources=("jacob2008", "zhou2011clustered", "mcdonald2016"),
    properties=("convex", "rotation_invariant", "task_rotation_invariant", "permutation_equivariant"),
)
class ClusteredMTL(LinearModel):
    """Clustered multi-task learning: tasks near the means of clusters that are found, as a convex problem.

    Minimises L(W, b) + lam eta (1 + eta) tr(W (eta I + M)⁻¹ W') over W (p, T), the unpenalised intercepts b (T,) and
    M (T, T) with 0 ⪯ M ⪯ I, tr M <= n_clusters: a relaxed indicator of clusters   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the penalty; unit: loss per squared coefficient.
    eta : float > 0, default 0.5. Weight of the size of W beside its spread within clusters; no unit.
    n_clusters : int >= 1, default 2. From min(p, T) on, M = I is best and the penalty is lam eta ‖W‖².
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, membership_ (T, T) the best M, labels_ (T,) the
    clusters read off it, task_covariance_ and task_correlation_ (T, T), task_similarity_ (T, T), with the logistic
    loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap, M eliminated.
    Cost: O(Σ_t n_t p² + T p³) once; an iteration O(T p² + p T min(p, T)), of which ten to thirty, and where that is too
    few, for p <= 50, ten of O(T p⁴ + p⁶): at most fifty together on School (T = 139, p = 28), also for eta = 0.001.
    Departs from the source: unpenalised intercepts, row weights. Source: jacob2008, zhou2011clustered; the
    paper's weights are alpha = lam and beta = lam eta.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> Y = [[4.0, 4.2, 0.0, 0.1], [0.0, 0.1, 4.0, 4.2]]
    >>> model = mt.ClusteredMTL(lam=0.5, eta=0.1, scaling="sum", fit_intercept=False).fit(np.eye(2), Y)
    >>> model.labels_
    array([0, 0, 1, 1])
    """

    degrees: ClassVar[dict[str, int]] = {"lam": 2}
    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    sparse_rows = True
    iterates = staticmethod(iterates)

    def __init__(
        self,
        lam: float = 0.1,
        *,
        eta: float = 0.5,
        n_clusters: int = 2,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.eta = eta
        self.n_clusters = n_clusters
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def _weights(self) -> dict[str, Any]:
        shape = {
            "eta": inputs.positive(self.eta, "eta"),
            "n_clusters": inputs.count(self.n_clusters, "n_clusters"),
        }
        return {**super()._weights(), **shape}

    @property
    def membership_(self) -> Array:
        """(T, T): the best M. Where W has fewer than n_clusters directions, the others share what is left of tr M."""
        self._check_fitted()
        V, sigma, _ = np.linalg.svd(self.coef_)
        sigma = np.where(sigma > 1e-10 * sigma.max(), sigma, 0.0)
        m = np.zeros(len(V))
        m[: len(sigma)] = relaxed_indicator(sigma, self.eta, self.n_clusters) if sigma.any() else 0.0
        rank = int((sigma > 0).sum())
        if rank < len(V):
            m[rank:] += min(1.0, max(self.n_clusters - rank, 0) / (len(V) - rank))
        return np.asarray((V * m) @ V.T)

    @property
    def labels_(self) -> NDArray[np.intp]:
        """(T,): k-means on the leading n_clusters eigenvectors of M; clusters numbered by their first task."""
        return spectral_labels(self.membership_, min(self.n_clusters, len(self.tasks_)))

    @property
    def task_covariance_(self) -> Array:
        """(T, T): eta I + M, the prior covariance of the tasks' coefficients up to its scale."""
        return self.eta * np.eye(len(self.tasks_)) + self.membership_

    @property
    def task_correlation_(self) -> Array:
        """(T, T): the correlations of M, of what the tasks share; with eta I those of many tasks would all be faint.

        Zero with other tasks for a task that M leaves out.
        """
        size = np.sqrt(np.maximum(np.diag(self.membership_), 0.0))
        both = np.outer(size, size)
        found = np.divide(self.membership_, both, out=np.zeros_like(both), where=both > 0)
        np.fill_diagonal(found, 1.0)
        return np.clip(found, -1.0, 1.0)
