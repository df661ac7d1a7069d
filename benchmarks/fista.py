"""A plain accelerated proximal gradient method (FISTA), the strong baseline of the races.

What a careful implementer would write: the squared loss works on Gram matrices where these are smaller than the rows;
the logistic loss on one array for all tasks; the momentum restarts when it points uphill; every lam of a path starts
at the answer of the last one. The step is 1 / L for the largest curvature over the tasks. Intercepts are eliminated by
centring (squared) or are a free column (logistic).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

import mtlref as mt

Array = NDArray[np.float64]
Prox = Callable[[Array, float], Array]


def prox_rows(W: Array, step: float) -> Array:
    """Shrink the norm of every row by ``step``."""
    norms = np.sqrt(np.einsum("jt,jt->j", W, W))
    return W * np.maximum(1.0 - step / np.maximum(norms, np.finfo(float).tiny), 0.0)[:, None]


def prox_singular_values(W: Array, step: float) -> Array:
    """Shrink every singular value by ``step``."""
    U, s, V = np.linalg.svd(W, full_matrices=False)
    return (U * np.maximum(s - step, 0.0)) @ V


def prox_squared_trace_norm(W: Array, step: float) -> Array:
    """The prox of step/2 (sum of singular values)²: each is shrunk by step times the sum of what is left."""
    U, s, V = np.linalg.svd(W, full_matrices=False)
    threshold = (step * np.cumsum(s) / (1.0 + step * np.arange(1, len(s) + 1))).max()
    return (U * np.maximum(s - threshold, 0.0)) @ V


def cluster_shares(s: Array, floor: float, k: int) -> Array:
    """m = clip(τ s − floor, 0, 1) with Σ_i m_i = k, τ between the breaks of this piecewise linear sum."""
    live = s > 1e-150 * s.max(initial=0.0)
    if live.sum() <= k:
        return np.ones_like(s)
    m, held = np.zeros_like(s), s[live] / s.max()
    tau = np.sort(np.concatenate([floor / held, (1.0 + floor) / held]))
    total = np.clip(np.multiply.outer(tau, held) - floor, 0.0, 1.0).sum(axis=1)
    m[live] = np.clip(np.interp(k, total, tau) * held - floor, 0.0, 1.0)
    return m


def prox_clusters(eta: float, k: int) -> Prox:
    """The prox of step eta (1 + eta) min Σ_i σ_i² / (eta + m_i), 0 <= m_i <= 1, Σ_i m_i <= k.

    For given m it shrinks σ_i to σ_i (eta + m_i) / (eta + m_i + 2κ), κ = step eta (1 + eta); what is left of the
    objective, κ Σ_i σ_i² / (eta + 2κ + m_i), is least at m = clip(τ σ − eta − 2κ, 0, 1).
    """

    def prox(W: Array, step: float) -> Array:
        U, s, V = np.linalg.svd(W, full_matrices=False)
        twice = 2.0 * step * eta * (1.0 + eta)
        m = cluster_shares(s, eta + twice, k)
        return (U * (s * (eta + m) / (eta + m + twice))) @ V

    return prox


@dataclass(frozen=True)
class Smooth:
    """A smooth loss of Z = (W above free rows): gradient, and a step that is safe."""

    gradient: Callable[[Array], Array]
    lipschitz: float
    shape: tuple[int, int]
    free: int


def _weights(n: Array, scaling: str) -> Array:
    return 1.0 / n if scaling == "mean" else np.ones(len(n))


def squared(data: mt.TaskData, fit_intercept: bool, scaling: str = "sum") -> Smooth:
    """Sum over tasks of half the squared error, at the best intercepts or without any."""
    rows = list(zip(data.X, data.y, strict=True))
    if fit_intercept:
        rows = [(x - x.mean(axis=0), y - y.mean()) for x, y in rows]
    c = _weights(np.asarray(data.n, float), scaling)
    if len(set(data.n)) == 1 and 2 * data.n[0] < data.p:
        return _squared_on_rows(np.stack([x for x, _ in rows]), np.stack([y for _, y in rows]), c)
    gram = np.stack([w * (x.T @ x) for w, (x, _) in zip(c, rows, strict=True)])
    cross = np.stack([w * (x.T @ y) for w, (x, y) in zip(c, rows, strict=True)])
    return _squared_on_gram(gram, cross)


def squared_moments(moments: mt.Moments, fit_intercept: bool, scaling: str = "sum") -> Smooth:
    """The same from statistics that are there already."""
    if moments.shared:
        moments = moments.per_task()
    gram, cross = moments.cxx, moments.cxy
    if not fit_intercept:
        means = moments.x_mean
        gram = gram + moments.mass[:, None, None] * (means[:, :, None] * means[:, None, :])
        cross = cross + (moments.mass * moments.y_mean)[:, None] * means
    c = _weights(moments.mass, scaling)
    return _squared_on_gram(c[:, None, None] * gram, c[:, None] * cross)


def _squared_on_gram(gram: Array, cross: Array) -> Smooth:
    def gradient(W: Array) -> Array:
        return (np.matmul(gram, W.T[:, :, None])[:, :, 0] - cross).T

    top = float(np.linalg.eigvalsh(gram)[:, -1].max())
    return Smooth(gradient, top, (gram.shape[1], len(gram)), 0)


def _squared_on_rows(X: Array, y: Array, c: Array) -> Smooth:
    def gradient(W: Array) -> Array:
        left = c[:, None] * (np.matmul(X, W.T[:, :, None])[:, :, 0] - y)
        return np.matmul(left[:, None, :], X)[:, 0, :].T

    top = float((c * np.linalg.eigvalsh(np.matmul(X, X.transpose(0, 2, 1)))[:, -1]).max())
    return Smooth(gradient, top, (X.shape[2], len(X)), 0)


def squared_shared(X: Array, Y: Array, scaling: str = "mean") -> Smooth:
    """One design for all tasks: X'X once, or the rows where these are fewer than half the features."""
    c = 1.0 / len(X) if scaling == "mean" else 1.0
    if 2 * len(X) < X.shape[1]:
        top = c * float(np.linalg.eigvalsh(X @ X.T)[-1])
        return Smooth(lambda W: X.T @ (c * (X @ W - Y)), top, (X.shape[1], Y.shape[1]), 0)
    gram, cross = c * (X.T @ X), c * (X.T @ Y)
    top = float(np.linalg.eigvalsh(gram)[-1])
    return Smooth(lambda W: gram @ W - cross, top, (X.shape[1], Y.shape[1]), 0)


def logistic(data: mt.TaskData, fit_intercept: bool, scaling: str = "sum") -> Smooth:
    """Sum over tasks of the logistic loss; tasks are padded to one array with rows whose slope is zero."""
    most, free = int(data.n.max()), int(fit_intercept)
    X = np.zeros((data.T, most, data.p + free))
    y = np.zeros((data.T, most))
    for t in range(data.T):
        X[t, : data.n[t], : data.p] = data.X[t]
        X[t, : data.n[t], data.p :] = 1.0
        y[t, : data.n[t]] = data.y[t]
    c = _weights(np.asarray(data.n, float), scaling)
    curvature = max(w * float(np.linalg.norm(x, 2)) ** 2 / 4 for w, x in zip(c, X, strict=True))

    def gradient(Z: Array) -> Array:
        margin = y * np.matmul(X, Z.T[:, :, None])[:, :, 0]
        return np.matmul((-c[:, None] * y * expit(-margin))[:, None, :], X)[:, 0, :].T

    return Smooth(gradient, curvature, (data.p + free, data.T), free)


class Fista:
    """The iterates for one lam; ``advance`` makes some steps, ``W`` is the last point of the prox."""

    def __init__(self, smooth: Smooth, prox: Prox, lam: float, start: Array | None = None) -> None:
        self.smooth, self.prox, self.lam = smooth, prox, lam
        self.Z = np.zeros(smooth.shape) if start is None else start.copy()
        self._ahead = self.Z
        self._momentum = 1.0

    @property
    def W(self) -> Array:
        """Coefficients (p, T), without the free rows."""
        return self.Z[: len(self.Z) - self.smooth.free]

    def advance(self, steps: int) -> None:
        """Make ``steps`` steps."""
        step, p = 1.0 / self.smooth.lipschitz, len(self.Z) - self.smooth.free
        for _ in range(steps):
            new = self._ahead - step * self.smooth.gradient(self._ahead)
            new[:p] = self.prox(new[:p], step * self.lam)
            if np.vdot(self._ahead - new, new - self.Z) > 0:
                self._momentum = 1.0
            following = (1.0 + np.sqrt(1.0 + 4.0 * self._momentum**2)) / 2.0
            self._ahead = new + (self._momentum - 1.0) / following * (new - self.Z)
            self.Z, self._momentum = new, following
