"""Ridge regression of ill-conditioned rows: Householder QR, refined with residuals in twice the working precision.

(P)  min over w (p,), b:   Σ_i s_i (y_i − x_i' w − b)² / 2 + lam/2 ‖w‖²,   lam >= 0, b = 0 without an intercept
(K)  r = y − X w − b,   X' S r = lam w,   1' S r = 0,   S = diag(s)

Normal equations square the condition number κ of the rows. Here (K) is refined as one system in (r, w, b), held in
pairs of doubles: while κ is below 1e15, columns scaled and centred, the answer is that of the rows as they stand in
memory to almost all 16 digits.

Source: Björck 1967 (refinement of (r, w)); Demmel, Hida, Riedy & Li 2009 (its residuals in twice the precision).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from mtlref.linalg.compensated import Pair, plus, scaled, times, two_sum

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)
STEPS = 40
# Moves that are not half as long as the last; more mean a condition number beyond all precision.
STALLS = 3


class RankDeficient(ValueError):
    """With lam = 0 the columns do not determine the coefficients; ``condition`` is an estimate."""

    def __init__(self, condition: float) -> None:
        super().__init__(
            f"the columns are linearly dependent in double precision (condition number {condition:.1e})"
        )
        self.condition = condition


@dataclass(frozen=True)
class Answer:
    """w (p,), b, and how many steps of refinement it took; ``settled`` is False where they did not converge."""

    w: Array
    b: float
    steps: int
    settled: bool


class LeastSquares:
    """The QR factors of one design, for any number of targets.

    X (n, p); s (n,) weights >= 0 or None for ones; lam >= 0. ``condition``: of the scaled, centred rows with the ridge.

    Raises RankDeficient where lam = 0 and the condition number is beyond what a double can tell from infinity.
    """

    def __init__(self, X: Array, s: Array | None, lam: float, intercept: bool) -> None:
        self.X, self.s, self.lam, self.intercept = X, s, lam, intercept
        n, p = X.shape
        root = np.ones(n) if s is None else np.sqrt(s)
        mass = float(root @ root)
        self.mean = (root * root) @ X / mass if intercept else np.zeros(p)
        rows = root[:, None] * (X - self.mean)
        if intercept:
            # Whatever the rounded mean leaves of a common level is the intercept's.
            rows = rows - (root / mass)[:, None] * (root @ rows)
        size = np.sqrt(np.einsum("ij,ij->j", rows, rows) + lam)
        # A column of rounding errors about its mean is a constant column.
        floor = 4 * EPS * np.sqrt(mass) * np.abs(X).max(axis=0)
        flat = size <= floor if lam == 0 else size == 0
        if flat.any():
            raise RankDeficient(np.inf)
        self.root, self.mass, self.size = root, mass, size
        full = rows / size
        if lam > 0:
            full = np.vstack([full, np.diag(np.sqrt(lam) / size)])
        if len(full) < p:
            raise RankDeficient(np.inf)
        Q, self.R = np.linalg.qr(full)
        self.Q = Q[:n]
        sigma = np.linalg.svd(self.R, compute_uv=False)
        self.condition = float(sigma[0] / sigma[-1]) if sigma[-1] > 0 else np.inf
        if lam == 0 and self.condition > 1 / (4 * p * EPS):
            raise RankDeficient(self.condition)

    def solve(self, y: Array) -> Answer:
        """The minimiser for one target (n,)."""
        n, p = self.X.shape
        w: Pair = (np.zeros(p), np.zeros(p))
        b: Pair = (np.zeros(1), np.zeros(1))
        r: Pair = (np.zeros(n), np.zeros(n))
        last, steps, stalled, settled = np.inf, 0, 0, False
        while steps < STEPS and stalled <= STALLS and not settled:
            steps += 1
            f, g, level = self._residuals(y, r, w, b)
            dr, dw, db = self._step(f, g, level)
            w, b, r = plus(w, (dw, 0 * dw)), plus(b, (db, 0 * db)), plus(r, (dr, 0 * dr))
            move = float(np.linalg.norm(dw * self.size))
            settled = move <= EPS / 4 * float(np.linalg.norm(w[0] * self.size))
            # QR alone errs by eps κ², which may be more than w: the second move is then as long as the first.
            stalled += not move < last / 2
            last = move
        return Answer(w[0], float(b[0][0]), steps, settled)

    def _residuals(self, y: Array, r: Pair, w: Pair, b: Pair) -> tuple[Array, Array, float]:
        """f = y − r − X w − b (n,), g = X' S r − lam w (p,), 1' S r, each rounded once at its end."""
        z = times(self.X, (-w[0], -w[1]))
        f = plus(plus((y, np.zeros_like(y)), (-r[0], -r[1])), plus(z, (-b[0], -b[1])))  # (K)
        weighted = r if self.s is None else scaled(r, self.s)
        g = plus(times(self.X.T, weighted), scaled((-w[0], -w[1]), self.lam))  # (K)
        level = times(np.ones((1, len(y))), weighted) if self.intercept else (np.zeros(1), np.zeros(1))  # (K)
        return two_sum(*f)[0], two_sum(*g)[0], float(two_sum(*level)[0][0])

    def _step(self, f: Array, g: Array, level: float) -> tuple[Array, Array, Array]:
        """(dr, dw, db) with f = dr + X dw + db and X' S (r + dr) = lam (w + dw), 1' S (r + dr) = 0."""
        # In the coordinates c = b + mean'w the intercept's column is orthogonal to the others.
        u = self.root * f
        about = (g - self.mean * level) / self.size
        right = solve_triangular(self.R, about, trans="T", check_finite=False) + self.Q.T @ u
        dw = solve_triangular(self.R, right, check_finite=False) / self.size
        c = (float(self.root @ u) + level) / self.mass if self.intercept else 0.0
        db = np.array([c - float(self.mean @ dw)])
        return f - self.X @ dw - db[0], dw, db if self.intercept else np.zeros(1)
