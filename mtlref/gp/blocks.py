"""The covariance of f over cells, formed and differentiated block by block.

(P)  C_ij = Σ_q B_q[t_i, t_j] k_q(x_i, x_j), i <= j
(D)  ½ Σ_ij (G − a a')_ij ∂C_ij/∂θ for a symmetric G: no array of N × N × parameters

Cells at places of their own are taken some rows at a time, from the diagonal on: what is done to a block is done while
it is in the cache, and kernels hold nothing below the diagonal. Cells that share places share the kernel's matrix over
places, and are one block.

Source: Bonilla et al. 2008, eq. 3; Rasmussen & Williams 2006, eq. 5.9.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.gp.cells import Cells
from mtlref.gp.kernels import Kernel, Pull
from mtlref.gp.model import Model

Array = NDArray[Any]
# Entries of a block of rows: the arrays of its size that are at hand at a time fit the cache.
ROOM = 100_000


class Blocks:
    """The kernels of a model at the places of cells, and what is made of them."""

    def __init__(self, model: Model, cells: Cells) -> None:
        self.model, self.cells = model, cells
        N = cells.N
        step = max(1, ROOM // N) if cells.aligned else N
        # Rows and columns: a square on the diagonal, and what is right of it.
        self.pieces: list[tuple[slice, slice]] = []
        for first in range(0, N, step):
            rows = slice(first, min(first + step, N))
            self.pieces += [(rows, columns) for columns in (rows, slice(rows.stop, N)) if columns.start < N]
        self.values = [[self._values(kernel, *piece) for piece in self.pieces] for _, kernel in model.terms]

    def _values(self, kernel: Kernel, rows: slice, columns: slice) -> tuple[Array, Pull]:
        """(K, pull) over the cells of a block."""
        c = self.cells
        if c.aligned:
            return kernel.at(c.X[rows], None if columns == rows else c.X[columns])
        K, pull = kernel.at(c.X)
        return K[np.ix_(c.place, c.place)], lambda H: pull(self._gather(H))

    def _segments(self, rows: slice) -> list[tuple[int, slice]]:
        """(t, its cells within rows, counted from the first of them) for each task that has some."""
        cut = [(max(span.start, rows.start), min(span.stop, rows.stop)) for span in self.cells.spans]
        return [(t, slice(a - rows.start, b - rows.start)) for t, (a, b) in enumerate(cut) if a < b]

    def covariance(self) -> Array:
        """C (N, N), its entries on and above the diagonal; those below have no meaning."""
        C = np.zeros((self.cells.N, self.cells.N))
        for q, (B, _) in enumerate(self.model.terms):
            b = B.matrix()[:, self.cells.task]
            for (rows, columns), (K, _) in zip(self.pieces, self.values[q], strict=True):
                block = C[rows, columns]
                for t, part in self._segments(rows):
                    if q == 0:
                        np.multiply(K[part], b[t, columns], out=block[part])
                    else:
                        block[part] += K[part] * b[t, columns]
        return C

    def contract(self, G: Array, a: Array | None = None) -> Array:
        """(D) in the parameters of B_q and k_q, term by term. G (N, N) is read on and above its diagonal; a (N,)."""
        c, terms = self.cells, self.model.terms
        b = [B.matrix()[:, c.task] for B, _ in terms]
        by_task = [np.zeros((c.T, c.N)) for _ in terms]
        by_kernel: list[Any] = [0.0 for _ in terms]
        for k, (rows, columns) in enumerate(self.pieces):
            block = np.zeros((1, 1)) if a is None else np.multiply.outer(a[rows], a[columns])
            block = G[rows, columns] - block
            if columns == rows:
                block = np.triu(block)  # entries right of the diagonal count twice, and half of it
                block.flat[:: len(block) + 1] *= 0.5
            for q in range(len(terms)):
                K, pull = self.values[q][k]
                H = np.empty(block.shape) if q < len(terms) - 1 else block
                for t, part in self._segments(rows):
                    by_task[q][t, columns] += np.einsum("ij,ij->j", block[part], K[part])
                    np.multiply(block[part], b[q][t, columns], out=H[part])
                by_kernel[q] = by_kernel[q] + pull(H)
        sums = [np.stack([part[:, span].sum(axis=1) for span in c.spans], axis=1) for part in by_task]
        parts = [(B.pull(total), own) for (B, _), total, own in zip(terms, sums, by_kernel, strict=True)]
        return np.concatenate([entry for pair in parts for entry in pair])

    def _gather(self, H: Array) -> Array:
        """Sums of a matrix over cells for each pair of places, (n, n)."""
        from scipy.sparse import csr_array

        c = self.cells
        S = csr_array((np.ones(c.N), (c.place, np.arange(c.N))), shape=(c.n, c.N))
        return np.asarray((S @ (S @ H).T).T)


def mirrored(C: Array) -> Array:
    """The whole symmetric matrix from the entries on and above its diagonal."""
    return np.asarray(np.triu(C) + np.triu(C, 1).T)
