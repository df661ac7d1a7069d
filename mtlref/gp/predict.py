"""Predictions of a conditioned process: mean, variance, covariance, samples, densities.

(P)  mean_t(x) + c' α,   cov = prior − c' C⁻¹ c;   c (N,) the covariances of f_t(x) with the cells
(D)  a complete table: c = B[:, t] ⊗ k, so that c' C⁻¹ c = Σ_is (V' k)_i² D_is (W' B[:, t])_s²; with holes less ‖Q' c‖²

Variances are of the function f; noise=True adds the noise of a new measurement.

Source: Rasmussen & Williams 2006, eq. 2.25 and 2.26; Bonilla et al. 2008, eq. 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.gp.exact import Dense
from mtlref.gp.holes import Holes
from mtlref.gp.kronecker import Kronecker
from mtlref.gp.route import Route

Array = NDArray[Any]
# Numbers held at a time for variances: 64 MB of them.
ROOM = 8_000_000


def mean(route: Route, X: Array) -> Array:
    """The mean of every task at X (m, p): (m, T)."""
    model, cells = route.model, route.cells
    out = model.basis(X) @ model.beta
    for B, kernel in model.terms:
        weights = np.zeros((cells.n, cells.T))
        np.add.at(weights, cells.place, route.alpha[:, None] * B.matrix()[cells.task])
        out = out + kernel(X, cells.X) @ weights  # (P)
    return np.asarray(out)


def prior_variance(route: Route, X: Array) -> Array:
    """The variance of every task's function at X before the data, (m, T)."""
    return np.asarray(
        sum(np.multiply.outer(kernel.diag(X), np.diag(B.matrix())) for B, kernel in route.model.terms)
    )


def variance(route: Route, X: Array, *, noise: bool = False) -> Array:
    """The variance of every task at X (m, p): (m, T)."""
    size = max(1, ROOM // (route.cells.N * route.cells.T))
    parts = [_explained(route, X[i : i + size]) for i in range(0, len(X), size)]
    # Rounding may leave a variance of 0 just below it.
    out = np.maximum(prior_variance(route, X) - np.concatenate(parts), 0.0)
    return out + np.diag(route.model.noise.matrix()) if noise else out


def _explained(route: Route, X: Array) -> Array:
    """c' C⁻¹ c for every task at X, (m, T)."""
    if isinstance(route, Dense):
        c = cross(route, X)
        return np.asarray(np.einsum("ij,ij->j", c, route.solve(c)).reshape(route.cells.T, len(X)).T)
    table: Kronecker = route.table if isinstance(route, Holes) else route
    across = route.model.terms[0][1](X, route.cells.X)
    k, b = across @ table.V, table.W.T @ table.B
    out = (k**2) @ table.D @ b**2  # (D)
    if table.spectrum.null:
        outside = (table.spectrum.outside(across.T) ** 2).sum(axis=0)
        out += np.multiply.outer(outside, (b**2).sum(axis=0))
    if isinstance(route, Holes):
        taken = np.einsum("kis,st->tki", route.Q, b, optimize=True) @ k.T
        out = out - (taken**2).sum(axis=1).T
    return np.asarray(out)


def cross(route: Route, X: Array) -> Array:
    """Covariances of the cells with every task at X: (N, T m), the columns task by task."""
    model, cells = route.model, route.cells
    out = np.zeros((cells.N, cells.T, len(X)))
    for B, kernel in model.terms:
        out += B.matrix()[cells.task][:, :, None] * kernel(cells.X, X)[cells.place][:, None, :]
    return out.reshape(cells.N, -1)


def covariance(route: Route, X: Array, *, noise: bool = False) -> Array:
    """The joint covariance of all tasks at X (m, p): (T m, T m), task by task."""
    c = cross(route, X)
    prior = sum(np.kron(B.matrix(), kernel(X)) for B, kernel in route.model.terms)
    out = prior - c.T @ route.solve(c)  # (P)
    if noise:
        out = out + np.kron(route.model.noise.matrix(), np.eye(len(X)))
    return np.asarray((out + out.T) / 2)


def samples(
    route: Route, X: Array, count: int, random_state: int | np.random.Generator | None, *, noise: bool = False
) -> Array:
    """Joint samples of all tasks at X (m, p): (count, m, T).

    Eigenvalues of their covariance below 0, all rounding, are 0.
    """
    rng = np.random.default_rng(random_state)
    values, vectors = np.linalg.eigh(covariance(route, X, noise=noise))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = rng.standard_normal((count, len(values))) @ root.T
    m, T = len(X), route.cells.T
    return np.asarray(mean(route, X) + drawn.reshape(count, T, m).transpose(0, 2, 1))


def log_density(route: Route, X: Array, Y: Array) -> Array:
    """log p(Y_it | data) of each new measurement by itself, (m, T); NaN where Y is NaN."""
    return density(Y, mean(route, X), variance(route, X, noise=True))


def density(y: Array, mean: Array, variance: Array) -> Array:
    """The log density of normal variables, all of one shape. Raises DataError where y has another."""
    if y.shape != mean.shape:
        raise DataError(f"y must have shape {mean.shape}; got {y.shape}")
    return np.asarray(-0.5 * (np.log(2 * np.pi * variance) + (y - mean) ** 2 / variance))
