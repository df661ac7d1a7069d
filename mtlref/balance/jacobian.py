"""A Jacobian at the door, and its rows in units that lose no digit.

J (m, d): row i is the gradient g_i of task i in the shared parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError
from mtlref.inputs import as_float, check_finite, vector

Array = NDArray[np.float64]


def as_jacobian(J: Any) -> Array:
    """A finite float64 array (m, d), m and d at least 1.

    Raises FormError for text, objects, masked and sparse arrays, DataError for other numbers of axes, complex
    numbers, no row, no column, NaN and infinities.
    """
    shape = getattr(J, "shape", None)
    if isinstance(shape, tuple) and len(shape) != 2:
        raise DataError(f"J must have 2 axes, (tasks, parameters); got shape {shape}")
    array = as_float(J, "J", 2)
    m, d = array.shape
    if m == 0:
        raise DataError(f"J must have at least one row, a task's gradient; got shape {array.shape}")
    if d == 0:
        raise DataError(f"J must have at least one column, a parameter; got shape {array.shape}")
    check_finite(array, "J")
    return array


def as_losses(losses: Any, m: int | None = None, *, positive: bool = False, name: str = "losses") -> Array:
    """Finite losses (m,), of which ``positive`` ones must be > 0. Raises DataError, FormError."""
    if losses is None:
        raise FormError(f"{name} must be an array with a value for each task; got None")
    array = as_float(losses, name, 1)
    if len(array) == 0:
        raise DataError(f"{name} must have at least one entry; got none")
    if m is not None and len(array) != m:
        raise DataError(f"{name} must have shape ({m},), one for each task; got {array.shape}")
    check_finite(array, name)
    if positive and (array <= 0).any():
        t = int(np.argmin(array))
        raise DataError(
            f"{name} must be > 0, their logarithm or ratio is taken; got {array[t]!r} for task {t}"
        )
    return array


def as_preference(preference: Any, m: int, default: float) -> Array:
    """Weights >= 0 of the tasks (m,), ``default`` for each where None came. Raises DataError, FormError."""
    if preference is None:
        return np.full(m, default)
    array = vector(preference, "preference", m, of="the rows of J")
    if (array < 0).any() or not array.any():
        raise DataError(f"preference must be >= 0 with a positive entry; got {array.tolist()}")
    return array


@dataclass(frozen=True)
class Rows:
    """The rows of J = 2^exponent · diag(norms) · units.

    norms (m,): lengths of the rows of J / 2^exponent, the largest between 1/2 and √d. plain : whether squares of J's
    entries neither overflow nor vanish.
    """

    J: Array
    norms: Array
    exponent: int
    plain: bool

    @cached_property
    def scaled(self) -> Array:
        """J / 2^exponent (m, d), without rounding."""
        # Two steps, because 2^-exponent itself could overflow where entries are subnormal.
        half = self.exponent // 2
        return np.asarray(np.ldexp(np.ldexp(self.J, -half), half - self.exponent))

    @cached_property
    def units(self) -> Array:
        """Rows of length 1 (m, d), zero where g_i = 0."""
        if self.plain:
            return np.asarray(self.J / np.ldexp(self.norms, self.exponent)[:, None])
        raised, _ = _raised(self.J)
        lengths = np.sqrt(np.einsum("ij,ij->i", raised, raised))
        return np.asarray(raised / np.where(lengths > 0, lengths, 1.0)[:, None])

    @cached_property
    def gram(self) -> Array:
        """U U' (m, m), U the units. Its condition number is the square of theirs."""
        if not self.plain:
            return np.asarray(self.units @ self.units.T)
        # Nothing as large as J is made.
        lengths = np.ldexp(self.norms, self.exponent)
        return np.asarray(self.J @ self.J.T / lengths / lengths[:, None])

    @cached_property
    def triangle(self) -> Array:
        """R (k, m), k <= min(m, d), with R'R = U U', U the units: their inner products in a few coordinates."""
        m, d = self.J.shape
        if d >= 16 * m:
            values, vectors = np.linalg.eigh(self.gram)
            if values[0] >= 0.01:  # where all are near 1, squares cost no digit
                return np.asarray(np.sqrt(values)[:, None] * vectors.T)
        return triangle(self.units)

    def combine(self, c: Array) -> Array:
        """Σ_i c_i u_i (d,)."""
        if self.plain:
            return np.asarray(np.ldexp(c / self.norms, -self.exponent) @ self.J)
        return np.asarray(c @ self.units)

    def back(self, v: Array) -> Array:
        """v · 2^exponent: a vector of the scaled problem in the units of J."""
        return np.asarray(np.ldexp(v, self.exponent))

    def into(self, v: Array) -> Array:
        """The inverse of ``back``."""
        return np.asarray(np.ldexp(v, -self.exponent))


def _raised(J: Array) -> tuple[Array, NDArray[np.int32]]:
    """Each row over its own power of two, its largest entry in [1/2, 1); and the powers (m,)."""
    own = np.frexp(np.maximum(J.max(axis=1), -J.min(axis=1)))[1]
    half = own // 2
    return np.asarray(np.ldexp(np.ldexp(J, -half[:, None]), (half - own)[:, None])), own


def rows_of(J: Array) -> Rows:
    """The rows' lengths, in a power of two that keeps their squares in range."""
    with np.errstate(over="ignore", under="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", J, J))
    if lengths.min() > 1e-140 and lengths.max() < 1e140:
        exponent = int(np.frexp(lengths.max())[1])
        return Rows(J, np.ldexp(lengths, -exponent), exponent, True)
    raised, own = _raised(J)
    lengths = np.sqrt(np.einsum("ij,ij->i", raised, raised))
    exponent = int(own[lengths > 0].max()) if lengths.any() else 0
    return Rows(J, np.ldexp(lengths, own - exponent), exponent, False)


def triangle(units: Array) -> Array:
    """R (k, m), k = min(m, d), with R'R = U U', from U' = Q R: the condition number is not squared."""
    if units.shape[1] <= units.shape[0]:
        return np.ascontiguousarray(units.T)
    return np.asarray(np.linalg.qr(units.T, mode="r"))


def factor(units: Array) -> tuple[Array, Array]:
    """Q (d, k) with orthonormal columns and R (k, m): U' = Q R."""
    if units.shape[1] <= units.shape[0]:
        return np.eye(units.shape[1]), np.ascontiguousarray(units.T)
    Q, R = np.linalg.qr(units.T)
    return np.asarray(Q), np.asarray(R)
