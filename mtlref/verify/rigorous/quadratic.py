"""Penalties that are quadratic in W: exact from both sides."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import CertificateError
from mtlref.linear.graph_regularized import connected_parts
from mtlref.linear.taskgraph import dense_graph
from mtlref.verify.rigorous.elimination import solve
from mtlref.verify.rigorous.interval import Exact
from mtlref.verify.rigorous.penalty import ZERO, Pairs, Penalty, multiple


class SquaredNorm(Penalty):
    """lam/2 ‖W‖_F²."""

    def __init__(self, weights: Mapping[str, Any], T: int) -> None:
        super().__init__(weights, T)
        self.modulus = self.lam

    def above(self, W: Exact) -> Fraction:
        """Exact."""
        return self.lam / 2 * W.squared_norm()

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """‖G‖² / (2 lam), exact."""
        return [(self.whole, G.squared_norm() / (2 * self.lam))]


class OneForAll(Penalty):
    """lam/2 ‖w‖², W = w 1'."""

    def __init__(self, weights: Mapping[str, Any], T: int) -> None:
        super().__init__(weights, T)
        self.modulus = self.lam / T

    def above(self, W: Exact) -> Fraction:
        """Exact."""
        return self.lam / 2 * W[:, 0].squared_norm()

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """‖Σ_t g_t‖² / (2 lam), exact."""
        return [(self.whole, Exact(G.ints.sum(axis=1), G.scale).squared_norm() / (2 * self.lam))]


class MeanSpread(Penalty):
    """lam/2 Σ_t ‖w_t − w̄‖² + ridge/2 ‖W‖_F²."""

    def above(self, W: Exact) -> Fraction:
        """Exact: Σ_t ‖w_t − w̄‖² = ‖W‖² − ‖Σ_t w_t‖² / T."""
        mean = Exact(W.ints.sum(axis=1), W.scale).squared_norm() / self.T
        return self.lam / 2 * (W.squared_norm() - mean) + self.ridge / 2 * W.squared_norm()

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """(D), exact; with ridge = 0 at a G whose mean is zero."""
        mean = Exact(G.ints.sum(axis=1), G.scale).squared_norm() / self.T
        value = (G.squared_norm() - mean) / (2 * (self.lam + self.ridge))
        if self.ridge:
            return [(self.whole, value + mean / (2 * self.ridge))]
        return [(self.whole, value)] if mean == 0 else []

    def groups(self) -> NDArray[np.intp] | None:
        """All tasks together, with ridge = 0."""
        return None if self.ridge else np.zeros(self.T, dtype=np.intp)


class GraphSpread(Penalty):
    """lam/2 Σ_{s<t} A_st ‖w_s − w_t‖² + ridge/2 ‖W‖_F² + lam_sparse ‖W‖_1 = tr(W M W')/2 + lam_sparse ‖W‖_1."""

    def __init__(self, weights: Mapping[str, Any], T: int) -> None:
        super().__init__(weights, T)
        self.sparse = Fraction(weights["lam_sparse"])
        graph = dense_graph(weights["graph"], T) * (1 - np.eye(T))
        self.parts = connected_parts(graph)
        if graph[self.parts[:, None] != self.parts].any():  # the blocks of (D) must be all of M
            raise CertificateError("no edge may join two connected parts of the graph; one does")
        A = Exact.of(graph)
        degrees = Exact(np.diag(A.ints.sum(axis=1)) + 0, A.scale)
        self.M = (degrees - A).times(self.lam) + Exact.of(np.eye(T)).times(self.ridge)

    def above(self, W: Exact) -> Fraction:
        """Exact."""
        return (W @ self.M * W).total() / 2 + self.sparse * W.sum_of_sizes()

    def conjugates(self, G: Exact, W: Exact) -> Pairs:
        """tr(Q M⁺ Q')/2, exact, of Q = G; with lam_sparse of Q = W M, the rest scaled into the l1 norm's ball."""
        if self.sparse:
            Q = W @ self.M
            alpha = multiple(self.sparse, (G - Q).largest())
            return [([alpha] * self.T, alpha**2 / 2 * (Q * W).total())]
        value = ZERO
        for part in range(int(self.parts.max()) + 1):
            tasks = np.flatnonzero(self.parts == part)
            if not self.ridge:
                if np.any(G.ints[:, tasks].sum(axis=1)):
                    return []
                # M is singular on the part alone along 1, so that w_t = 0 of one task loses nothing.
                tasks = tasks[1:]
            Q = G[:, tasks].T
            value += (solve(self.M[tasks][:, tasks], Q) * Q).total() / 2 if len(tasks) else ZERO
        return [(self.whole, value)]

    def groups(self) -> NDArray[np.intp] | None:
        """The connected parts, with ridge = lam_sparse = 0."""
        return None if self.ridge or self.sparse else self.parts
