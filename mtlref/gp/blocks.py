"""The covariance of f over cells, formed and differentiated block by block, a block a pair of tasks.

(P)  C_ij = Σ_q B_q[t_i, t_j] k_q(x_i, x_j), i <= j
(D)  Σ_{i <= j} G_ij ∂C_ij/∂θ: no array of N × N × parameters; G is used up

Source: Bonilla et al. 2008, eq. 3; Rasmussen & Williams 2006, eq. 5.9.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.gp.cells import Cells
from mtlref.gp.model import Model

Array = NDArray[Any]


class Blocks:
    """The kernels of a model at the places of cells, and what is made of them."""

    def __init__(self, model: Model, cells: Cells) -> None:
        self.model, self.cells = model, cells
        self.kernels = [kernel.at(cells.X) for _, kernel in model.terms]

    def pairs(self) -> Iterator[tuple[int, int, slice, slice]]:
        """(t, u, cells of t, cells of u) for t <= u."""
        spans = self.cells.spans
        for t in range(self.cells.T):
            for u in range(t, self.cells.T):
                yield t, u, spans[t], spans[u]

    def spread(self, K: Array) -> Array:
        """A matrix over places as one over cells."""
        c = self.cells
        return K if c.aligned else K[np.ix_(c.place, c.place)]

    def covariance(self) -> Array:
        """C (N, N), its entries on and above the diagonal; zeros below."""
        C = np.zeros((self.cells.N, self.cells.N))
        for q, ((B, _), (K, _)) in enumerate(zip(self.model.terms, self.kernels, strict=True)):
            b, over = B.matrix(), self.spread(K)
            for t, u, rows, columns in self.pairs():
                if q == 0:
                    np.multiply(b[t, u], over[rows, columns], out=C[rows, columns])
                else:
                    C[rows, columns] += b[t, u] * over[rows, columns]
        for span in self.cells.spans:
            C[span, span] = np.triu(C[span, span])
        return C

    def contract(self, G: Array) -> Array:
        """(D) in the parameters of B_q and k_q, term by term; G (N, N), zero below the diagonal, is used up."""
        c, parts = self.cells, []
        last = len(self.kernels) - 1
        for q, ((B, _), (K, pull)) in enumerate(zip(self.model.terms, self.kernels, strict=True)):
            b, over = B.matrix(), self.spread(K)
            by_task, H = np.zeros((c.T, c.T)), G if q == last else np.zeros_like(G)
            for t, u, rows, columns in self.pairs():
                by_task[t, u] = np.einsum("ij,ij->", G[rows, columns], over[rows, columns])
                np.multiply(b[t, u], G[rows, columns], out=H[rows, columns])
            del over
            parts += [B.pull(by_task), pull(H if c.aligned else self._gather(H))]
        return np.concatenate(parts)

    def _gather(self, H: Array) -> Array:
        """Sums of a matrix over cells for each pair of places, (n, n)."""
        from scipy.sparse import csr_array

        c = self.cells
        S = csr_array((np.ones(c.N), (c.place, np.arange(c.N))), shape=(c.n, c.N))
        return np.asarray((S @ (S @ H).T).T)


def mirrored(C: Array) -> Array:
    """The whole symmetric matrix from the entries on and above its diagonal."""
    return np.asarray(np.triu(C) + np.triu(C, 1).T)
