"""Laws of kernels: any callable k(X, Z), (n, p) and (m, p) to (n, m), of this package or another.

Each takes the kernel and two sets of inputs, X and Z. ``run_kernel`` puts a kernel to all that its properties name:
"stationary" (a function of x − z), "isotropic" (of ‖x − z‖, or of inner products: rotations change nothing).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.verify.laws.check import agree, require

Array = NDArray[np.float64]
Kernel = Callable[[Array, Array], Any]
CLOSE = 1e-12


def _at(kernel: Kernel, X: Array, Z: Array) -> Array:
    K = np.asarray(kernel(X.copy(), Z.copy()), dtype=float)
    require(K.shape == (len(X), len(Z)), f"k(X, Z) must have shape {(len(X), len(Z))}; got {K.shape}")
    require(np.isfinite(K).all(), "k(X, Z) must be finite")
    return K


def _size(K: Array) -> float:
    return float(np.abs(K).max(initial=0.0)) or 1.0


def is_symmetric(kernel: Kernel, X: Array, Z: Array) -> None:
    """k(X, Z) = k(Z, X)'."""
    K = _at(kernel, X, Z)
    agree(K, _at(kernel, Z, X).T, CLOSE * _size(K), "k(X, Z) and k(Z, X)'")


def has_no_negative_eigenvalue(kernel: Kernel, X: Array, Z: Array) -> None:
    """c' k(A, A) c >= 0 for the rows A of X and Z: the least eigenvalue, to rounding."""
    A = np.vstack([X, Z])
    K = _at(kernel, A, A)
    least = float(np.linalg.eigvalsh((K + K.T) / 2)[0])
    slack = 1e-13 * len(A) ** 2 * _size(K)
    require(least >= -slack, f"the least eigenvalue of k(A, A) must be >= 0; got {least!r}")


def entries_are_of_their_pairs(kernel: Kernel, X: Array, Z: Array) -> None:
    """k(X, Z)_ij = k(x_i, z_j): the other rows do not matter."""
    K = _at(kernel, X, Z)
    single = np.array([[_at(kernel, x[None], z[None])[0, 0] for z in Z] for x in X])
    # Squared distances that come through inner products lose half the digits of small ones.
    agree(K, single, 1e-7 * _size(K), "k(X, Z) and its entries one by one")


def obeys_cauchy_schwarz(kernel: Kernel, X: Array, Z: Array) -> None:
    """k(x, z)² <= k(x, x) k(z, z)."""
    K = _at(kernel, X, Z)
    x, z = np.diag(_at(kernel, X, X)), np.diag(_at(kernel, Z, Z))
    bound = np.sqrt(np.outer(np.maximum(x, 0), np.maximum(z, 0)))
    require((np.abs(K) <= bound + 1e-13 * _size(K)).all(), "k(x, z)² must be <= k(x, x) k(z, z)")


def inputs_are_left_alone(kernel: Kernel, X: Array, Z: Array) -> None:
    """Neither input is changed."""
    A, B = X.copy(), Z.copy()
    kernel(A, B)
    require(np.array_equal(A, X) and np.array_equal(B, Z), "the kernel changed its inputs")


def shifts_change_nothing(kernel: Kernel, X: Array, Z: Array) -> None:
    """k(X + a, Z + a) = k(X, Z)."""
    K, a = _at(kernel, X, Z), np.linspace(0.5, 1.5, X.shape[1])
    size = 1.0 + float(np.abs(np.vstack([X, Z])).max())
    agree(_at(kernel, X + a, Z + a), K, 1e-9 * size**2 * _size(K), "k of both shifted and k")


def rotations_change_nothing(kernel: Kernel, X: Array, Z: Array) -> None:
    """k(X Q, Z Q) = k(X, Z) for orthogonal Q."""
    K = _at(kernel, X, Z)
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((X.shape[1],) * 2))[0]
    size = 1.0 + float(np.abs(np.vstack([X, Z])).max())
    agree(_at(kernel, X @ Q, Z @ Q), K, 1e-9 * size**2 * _size(K), "k of both rotated and k")


# The property that a kernel must have for the law to apply; "" for all.
KERNEL_LAWS: dict[Callable[[Kernel, Array, Array], None], str] = {
    is_symmetric: "",
    has_no_negative_eigenvalue: "",
    entries_are_of_their_pairs: "",
    obeys_cauchy_schwarz: "",
    inputs_are_left_alone: "",
    shifts_change_nothing: "stationary",
    rotations_change_nothing: "isotropic",
}
