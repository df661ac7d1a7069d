"""Kernels that are not functions of a distance: linear and white, and a kernel on some of the features."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError
from mtlref.gp.kernels import Kernel, Leaf, Pull
from mtlref.linalg.products import product

Array = NDArray[Any]


class Linear(Leaf):
    """Σ_d variance_d x_d z_d: linear functions without an intercept; one variance, or one a feature."""

    def __init__(self, variance: Any = 1.0) -> None:
        self._set(variance=variance)

    def at(self, X: Array, Z: Array | None = None) -> tuple[Array, Pull]:
        """(K, pull), as for every kernel."""
        X, Z = self._pair(X, Z)
        v = self._get("variance")

        def pull(G: Array) -> Array:
            each = np.einsum("id,id->d", X, product(G, Z))
            return v * each if len(v) > 1 else v * each.sum()

        root = np.sqrt(v)
        left = X * root
        return product(left, (left if Z is X else Z * root).T), pull

    def pull_inputs(self, X: Array, Z: Array, G: Array) -> Array:
        """The gradient in the inputs, (n, p)."""
        X, Z = self._pair(X, Z)
        return product(G, Z) * self._get("variance")

    def diag(self, X: Array) -> Array:
        """Σ_d variance_d x_d², (n,)."""
        X, _ = self._pair(X, None)
        return np.asarray((X * X * self._get("variance")).sum(axis=1))


class White(Leaf):
    """variance where both inputs are one place, else 0.

    ``k(X)`` has the places of one set and is variance · I; ``k(X, Z)`` has two sets, which share no place, and is 0:
    the noise of a new place is not the noise of an old one, even where their inputs are equal.
    """

    def __init__(self, variance: float = 1.0) -> None:
        self._set(variance=inputs.positive(variance, "variance"))

    def at(self, X: Array, Z: Array | None = None) -> tuple[Array, Pull]:
        """(K, pull), as for every kernel."""
        X, other = self._pair(X, Z)
        v = self._get("variance")[0]
        if Z is not None:
            return np.zeros((len(X), len(other)), dtype=self._theta.dtype), lambda G: np.zeros(1)
        return v * np.eye(len(X)), lambda G: np.array([v * np.trace(G)])

    def pull_inputs(self, X: Array, Z: Array, G: Array) -> Array:
        """Zero: white noise does not depend on where its place is."""
        X, _ = self._pair(X, Z)
        return np.zeros(X.shape, dtype=self._theta.dtype)

    def diag(self, X: Array) -> Array:
        """variance for every input."""
        return np.full(len(X), self._get("variance")[0])


class Columns(Kernel):
    """A kernel that sees some of the features: k(x, z) = a(x[columns], z[columns])."""

    def __init__(self, kernel: Kernel, columns: Sequence[int]) -> None:
        self.kernel = kernel
        self.columns = np.asarray(columns, dtype=np.intp)
        if self.columns.ndim != 1 or len(self.columns) == 0 or len(set(columns)) != len(self.columns):
            raise DataError(f"columns must be different places of features, at least one; got {columns!r}")

    @property
    def theta(self) -> Array:
        """Logarithms of the parameters, (k,)."""
        return self.kernel.theta

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each entry of ``theta``."""
        return self.kernel.names

    def with_theta(self, theta: Array) -> Self:
        """The same kernel at other parameters; ``theta`` may be complex."""
        other = copy.copy(self)
        other.kernel = self.kernel.with_theta(theta)
        return other

    def _some(self, X: Array) -> Array:
        X = np.asarray(X)
        if X.ndim != 2 or not ((self.columns >= 0) & (self.columns < X.shape[1])).all():
            raise DataError(f"columns {self.columns.tolist()} must be features of X; got shape {X.shape}")
        return np.asarray(X[:, self.columns])

    def at(self, X: Array, Z: Array | None = None) -> tuple[Array, Pull]:
        """(K, pull), as for every kernel."""
        return self.kernel.at(self._some(X), None if Z is None else self._some(Z))

    def pull_inputs(self, X: Array, Z: Array, G: Array) -> Array:
        """The gradient in the inputs, (n, p): zero in the other features."""
        some = self.kernel.pull_inputs(self._some(X), self._some(Z), G)
        out = np.zeros(np.shape(X), dtype=some.dtype)
        out[:, self.columns] = some
        return out

    def diag(self, X: Array) -> Array:
        """k(x_i, x_i), (n,)."""
        return self.kernel.diag(self._some(X))
