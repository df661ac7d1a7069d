"""Norms with a ridge term: roots and singular values from above, dual points scaled into the polar's ball."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction

import numpy as np

from mtlref.verify.rigorous.elementary import sqrt_above
from mtlref.verify.rigorous.interval import Exact, power
from mtlref.verify.rigorous.penalty import ZERO, Pairs, Penalty, multiple
from mtlref.verify.rigorous.spectral import largest_above, nuclear_above


class Norm(Penalty):
    """lam Ω(W) + ridge/2 ‖W‖_F²."""

    @abstractmethod
    def norm_above(self, W: Exact) -> Fraction:
        """An upper bound of Ω(W)."""

    @abstractmethod
    def polar_above(self, G: Exact) -> Fraction:
        """An upper bound of Ω°(G)."""

    @abstractmethod
    def excess(self, G: Exact) -> Pairs:
        """Pairs of a split of G that is the best or near it; ridge > 0."""

    def above(self, W: Exact) -> Fraction:
        """The norm from above, the ridge term exact."""
        return self.lam * self.norm_above(W) + self.ridge / 2 * W.squared_norm()

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """0 at the largest multiple within the ball; with ridge > 0 the excess, and the split R = ridge W."""
        if not self.ridge:
            return [([multiple(self.lam, polar) for polar in self.polars_above(G)], ZERO)]
        return [*self.excess(G), self.split(G, W.times(self.ridge))]

    def polars_above(self, G: Exact) -> list[Fraction]:
        """What bounds the multiple of each task."""
        return [self.polar_above(G)] * self.T

    def split(self, G: Exact, R: Exact) -> tuple[list[Fraction], Fraction]:
        """The pair of G = S + R at the multiples that bring S into the ball."""
        alpha = [multiple(self.lam, polar) for polar in self.polars_above(G - R)]
        spent = sum((a**2 * R[:, t].squared_norm() for t, a in enumerate(alpha)), ZERO)
        return alpha, spent / (2 * self.ridge)


class L1(Norm):
    """Ω = Σ_jt |W_jt|."""

    separable = True

    def norm_above(self, W: Exact) -> Fraction:
        """Exact."""
        return W.sum_of_sizes()

    def polar_above(self, G: Exact) -> Fraction:
        """Exact."""
        return G.largest()

    def polars_above(self, G: Exact) -> list[Fraction]:
        """Each task's own."""
        return [G[:, t].largest() for t in range(self.T)]

    def excess(self, G: Exact) -> Pairs:
        """Σ_jt (|G_jt| − lam)₊² / (2 ridge), exact."""
        over = (abs(int(v)) * G.scale - self.lam for v in G.ints.ravel())
        return [(self.whole, sum((v**2 for v in over if v > 0), ZERO) / (2 * self.ridge))]


class RowNorms(Norm):
    """Ω = Σ_j ‖W[j,:]‖_2."""

    def norm_above(self, W: Exact) -> Fraction:
        """Square roots from above."""
        return sum((sqrt_above(v) for v in W.row_squares()), ZERO)

    def polar_above(self, G: Exact) -> Fraction:
        """The largest row's."""
        return sqrt_above(max(G.row_squares()))

    def excess(self, G: Exact) -> Pairs:
        """Σ_j (‖G[j,:]‖ − lam)₊² / (2 ridge), from above."""
        over = (sqrt_above(v) - self.lam for v in G.row_squares())
        return [(self.whole, sum((v**2 for v in over if v > 0), ZERO) / (2 * self.ridge))]


class RowMaxima(Norm):
    """Ω = Σ_j max_t |W_jt|."""

    def norm_above(self, W: Exact) -> Fraction:
        """Exact."""
        return int(np.sum(np.max(np.abs(W.ints), axis=1))) * W.scale

    def polar_above(self, G: Exact) -> Fraction:
        """The largest of the rows' sums, exact."""
        return int(np.max(np.sum(np.abs(G.ints), axis=1))) * G.scale

    def excess(self, G: Exact) -> Pairs:
        """Σ_j dist(G[j,:], lam B)² / (2 ridge), exact: what of a row lies below the level above which it has lam."""
        total = ZERO
        for row in np.abs(G.ints):
            falling = sorted((int(v) * G.scale for v in row), reverse=True)
            sums, level = ZERO, ZERO
            for k, v in enumerate(falling, 1):
                sums += v
                level = max(level, (sums - self.lam) / k)
            total += sum((min(v, level) ** 2 for v in falling), ZERO)
        return [(self.whole, total / (2 * self.ridge))]


class NuclearNorm(Norm):
    """Ω = ‖W‖_*."""

    def norm_above(self, W: Exact) -> Fraction:
        """From factors with an exact rest."""
        return nuclear_above(W)

    def polar_above(self, G: Exact) -> Fraction:
        """From a verified factorisation."""
        return largest_above(G)

    def excess(self, G: Exact) -> Pairs:
        """The split at R = U (Σ − lam)₊ V' of a singular value decomposition in floating point."""
        approximate, e = G.whole_floats()
        unit = power(e) * G.scale
        U, sigma, Vt = np.linalg.svd(approximate, full_matrices=False)
        over = np.maximum(sigma - float(min(self.lam / unit, Fraction(2))), 0.0)
        return [self.split(G, Exact.of((U * over) @ Vt).times(unit))]
