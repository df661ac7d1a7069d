"""The likelihood of a table of which a few cells are missing, exactly, by the Schur complement on these.

(P)  P = C⁻¹ of the complete table, o observed, m missing:   C_oo⁻¹ = P_oo − P_om P_mm⁻¹ P_mo,
     log|C_oo| = log|C| + log|P_mm|,   P_mm = F F'
     α = a − Q (F⁻¹ a_m),   a = P r with r_m = 0,   Q = P_{:m} F⁻': α is 0 where missing, C_oo⁻¹ r_o elsewhere
(D)  as for the complete table with P − Q Q' in place of P, which vanishes where a cell is missing

The cost is that of the complete table and O(m² n T + m n² T + m³): for few holes far below (n T)³.

Source: Stegle et al. 2011 (the complete table); Horn & Johnson 2013, section 0.7.3 (inverses of submatrices).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from mtlref.errors import DataError, IllConditioned
from mtlref.gp.cells import Cells
from mtlref.gp.kronecker import Kronecker
from mtlref.gp.model import Model
from mtlref.gp.spectrum import spectrum
from mtlref.linalg.products import gram, product

Array = NDArray[Any]


class Holes:
    """The covariance of all cells of a table but a few; for one term.

    value : −log p(y). alpha : C_oo⁻¹ r_o, (N,). condition : as of the complete table.

    Raises IllConditioned as the complete table does, and where P_mm is not positive definite in double precision.
    """

    def __init__(self, model: Model, cells: Cells) -> None:
        if not cells.once:
            raise DataError("this route needs each cell observed at most once; got repeats")
        self.model, self.cells = model, cells
        n, T = cells.n, cells.T
        seen = np.zeros(n * T, dtype=bool)
        seen[cells.index] = True
        mean = model.basis(cells.X) @ model.beta
        filled = mean.T.ravel()  # a residual of 0 where a cell is missing
        filled[cells.index] = cells.y
        every = np.arange(n * T)
        full = Cells(cells.X, every % n, every // n, filled, T, every)
        # Holes are told by all coordinates in the eigenbasis.
        self.table = table = Kronecker(model, full, spectrum(model.terms[0][1], cells.X, thin=False))
        self.condition = table.condition
        hidden = np.flatnonzero(~seen)
        place, task = hidden % n, hidden // n
        # Columns of P at the missing cells, in the eigenbasis: (m, n, T).
        E = table.V[place][:, :, None] * table.W[task][:, None, :]
        flat = (E * np.sqrt(table.D)).reshape(len(hidden), n * T)
        try:
            F = cholesky(gram(flat.T), lower=True)
        except LinAlgError:
            raise IllConditioned(
                "the precision of the missing cells must be positive definite in double precision"
            ) from None
        E *= table.D
        # Q of (P) in the eigenbasis, a row a missing cell.
        self.Q = solve_triangular(F, E.reshape(len(hidden), n * T), lower=True).reshape(E.shape)
        part = solve_triangular(F, table.alpha[hidden], lower=True)
        self.rotated = table.D * table.rotated - np.einsum("k,kit->it", part, self.Q)
        self.M = product(product(table.V, self.rotated), table.W.T)
        self.M.T.ravel()[hidden] = 0.0
        self.alpha = self.M.T.ravel()[cells.index]
        self.residual = (table.residual.T.ravel())[cells.index]
        log_det = 2 * float(np.log(np.diag(F)).sum()) if len(hidden) else 0.0
        # (P): the complete value has nT cells and its own fit, of which part is what the holes took.
        self.value = table.value + 0.5 * (log_det - float(part @ part) - len(hidden) * np.log(2 * np.pi))

    def gradient(self, *, keep: bool = True) -> Array:
        """The gradient of ``value`` in the model's θ. keep: as of ``Dense``; nothing is used up here."""
        t, m = self.table, len(self.Q)
        n = len(t.residual)
        root = t.W.T @ t.root  # tasks of the eigenbasis to a square root of B
        # (D) for K: what the holes take away and M B M' are sums of squares of these columns, a few times m T of them.
        taken = np.matmul(self.Q, root).transpose(1, 0, 2).reshape(n, m * root.shape[1])
        taken = np.hstack([product(t.V, taken), product(self.M, t.root)])
        G = t.half_trace(taken)
        a = product(self.rotated, t.W.T)
        by_task = self._spread(t.s @ t.D, t.s) - product(a.T, t.s[:, None] * a)
        by_noise = self._spread(t.D.sum(axis=0), np.ones(n)) - gram(a)
        B, _ = self.model.terms[0]
        by_mean = -product(t.basis.T, self.M)
        return np.concatenate(
            [
                B.pull(0.5 * by_task),
                t.spectrum.pull(G),
                self.model.noise.pull(0.5 * by_noise),
                by_mean.ravel(),
            ]
        )

    def _spread(self, complete: Array, weight: Array) -> Array:
        """W (diag(complete) − Σ_k Q_k' diag(weight) Q_k) W', (T, T)."""
        W = self.table.W
        flat = (self.Q * np.sqrt(weight)[:, None]).reshape(-1, len(W))
        return np.asarray(W @ (np.diag(complete) - gram(flat)) @ W.T)

    def solve(self, R: Array) -> Array:
        """C_oo⁻¹ R for R (N,) or (N, k)."""
        t, c = self.table, self.cells
        full = np.zeros((c.n * c.T, *np.shape(R)[1:]))
        full[c.index] = R
        tables = full.reshape(c.T, c.n, -1).transpose(2, 1, 0)
        inside = t.D * (t.V.T @ tables @ t.W)
        # Q' r: Q has D inside, so that r itself is rotated.
        part = np.einsum("kit,jit->jk", self.Q, t.V.T @ tables @ t.W, optimize=True)
        inside -= np.einsum("jk,kit->jit", part, self.Q, optimize=True)
        out = (t.V @ inside @ t.W.T).transpose(2, 1, 0).reshape(full.shape)
        return np.asarray(out[c.index])

    def inverse_blocks(self, groups: Any) -> Array:
        """The blocks of C_oo⁻¹ of groups (G, g) of cells: (G, g, g)."""
        t, c = self.table, self.cells
        taken = np.einsum("gi,ait,gt->ga", t.V[c.place], self.Q, t.W[c.task], optimize=True)
        near = taken[groups]
        return t.inverse_blocks(c.index[groups]) - near @ near.transpose(0, 2, 1)

    @property
    def backward_error(self) -> float:
        """‖C_oo α − r‖ / (‖C‖ ‖α‖ + ‖r‖): how well α solves its equations, from matrices formed anew."""
        t, c = self.table, self.cells
        K, Sigma = self.model.terms[0][1](c.X), self.model.noise.matrix()
        image = (K @ self.M @ t.B + self.M @ Sigma).T.ravel()[c.index]
        norm = np.linalg.norm(K, 1) * np.linalg.norm(t.B, 1) + np.linalg.norm(Sigma, 1)
        size = float(norm * np.linalg.norm(self.M) + np.linalg.norm(self.residual))
        return float(np.linalg.norm(image - self.residual)) / size if size > 0 else 0.0


def is_cheaper(cells: Cells) -> bool:
    """Whether this route costs less than Cholesky of all cells, in multiplications."""
    n, T, N = cells.n, cells.T, cells.N
    m = n * T - N
    return cells.once and 10 * n**3 + 2 * m * m * n * T + m * n * n * T + m**3 < N**3
