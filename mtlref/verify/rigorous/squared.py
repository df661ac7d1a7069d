"""Penalties that are squares of norms: of the trace norm, of row norms, of the box norm of the singular values.

None constrains G: each conjugate is finite, and bounded at G as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from mtlref.errors import CertificateError
from mtlref.verify.rigorous.elementary import sqrt_above
from mtlref.verify.rigorous.elimination import solve
from mtlref.verify.rigorous.interval import Exact, floor_bits, power
from mtlref.verify.rigorous.penalty import ONE, ZERO, Pairs, Penalty
from mtlref.verify.rigorous.spectral import largest_above, nuclear_above, top_squares_above


class SquaredNuclearNorm(Penalty):
    """lam/2 ‖W‖_*² + ridge/2 ‖W‖_F²."""

    def above(self, W: Exact) -> Fraction:
        """From factors with an exact rest."""
        return self.lam / 2 * nuclear_above(W) ** 2 + self.ridge / 2 * W.squared_norm()

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """σ_1(G − R)² / (2 lam) + ‖R‖² / (2 ridge), at R = 0, and at two R near the best one where ridge > 0."""
        rests = [G.times(ZERO)]
        if self.ridge:
            rests += [W.times(self.ridge), self._beyond(G)]
        pairs = []
        for R in rests:
            spent = R.squared_norm() / (2 * self.ridge) if self.ridge else ZERO
            pairs.append((self.whole, largest_above(G - R) ** 2 / (2 * self.lam) + spent))
        return pairs

    def _beyond(self, G: Exact) -> Exact:
        """R = U (Σ − m)₊ V' of G = U Σ V' in floating point, m as the page has it."""
        if not np.any(G.ints):
            return G
        approximate, e = G.whole_floats()
        U, g, Vt = np.linalg.svd(approximate, full_matrices=False)
        k = np.arange(1, len(g) + 1)
        share = float(self.lam / (self.lam + self.ridge))
        m = float((share * np.cumsum(g) / (1 - share + share * k)).max())
        return Exact.of((U * np.maximum(g - m, 0.0)) @ Vt).times(power(e) * G.scale)


class GivenRelation(Penalty):
    """lam/2 tr(W Ω⁻¹ W') + ridge/2 ‖W‖_F², Ω given."""

    def __init__(self, weights: Mapping[str, Any], T: int) -> None:
        super().__init__(weights, T)
        omega = weights["omega"]
        if (omega != omega.T).any():
            raise CertificateError("omega must be symmetric to the last bit; it is not")
        self.omega = Exact.of(omega)
        if not _is_positive(self.omega):
            raise CertificateError("omega must be positive definite in exact numbers; it is not")
        self.modulus = self.ridge + self.lam / largest_above(self.omega)

    def above(self, W: Exact) -> Fraction:
        """Exact."""
        return self.lam / 2 * (solve(self.omega, W.T) * W.T).total() + self.ridge / 2 * W.squared_norm()

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """tr(G Ω (lam I + ridge Ω)⁻¹ G') / 2, exact."""
        stiff = Exact.of(np.eye(self.T)).times(self.lam) + self.omega.times(self.ridge)
        return [(self.whole, (solve(stiff, G.T) * (self.omega @ G.T)).total() / 2)]


def relation(weights: Mapping[str, Any], T: int) -> Penalty:
    """MTRL's, with Ω learned or given."""
    return (SquaredNuclearNorm if weights["omega"] is None else GivenRelation)(weights, T)


class SquaredRowNorms(Penalty):
    """lam/2 (Σ_j ‖W[j,:]‖)²."""

    def above(self, W: Exact) -> Fraction:
        """Square roots from above."""
        return self.lam / 2 * sum((sqrt_above(v) for v in W.row_squares()), ZERO) ** 2

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """max_j ‖G[j,:]‖² / (2 lam), exact."""
        return [(self.whole, max(G.row_squares()) / (2 * self.lam))]


def features(weights: Mapping[str, Any], T: int) -> Penalty:
    """MTFL's, with D full or diagonal."""
    return (SquaredRowNorms if weights["diagonal"] else SquaredNuclearNorm)(weights, T)


class SquaredBoxNorm(Penalty):
    """lam η(1+η) min tr(W (ηI + M)⁻¹ W'), 0 ⪯ M ⪯ I, tr M <= k; the same with M on the other side of W."""

    def __init__(self, weights: Mapping[str, Any], T: int) -> None:
        super().__init__(weights, T)
        self.eta = Fraction(weights["eta"])
        self.k = int(weights["n_clusters"] if "n_clusters" in weights else weights["dim"])
        self.weight = self.lam * self.eta * (1 + self.eta)

    def above(self, W: Exact) -> Fraction:
        """At an M that is feasible exactly.

        For any y and K = ηI + M ⪰ ηI: w'K⁻¹w = 2 y'w − y'Ky + r'K⁻¹r <= 2 y'w − y'Ky + ‖r‖²/η, r = w − Ky.
        """
        if not np.any(W.ints):
            return ZERO
        V = W if W.ints.shape[1] < W.ints.shape[0] else W.T  # M on the shorter side
        approximate, e = V.whole_floats()
        _, sigma, Qt = np.linalg.svd(approximate, full_matrices=False)
        m = _levels(sigma, float(self.eta), self.k)
        root = Exact.of(Qt.T * np.sqrt(m))
        M = root @ root.T
        trace = sum((int(v) for v in np.diag(M.ints)), 0) * M.scale
        largest = largest_above(root) ** 2
        size = max(ONE, largest, trace / self.k)
        M = M.times(floor_bits(1 / size))
        K = Exact.of(np.eye(len(m))).times(self.eta) + M
        unit = power(e) * V.scale
        Y = Exact.of(approximate @ (Qt.T / (float(self.eta) + m)) @ Qt).times(unit)
        rest = V - Y @ K
        value = 2 * (Y * V).total() - (Y @ K * Y).total() + rest.squared_norm() / self.eta
        return self.weight * value

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """(η ‖G‖² + Σ_{i <= k} σ_i(G)²) / (4 lam η (1+η))."""
        top = self.eta * G.squared_norm() + top_squares_above(G, self.k)
        return [(self.whole, top / (4 * self.weight))]


def _levels(sigma: Any, eta: float, k: int) -> Any:
    """m = clip(τ σ − η, 0, 1) with Σ m = k, in floating point; any other m gives a looser bound."""
    if k >= len(sigma):
        return np.ones(len(sigma))
    live = np.maximum(sigma, 1e-30 * sigma.max())
    low, high = np.log(eta / live[0]) - 1, np.log((1 + eta) / live[-1]) + 1
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(np.exp(middle) * live - eta, 0, 1).sum() < k else (low, middle)
    return np.clip(np.exp(low) * live - eta, 0, 1)


def _is_positive(A: Exact) -> bool:
    """Whether all pivots of a symmetric A are positive."""
    rows = [[Fraction(int(v)) for v in row] for row in A.ints]
    for i, row in enumerate(rows):
        if row[i] <= 0:
            return False
        for below in rows[i + 1 :]:
            share = below[i] / row[i]
            below[i:] = [v - share * u for v, u in zip(below[i:], row[i:], strict=True)]
    return True
