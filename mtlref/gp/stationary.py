"""Kernels of the difference of two inputs: RBF, Matérn, rational quadratic, periodic.

(P)  k(x, z) = f(s),   s = Σ_d (x_d − z_d)² / length_d²;   one length, or one a feature (automatic relevance)
(D)  ∂k/∂log length_d = −2 f'(s) (x_d − z_d)² / length_d²,   ∂k/∂x_d = 2 f'(s) (x_d − z_d) / length_d²

Distances are sums of squared differences: exactly, for x² + z² − 2xz cancels.

Source: Rasmussen & Williams 2006, section 4.2; MacKay 1998 (periodic).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from mtlref.gp.kernels import Leaf, Pull
from mtlref.linalg.products import product

Array = NDArray[Any]
# f'(s) of some rows and columns, as a number times a matrix that is not to be changed.
Slope = Callable[[Any], tuple[float, Array]]
# Entries of a matrix that a pullback holds at a time: they stay in the cache.
ROOM = 100_000
ALL = slice(None)


def _per_feature(value: Array, p: int) -> Array:
    return np.broadcast_to(value, (p,))


def _square_distance(X: Array, Z: Array, length: Array) -> Array:
    """s of (P), (n, m)."""
    X, Z = X / length, Z / length
    if not np.iscomplexobj(X):
        return np.asarray(cdist(X, Z, "sqeuclidean"))
    return np.asarray(sum(np.subtract.outer(x, z) ** 2 for x, z in zip(X.T, Z.T, strict=True)))


class Stationary(Leaf):
    """The parent of kernels that are a function of s in (P)."""

    _kink = False  # whether f' is unbounded at s = 0
    _shaped = False  # whether there are parameters beside the length

    def __init__(self, length: Any = 1.0) -> None:
        self._set(length=length)

    @property
    def length(self) -> Array:
        """The length scale, (1,), or one a feature, (p,)."""
        return self._get("length")

    def _profile(self, s: Array) -> tuple[Array, Slope]:
        """f(s), and f'(s) of the rows asked for; f' is 0 where it has no limit (only ever multiplied by 0 there)."""
        raise NotImplementedError

    def _shape(self, s: Array, K: Array, G: Array) -> list[Any]:
        """The pullback to parameters beside the length."""
        raise NotImplementedError

    def at(self, X: Array, Z: Array | None = None) -> tuple[Array, Pull]:
        """(K, pull), as for every kernel."""
        symmetric = Z is None
        X, Z = self._pair(X, Z)
        length = self.length
        s = _square_distance(X, Z, length)
        K, slope = self._profile(s)
        shaped = self._shaped
        distance = s if shaped or len(length) == 1 else None  # else its memory is free from here on
        del s

        def pull(G: Array) -> Array:
            squares = _sums_of_squares if self._kink else _weighted_squares
            by_length: Any = 0.0
            step = max(1, ROOM // len(Z))
            for first in range(0, len(X), step):  # what fits the cache, not a row
                rows = slice(first, first + step)
                # Routes that form one triangle have zeros left of the diagonal.
                begin = first if symmetric and not G[rows, :first].any() else 0
                part = (rows, slice(begin, None))
                scale, matrix = slope(part)
                H = matrix * G[part]
                if len(length) == 1 and distance is not None:
                    by_length = by_length + scale * np.einsum("ij,ij->", H, distance[part])
                else:
                    by_length = by_length + scale * squares(X[rows] / length, Z[begin:] / length, H)
            by_shape = self._shape(distance, K, G) if shaped and distance is not None else []
            return np.concatenate([np.atleast_1d(-2 * by_length), by_shape])  # (D)

        return K, pull

    def pull_inputs(self, X: Array, Z: Array, G: Array) -> Array:
        """The gradient in the inputs, (n, p)."""
        X, Z = self._pair(X, Z)
        scale, matrix = self._profile(_square_distance(X, Z, self.length))[1](ALL)
        H = scale * G * matrix
        columns = [(H * np.subtract.outer(x, z)).sum(axis=1) for x, z in zip(X.T, Z.T, strict=True)]
        return np.asarray(2 * np.stack(columns, axis=1) / self.length**2)  # (D)

    def diag(self, X: Array) -> Array:
        """1 for every input."""
        return np.ones(len(X), dtype=self._theta.dtype)


def _weighted_squares(X: Array, Z: Array, H: Array) -> Array:
    """Σ_ij H_ij (x_id − z_jd)² for each feature d, (p,), for a bounded H: by products of matrices about the mean."""
    center = X.mean(axis=0)
    X, Z = X - center, Z - center
    sums = product(H, np.column_stack([np.ones(len(Z)), Z]))
    return np.asarray(sums[:, 0] @ X**2 + H.sum(axis=0) @ Z**2 - 2 * np.einsum("id,id->d", X, sums[:, 1:]))


def _sums_of_squares(X: Array, Z: Array, H: Array) -> Array:
    """Σ_ij H_ij (x_id − z_jd)² for each feature d, (p,)."""
    sums = []
    for x, z in zip(
        X.T, Z.T, strict=True
    ):  # one feature at a time: H may be as large as the differences are small
        difference = np.subtract.outer(x, z)
        np.multiply(difference, difference, out=difference)
        sums.append(np.einsum("ij,ij->", H, difference))
    return np.array(sums)


class RBF(Stationary):
    """exp(−s/2): the squared exponential.

    Examples
    --------
    >>> RBF(2.0)(np.array([[0.0]]), np.array([[2.0]])).round(4)
    array([[0.6065]])
    """

    def _profile(self, s: Array) -> tuple[Array, Slope]:
        K = -0.5 * s
        np.exp(K, out=K)
        return K, lambda rows: (-0.5, K[rows])


class Matern12(Stationary):
    """exp(−√s): the exponential kernel; its samples are continuous and nowhere smooth."""

    _kink = True

    def _profile(self, s: Array) -> tuple[Array, Slope]:
        r = np.sqrt(s)
        K = np.exp(-r)

        def slope(rows: Any) -> tuple[float, Array]:
            near = r[rows]
            apart = near != 0
            return -0.5, np.where(apart, K[rows] / np.where(apart, near, 1.0), 0.0)

        return K, slope


class Matern32(Stationary):
    """(1 + a) exp(−a), a = √(3 s): samples with one derivative."""

    def _profile(self, s: Array) -> tuple[Array, Slope]:
        a = np.sqrt(3 * s)
        e = np.exp(-a)
        return (1 + a) * e, lambda rows: (-1.5, e[rows])


class Matern52(Stationary):
    """(1 + a + a²/3) exp(−a), a = √(5 s): samples with two derivatives."""

    def _profile(self, s: Array) -> tuple[Array, Slope]:
        a = np.sqrt(5 * s)
        e = np.exp(-a)
        return (1 + a + a * a / 3) * e, lambda rows: (-5 / 6, (1 + a[rows]) * e[rows])


class RationalQuadratic(Stationary):
    """(1 + s/(2 alpha))^(−alpha): a mixture of RBFs of all lengths; alpha → ∞ is RBF."""

    _shaped = True

    def __init__(self, length: Any = 1.0, alpha: float = 1.0) -> None:
        self._set(length=length, alpha=alpha)

    def _profile(self, s: Array) -> tuple[Array, Slope]:
        alpha = self._get("alpha")[0]
        log_base = _log1p(s / (2 * alpha))
        return np.exp(-alpha * log_base), lambda rows: (-0.5, np.exp(-(alpha + 1) * log_base[rows]))

    def _shape(self, s: Array, K: Array, G: Array) -> list[Any]:
        alpha = self._get("alpha")[0]
        u = s / (2 * alpha)
        return [alpha * (G * K * (u / (1 + u) - _log1p(u))).sum()]


def _log1p(u: Array) -> Array:
    """log(1 + u); of complex numbers through their parts, for np.log1p of them loses digits."""
    if not np.iscomplexobj(u):
        return np.asarray(np.log1p(u))
    size = u.real * (2 + u.real) + u.imag**2
    return np.asarray(0.5 * np.log1p(size) + 1j * np.arctan2(u.imag, 1 + u.real))


class Periodic(Leaf):
    """exp(−2 Σ_d sin²(π (x_d − z_d)/period) / length_d²): repeats exactly after a period in any feature."""

    def __init__(self, length: Any = 1.0, period: float = 1.0) -> None:
        self._set(length=length, period=period)

    @property
    def length(self) -> Array:
        """The length scale, (1,), or one a feature, (p,)."""
        return self._get("length")

    @property
    def period(self) -> Array:
        """The period, (1,)."""
        return self._get("period")

    def at(self, X: Array, Z: Array | None = None) -> tuple[Array, Pull]:
        """(K, pull), as for every kernel."""
        X, Z = self._pair(X, Z)
        length, rate = self.length, np.pi / self.period[0]
        weights = _per_feature(1 / length**2, X.shape[1])
        total = sum(w * np.sin(rate * np.subtract.outer(x, z)) ** 2 for w, x, z in _columns(weights, X, Z))
        K = np.asarray(np.exp(-2 * total))

        def pull(G: Array) -> Array:
            H = G * K
            by_length, by_period = [], 0.0
            for w, x, z in _columns(weights, X, Z):
                u = rate * np.subtract.outer(x, z)
                by_length.append(4 * w * (H * np.sin(u) ** 2).sum())
                by_period = by_period + 2 * w * (H * np.sin(2 * u) * u).sum()
            lengths = np.array(by_length) if len(length) > 1 else np.array([sum(by_length)])
            return np.append(lengths, by_period)

        return K, pull

    def pull_inputs(self, X: Array, Z: Array, G: Array) -> Array:
        """The gradient in the inputs, (n, p)."""
        X, Z = self._pair(X, Z)
        rate, H = np.pi / self.period[0], G * self(X, Z)
        weights = _per_feature(1 / self.length**2, X.shape[1])
        columns = [
            -2 * rate * w * (H * np.sin(2 * rate * np.subtract.outer(x, z))).sum(axis=1)
            for w, x, z in _columns(weights, X, Z)
        ]
        return np.stack(columns, axis=1)

    def diag(self, X: Array) -> Array:
        """1 for every input."""
        return np.ones(len(X), dtype=self._theta.dtype)


def _columns(weights: Array, X: Array, Z: Array) -> list[tuple[Any, Array, Array]]:
    return list(zip(weights, X.T, Z.T, strict=True))
