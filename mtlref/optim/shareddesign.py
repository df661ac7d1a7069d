"""One design for all tasks under the squared loss: correlations, and Gram matrices of columns that are asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtlref.linalg.products import product
from mtlref.optim.rowproblem import RowProblem

Array = NDArray[np.float64]
Features = NDArray[np.intp]
# Products of so many of the columns with each other are kept from one lam to the next.
KEPT_COLUMNS = 2500
# Up to so many features of which the Gram matrix is there, all at once cost less than looking for the right ones.
ALL = 2000
# Beyond so many columns to a row, products with the columns cost less than with their Gram matrix.
WIDE = 2.0
# So many features may come in at the least, at any look, and the share of lam to which a look needs their set.
FIRST, ROUGH = 100, 1e-2


class SharedDesign:
    """H = scale X'X (p, p) and r = scale Y'X (T, p), from H itself or from X where there are fewer rows than features.

    X (n, p), already centred and weighted by the roots of the rows' weights where there are such. Columns that were
    asked for, and their Gram matrix, are kept: a path asks for much the same ones again and again.

    look : what was last seen of all features, (p,) how strongly they ask to enter, the lam at which they did, and how
    many were in.
    """

    def __init__(
        self, r: Array, *, H: Array | None = None, X: Array | None = None, scale: float = 1.0
    ) -> None:
        self.r, self.H, self.X, self.scale = r, H, X, scale
        self.T, self.p = r.shape
        self.rows = self.p if X is None else len(X)
        self._place = np.full(self.p, -1, dtype=np.intp)
        self._count = 0
        self._gram, self._kept = np.empty((0, 0)), np.empty((0, 0))
        self.look: tuple[Array, float, int] | None = None
        self._unit: tuple[Features, float, Array, Array] | None = None

    def task(self, t: int) -> SharedDesign:
        """The same for task t alone."""
        return SharedDesign(self.r[t : t + 1], H=self.H, X=self.X, scale=self.scale)

    def pass_cost(self) -> float:
        """Multiplications of a look at all features, where a step of Newton's method on a rows takes a³."""
        return float(self.T) * self.rows * self.p

    def at_once(self, started: int) -> bool:
        """Whether all features are the working set; started : how many an earlier answer has."""
        return self.X is None and self.p <= ALL

    def restricted(self, chosen: Features, lam: float, ridge: float) -> tuple[Array, RowProblem]:
        """(s, the problem on the chosen features in the coordinates s V, in which H has a unit diagonal)."""
        r = np.take(self.r, chosen, axis=1)
        if self.X is not None and chosen.size > WIDE * self.rows:
            A = self.columns(chosen).T
            s = np.sqrt(np.einsum("ij,ij->j", A, A) + ridge)
            s[s == 0] = 1.0
            return s, RowProblem(r / s, lam / s, A=A / s, ridge=ridge / s**2)
        s, H = self.unit_gram(chosen, ridge)
        return s, RowProblem(r / s, lam / s, H=H)

    def columns(self, features: Features) -> Array:
        """(k, n): some columns of sqrt(scale) X, each in a row."""
        places = self._place[features]
        if (places >= 0).all():
            return np.take(self._kept, places, axis=0)
        assert self.X is not None
        return np.ascontiguousarray(np.take(self.X, features, axis=1).T) * np.sqrt(self.scale)

    def room(self, alive: int) -> int:
        """How many features may come in at a look; alive : how many are not zero."""
        return max(FIRST, self.rows // 2, alive)

    def rough(self, alive: int) -> float:
        """To what share of lam a set is solved that may not be the last; alive : how many features are not zero."""
        return ROUGH

    def correlations(self, V: Array, features: Features) -> Array:
        """(T, p): r − V H for a V (T, k) on ``features``, zero elsewhere; r itself where there are none."""
        if features.size == 0:
            return self.r
        if self.X is None:
            assert self.H is not None
            out = product(V, self.H[features])
        else:
            out = product(np.sqrt(self.scale) * product(V, self.columns(features)), self.X)
        return np.subtract(self.r, out, out=out)

    def gram(self, features: Features) -> Array:
        """(k, k): the block of H on some features."""
        if self.X is None:
            assert self.H is not None
            return self.H[features[:, None], features]
        if features.size > KEPT_COLUMNS:
            columns = self.columns(features)
            return product(columns, columns.T)
        fresh = features[self._place[features] < 0]
        if self._count + fresh.size > KEPT_COLUMNS:  # when there is no room, all others go
            self._place[:] = -1
            self._count, fresh = 0, features
        if fresh.size:
            self._keep(fresh)
        places = self._place[features]
        return self._gram[places[:, None], places]

    def unit_gram(self, features: Features, ridge: float) -> tuple[Array, Array]:
        """(s (k,), the block of H + ridge I on some features over s s'): with a unit diagonal but for columns of zeros.

        A path asks for the same one again while the same features are of interest.
        """
        if self._unit is None or self._unit[1] != ridge or not np.array_equal(self._unit[0], features):
            H = self.gram(features)
            diagonal = np.diag_indices(len(H))
            if ridge:
                H[diagonal] += ridge
            s = np.sqrt(H[diagonal])
            s[s == 0] = 1.0
            H /= s
            H /= s[:, None]
            self._unit = features, ridge, s, np.ascontiguousarray(H)
        return self._unit[2:]

    def _keep(self, fresh: Features) -> None:
        assert self.X is not None
        old, new = self._count, self._count + fresh.size
        if new > len(self._gram):
            room = min(KEPT_COLUMNS, 2 * new)
            gram, kept = np.empty((room, room)), np.empty((room, len(self.X)))
            if old:
                gram[:old, :old] = self._gram[:old, :old]
                kept[:old] = self._kept[:old]
            self._gram, self._kept = gram, kept
        self._kept[old:new] = np.take(self.X, fresh, axis=1).T
        self._kept[old:new] *= np.sqrt(self.scale)
        block = product(self._kept[:new], self._kept[old:new].T)
        self._gram[:new, old:new] = block
        self._gram[old:new, :old] = block[:old].T
        self._place[fresh] = np.arange(old, new)
        self._count = new
