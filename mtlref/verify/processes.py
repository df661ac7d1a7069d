"""The audit of a Gaussian process over tasks: its likelihood and stationarity from the definition of the covariance.

(P)  C_ij = Σ_q B_q[t_i, t_j] k_q(x_i, x_j) + Σ[t_i, t_j] where noise is shared,   r = y − mean,   α = C⁻¹ r
     f(θ) = −log p(y; θ) = ½ r' α + ½ log|C| + N/2 log 2π, less the logarithms of priors
(D)  ∂f/∂θ_k = ½ Σ_ij (C⁻¹ − α α')_ij ∂C_ij/∂θ_k − α' ∂mean/∂θ_k,  ∂C and ∂mean by complex steps of their definitions
(K)  |Π(θ − ∇f / N) − θ| in its largest entry, within the bounds of the fit, for targets scaled to variance 1

No route, no pullback and no spectrum of ``mtlref.gp`` takes part: kernels and task covariances give their values alone.
Cost O(N³ + P N²).

Source: Rasmussen & Williams 2006, eq. 5.8 and 5.9; Squire & Trapp 1998 (complex steps).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError, IllConditioned
from mtlref.gp.cells import Cells
from mtlref.gp.coregional import Coregional
from mtlref.gp.hyper import bounds
from mtlref.gp.model import Model
from mtlref.gp.priors import attach
from mtlref.gp.starts import check_options, first_model
from mtlref.optim.result import Certificate
from mtlref.tasks import TaskData

Array = NDArray[Any]
STEP = 1e-30


def audit_process(estimator: Any, data: Any, model: Any) -> Certificate:
    """What ``fit`` certifies, for a ``mtlref.gp.Model`` in the targets' units, by code that the fit does not share.

    Raises DataError for a model of another form than the estimator's, FormError for no model, for data that are no
    TaskData and for objective="leave-one-out" or "leave-place-out"; IllConditioned where C is not positive definite.
    """
    if not isinstance(data, TaskData):
        raise FormError(f"data must be a TaskData for a Gaussian process; got a {type(data).__name__}")
    if not isinstance(model, Model):
        raise FormError(
            f"a Gaussian process is audited at a mtlref.gp.Model, as model_ is; got a {type(model).__name__}"
        )
    if estimator.objective != "likelihood":
        raise FormError(f"an audit reads objective='likelihood'; got {estimator.objective!r}")
    check_options(estimator)
    cells = Cells.from_tasks(data)
    start, center, scale = first_model(estimator, cells)
    if model.names != start.names or model.mean != start.mean:
        raise DataError(
            f"the model must have the {len(start.names)} parameters of {estimator!r}; got {len(model.names)}: "
            f"{', '.join(model.names)}"
        )
    for q, ((_, ours), (_, theirs)) in enumerate(zip(start.terms, model.terms, strict=True)):
        if type(ours) is not type(theirs):
            raise DataError(f"kernel {q} must be of the form {ours!r}; got {theirs!r}")
    unit = _scaled(model, center, scale)
    low, high = bounds(start)
    y = (cells.y - center[cells.task]) / scale[cells.task]
    value, gradient, error = _flat(unit, cells, y)
    priors = attach(estimator.priors, start, scale)
    value -= float(priors.log_density(unit.theta))
    gradient = gradient - priors.gradient(unit.theta)
    step = np.clip(unit.theta - gradient / cells.N, low, high) - unit.theta
    largest = float(np.abs(step).max())  # (K)
    weighed = " of likelihood and priors" if priors.terms else ""
    return Certificate(
        f"projected gradient{weighed} (backward error {error:.1e})",
        primal=value + float(np.log(scale)[cells.task].sum()),
        dual=-np.inf,
        gap=largest * cells.N,
        relative_gap=largest,
        scale=float(cells.N),
    )


def _scaled(model: Model, center: Array, scale: Array) -> Model:
    """The model of (y − center) / scale."""

    def over(B: Coregional) -> Coregional:
        return Coregional(B.A / scale[:, None], B.kappa / scale**2)

    beta = np.array(model.beta)
    if len(beta):
        beta[0] -= center
    terms = tuple((over(B), kernel) for B, kernel in model.terms)
    return replace(model, terms=terms, noise=over(model.noise), beta=beta / scale)


def _moments(model: Model, cells: Cells) -> tuple[Array, Array]:
    """(C, mean) entry by entry; complex where θ is."""
    t, x = cells.task, cells.place
    C: Any = 0.0
    for B, kernel in model.terms:
        C = C + B.matrix()[np.ix_(t, t)] * kernel(cells.X)[np.ix_(x, x)]
    shared = np.eye(cells.N) if model.noise.rank == 0 else x[:, None] == x
    mean = (model.basis(cells.X)[x] * model.beta[:, t].T).sum(axis=1)
    return C + model.noise.matrix()[np.ix_(t, t)] * shared, mean


def _flat(model: Model, cells: Cells, y: Array) -> tuple[float, Array, float]:
    """(−log p, its gradient, the backward error of α)."""
    C, mean = _moments(model, cells)
    try:
        half = np.linalg.cholesky(C)
    except np.linalg.LinAlgError:
        raise IllConditioned("the covariance must be positive definite in double precision") from None
    r = y - mean
    alpha = np.linalg.solve(C, r)
    value = 0.5 * (r @ alpha + cells.N * np.log(2 * np.pi)) + np.log(np.diag(half)).sum()
    G = 0.5 * (np.linalg.inv(C) - np.outer(alpha, alpha))
    theta = model.theta
    gradient = np.empty(len(theta))
    for k in range(len(theta)):  # a parameter at a time: (D) has no array of N × N × parameters
        moved = theta.astype(complex)
        moved[k] += 1j * STEP
        slope, turn = _moments(model.with_theta(moved), cells)
        gradient[k] = (G * (slope.imag / STEP)).sum() - alpha @ (turn.imag / STEP)  # (D)
    size = float(np.linalg.norm(C, 1) * np.linalg.norm(alpha) + np.linalg.norm(r))
    error = float(np.linalg.norm(C @ alpha - r)) / size if size > 0 else 0.0
    return float(value), gradient, error
