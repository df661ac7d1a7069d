"""Upper bounds on singular values that are proven, from factors that floating point found.

Nothing is asked of the factors: a bad one gives a loose bound, never a wrong one.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from mtlref.verify.rigorous.elementary import sqrt_above
from mtlref.verify.rigorous.interval import Exact, power


def largest_above(G: Exact) -> Fraction:
    """s >= σ_1(G), G (p, T).

    N = G'G or GG', the smaller. With any L, and E = s² I − N − LL' computed exactly, N ⪯ s² I − E, so that
    σ_1(G)² <= s² + ‖E‖ and ‖E‖ <= max_i Σ_j |E_ij|, E symmetric. L is a Cholesky factor in floating point, as in
    Rump 2010, section 10.8.
    """
    if not np.any(G.ints):
        return Fraction(0)
    smaller = G.T if G.ints.shape[0] < G.ints.shape[1] else G
    N = smaller.T @ smaller
    approximate, e = N.whole_floats()
    unit = power(e) * N.scale  # N = unit · approximate, nearly
    level, V = np.linalg.eigh((approximate + approximate.T) / 2)
    guess = float(level[-1]) * (1 + 8 * len(level) * float(np.finfo(float).eps))
    # A symmetric root does what a Cholesky factor does, and exists also where rounding makes s² I − N indefinite.
    L = Exact.of(V * np.sqrt(np.maximum(guess - level, 0.0)))
    square = Exact.of(guess * np.eye(len(level)))
    E = square - N.times(1 / unit) - L @ L.T
    error = int(np.max(np.sum(np.abs(E.ints), axis=1))) * E.scale
    return sqrt_above((Fraction(guess) + error) * unit)


def nuclear_above(W: Exact) -> Fraction:
    """A bound on Σ_i σ_i(W), W (p, T).

    With any u_i, v_i: W = Σ_i u_i v_i' + R, ‖u v'‖_* = ‖u‖ ‖v‖ and ‖R‖_* <= sqrt(min(p, T)) ‖R‖_F; R is computed
    exactly. The u_i, v_i are singular vectors in floating point.
    """
    if not np.any(W.ints):
        return Fraction(0)
    approximate, e = W.whole_floats()
    U, sigma, Vt = np.linalg.svd(approximate, full_matrices=False)
    left, right = Exact.of(U * sigma), Exact.of(Vt.T)
    scaled = W.times(1 / (power(e) * W.scale))
    rest = scaled - left @ right.T
    pairs = zip(left.T.row_squares(), right.T.row_squares(), strict=True)
    total = sum((sqrt_above(u * v) for u, v in pairs), Fraction(0))
    total += sqrt_above(len(sigma) * rest.squared_norm())
    return total * power(e) * W.scale


def top_squares_above(G: Exact, k: int) -> Fraction:
    """A bound on Σ_{i <= k} σ_i(G)², G (p, T).

    With N = G'G or GG', the smaller, the sum is at most k z + tr P for any z and any P ⪰ 0, P ⪰ N − z I. With any B and
    C, and E = N − z I − BB' + CC' computed exactly, P = BB' + ‖E‖ I is one, ‖E‖ <= max_i Σ_j |E_ij|.
    """
    smaller = G.T if G.ints.shape[0] < G.ints.shape[1] else G
    size = smaller.ints.shape[1]
    if k >= size or not np.any(G.ints):
        return G.squared_norm()
    N = smaller.T @ smaller
    approximate, e = N.whole_floats()
    unit = power(e) * N.scale
    level, V = np.linalg.eigh((approximate + approximate.T) / 2)
    z = max(float(level[-k]), 0.0)
    B = Exact.of(V * np.sqrt(np.maximum(level - z, 0.0)))
    C = Exact.of(V * np.sqrt(np.maximum(z - level, 0.0)))
    E = N.times(1 / unit) - Exact.of(z * np.eye(size)) - B @ B.T + C @ C.T
    error = int(np.max(np.sum(np.abs(E.ints), axis=1))) * E.scale
    return (k * Fraction(z) + B.squared_norm() + size * error) * unit
