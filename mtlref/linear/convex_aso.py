"""Convex alternating structure optimisation: tasks share a subspace of the features, which the fit finds.

(P)  min over W (p, T), b (T,), M (p, p):   L(W, b) + lam eta (1 + eta) tr(W' (eta I + M)⁻¹ W),
     0 ⪯ M ⪯ I, tr M <= dim,   L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t)
(D)  max over θ_t (n_t,):   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti))
                            − (eta ‖G‖_F² + Σ_{i <= dim} σ_i(G)²) / (4 lam eta (1 + eta)),
     G = [X_t' θ_t]_t (p, T)
(F)  1' θ_t = 0 for each task where an intercept is fitted
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   G = 2 lam eta (1 + eta) (eta I + M)⁻¹ W with W = U Σ V',
     M = U diag(m) U', m_i = clip(τ σ_i − eta, 0, 1), Σ_i m_i = dim

With M = Θ Θ' for a Θ (p, dim) with orthonormal columns the penalty is lam Σ_t ‖w_t − Θ Θ' w_t‖² + lam eta ‖W‖²: the
page ASO. As more of M never costs more, tr M <= dim is the source's equality wherever dim <= p.

Source: Chen, Tang, Liu & Ye 2009; the elimination of M: McDonald, Pontil & Stamos 2016.
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
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.registry import register

Array = NDArray[np.float64]


def relaxed_projection(sigma: Array, eta: float, dim: int) -> Array:
    """The eigenvalues m of the best M for singular values sigma, of which the smallest may get none."""
    live = sigma > 1e-150 * sigma.max()
    if live.sum() <= dim:
        return live.astype(float)
    s = sigma[live] / sigma.max()
    tau = np.sort(np.concatenate([eta / s, (1 + eta) / s]))
    trace = np.clip(np.multiply.outer(tau, s) - eta, 0.0, 1.0).sum(axis=1)  # linear between these τ
    m = np.zeros_like(sigma)
    m[live] = np.clip(np.interp(dim, np.maximum.accumulate(trace), tau) * s - eta, 0.0, 1.0)  # (K)
    return m


def objective(fit: DataFit, W: Array, b: Array, *, lam: float, eta: float, dim: int) -> float:
    """F(W, b) at the best M."""
    sigma = np.asarray(np.linalg.svd(W, compute_uv=False))
    m = relaxed_projection(sigma, eta, dim)
    return fit.total(W, b) + lam * float(sigma @ (sigma * (eta * (1 + eta) / (eta + m))))  # (P)


def certificate(fit: DataFit, W: Array, b: Array, *, lam: float, eta: float, dim: int) -> Certificate:
    """The duality gap at the θ of (K)."""
    point = fit.dual_point(W)
    energy = np.square(np.linalg.svd(point.G, compute_uv=False))
    conjugate = (eta * float(energy.sum()) + float(energy[:dim].sum())) / (4 * lam * eta * (1 + eta))
    dual = point.value() - conjugate  # (D)
    primal = objective(fit, W, b, lam=lam, eta=eta, dim=dim)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck)


def iterates(problem: Problem, start: Start | None, *, lam: float, eta: float, dim: int) -> Iterator[Iterate]:
    """ADMM, and an interior-point method for M where that creeps; prox-Newton around them for the logistic loss."""
    penalty = BoxNormTerm(lam * eta * (1 + eta), eta, dim)
    return box_in_row_space(problem, start, penalty)


@register(
    family="linear",
    penalty="lam eta (1 + eta) tr(W' (eta I + M)⁻¹ W), 0 ⪯ M ⪯ I, tr M <= dim",
    sources=("chen2009", "mcdonald2016"),
    properties=("convex", "rotation_invariant", "task_rotation_invariant", "permutation_equivariant"),
)
class ConvexASO(LinearModel):
    """Convex alternating structure optimisation: tasks near a shared subspace that is found, as a convex problem.

    Minimises L(W, b) + lam eta (1 + eta) tr(W' (eta I + M)⁻¹ W) over W (p, T), the unpenalised intercepts b (T,) and
    M (p, p) with 0 ⪯ M ⪯ I, tr M <= dim: a relaxed projection onto the subspace   (P)

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the penalty; unit: loss per squared coefficient.
    eta : float > 0, default 0.5. Weight of the size of W beside its distance from the subspace; no unit.
    dim : int >= 1, default 2. From min(p, T) on, M = I is best and the penalty is lam eta ‖W‖².
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, subspace_ (p, min(dim, p)) an orthonormal basis of the
    leading eigenvectors of M, strengths_ (min(dim, p),) their eigenvalues, task_similarity_ (T, T), with the logistic
    loss classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap, M eliminated.
    Cost: O(Σ_t n_t p² + T p³) once; an iteration O(T p² + p T min(p, T)), of which ten to thirty, and where that is too
    few, for p <= 50, ten of O(T p⁴ + p⁶): at most fifty together on School (T = 139, p = 28), also for eta = 0.001.
    Departs from the source: unpenalised intercepts, row weights. Source: chen2009; the paper's weights are
    alpha = lam and beta = lam eta.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> Y = [[4.0, 4.2, -3.0], [2.0, 2.1, -1.5]]  # all along (2, 1)
    >>> model = mt.ConvexASO(lam=0.5, eta=0.1, dim=1, scaling="sum", fit_intercept=False).fit(np.eye(2), Y)
    >>> abs(model.subspace_[:, 0] @ [2, 1] / np.sqrt(5)).round(6)
    np.float64(1.0)
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
        dim: int = 2,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.lam: Any = lam
        self.eta = eta
        self.dim = dim
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def _weights(self) -> dict[str, Any]:
        shape = {
            "eta": inputs.positive(self.eta, "eta"),
            "dim": inputs.count(self.dim, "dim"),
        }
        return {**super()._weights(), **shape}

    @property
    def subspace_(self) -> Array:
        """(p, min(dim, p)): orthonormal columns, the eigenvectors of M's largest eigenvalues, those first.

        Where W has fewer directions than that, the others are orthogonal to it and otherwise arbitrary.
        """
        self._check_fitted()
        return np.asarray(np.linalg.svd(self.coef_.T)[0][:, : self.dim])

    @property
    def strengths_(self) -> Array:
        """(min(dim, p),): the eigenvalues of M along ``subspace_``, each in [0, 1]."""
        self._check_fitted()
        sigma = np.asarray(np.linalg.svd(self.coef_, compute_uv=False))
        m = np.zeros(self.coef_.shape[1])
        if sigma.any():
            m[: len(sigma)] = relaxed_projection(sigma, self.eta, self.dim)
        return m[: self.dim]
